// Package otherclouds tells keys of AWS from keys of other clouds that speak its protocols.
package otherclouds

import (
	"bytes"
	"cmp"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/candidates"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/lazyregexp"
)

// Many stores speak the protocol of S3 and have ids and secrets that look like those of AWS:
// MinIO, DigitalOcean Spaces, Wasabi, Cloudflare R2, Google Cloud Storage, LocalStack. Two
// things tell them apart: an endpoint near the key, or an id that only they have near the
// secret. Such a key is reported with the name of the store, and never verified.

// A cloud is known by the form of its ids or by its host.
type cloud struct {
	name   string
	idHead string // "" if its ids have no form of their own
	idBody string // regexp of the rest
	host   string // a part of the name of its hosts
}

// clouds are documented by their vendors.
var clouds = []cloud{
	{"Google Cloud Storage", "GOOG", `1?[A-Z0-9]{16,60}`, "storage.googleapis.com"},
	{"DigitalOcean Spaces", "DO00", `[A-Z0-9]{16}`, "digitaloceanspaces.com"},
	{"Alibaba Cloud", "LTAI", `[A-Za-z0-9]{12,26}`, "aliyuncs.com"},
	{"Scaleway", "SCW", `[A-Z0-9]{17}`, "scw.cloud"},
	{"Yandex Cloud", "YCAJE", `[A-Za-z0-9_-]{20}`, "yandexcloud.net"},
	{"Tencent Cloud", "AKID", `[A-Za-z0-9]{32}`, "myqcloud.com"},
	{"LocalStack", "LKIA", `[A-Z0-9]{16}`, "localstack"},
	{"LocalStack", "LSIA", `[A-Z0-9]{16}`, "localstack"},
	{"Wasabi", "", "", "wasabisys.com"},
	{"Cloudflare R2", "", "", "r2.cloudflarestorage.com"},
	{"Backblaze B2", "", "", "backblazeb2.com"},
	{"Linode", "", "", "linodeobjects.com"},
	{"Vultr", "", "", "vultrobjects.com"},
	{"OVHcloud", "", "", "cloud.ovh."},
	{"IBM Cloud", "", "", "cloud-object-storage.appdomain.cloud"},
	{"Oracle Cloud", "", "", "oraclecloud.com"},
	{"MinIO", "", "", "min.io"},
	{"MinIO", "", "", "minio"},
}

// idForms maps the heads of ids that only other clouds have to patterns of the whole ids.
var idForms = sync.OnceValue(func() map[string]*regexp.Regexp {
	forms := map[string]*regexp.Regexp{}
	for _, s := range clouds {
		if s.idHead != "" {
			forms[s.idHead] = regexp.MustCompile(`^(?:` + s.idHead + s.idBody + `)(?:$|[^A-Za-z0-9+/])`)
		}
	}
	return forms
})

// endpointSetting finds the endpoint of a store in the configuration of a client, or in its
// arguments: aws --endpoint-url http://…. Endpoints of other servers, such as a database, say
// nothing about the key.
var endpointSetting = lazyregexp.New(`(?i)(?:^|--|[^a-z0-9_.-])` +
	`(?:[a-z0-9_.-]*(?:s3|aws|minio|storage|spaces|bucket|r2|object)[a-z0-9_.-]*[_.-]?)?(?:endpoint|host_base|host_bucket)(?:[_-]?(?:url|uri))?(?:_s3)?` +
	`(?:["']?\s*(?::|=>?|,)\s*["']?(https?://)?| +["']?(https?://))([a-z0-9_%()-][a-z0-9_%().-]*)`)

// rcloneProvider finds the provider of a remote of type s3 in a configuration of rclone.
var rcloneProvider = lazyregexp.New(`(?m)^\s*provider\s*=\s*([A-Z]\w+)\s*$`)

// A Mark is an endpoint or an id that says of which cloud the keys near it are; cloud is ""
// for AWS.
type Mark struct {
	detectors.Span
	cloud string
}

// Marks finds marks in a text, near the places that it is asked about. It reads each stretch
// of the text at most once, however many keys are there.
type Marks struct {
	text      []byte
	find      func(text []byte, from, to int) []Mark
	stretches map[int][]Mark // results of find, by stretch
}

// Endpoints returns the endpoints of stores in text.
func Endpoints(text []byte) *Marks { return &Marks{text: text, find: endpointsIn} }

// IDs returns the ids of other clouds in text.
func IDs(text []byte) *Marks { return &Marks{text: text, find: idsIn} }

// in returns the marks whose word begins in text[from:to], and perhaps more, in order.
func (m *Marks) in(from, to int) []Mark {
	const stretch = 4 << 10
	var marks []Mark
	for n := max(0, from) / stretch; n*stretch < min(to, len(m.text)); n++ {
		found, known := m.stretches[n]
		if !known {
			found = m.find(m.text, n*stretch, min(len(m.text), (n+1)*stretch))
			if m.stretches == nil {
				m.stretches = map[int][]Mark{}
			}
			m.stretches[n] = found
		}
		marks = append(marks, found...)
	}
	slices.SortFunc(marks, func(a, b Mark) int { return cmp.Compare(a.Start, b.Start) })
	return marks
}

const beforeWord, afterWord = 60, 200 // bytes of a mark around its word

// EndpointWords are parts of all endpoints: a text without one of them has none.
var EndpointWords = []string{"ndpoint", "NDPOINT", "host_b", "HOST_B", "rovider"}

// endpointsIn returns the endpoints of stores whose word begins in text[from:to].
func endpointsIn(text []byte, from, to int) []Mark {
	var marks []Mark
	for _, word := range EndpointWords {
		for i := from; ; {
			k := bytes.Index(text[i:min(len(text), to+len(word)-1)], []byte(word))
			if k < 0 {
				break
			}
			at := i + k
			i = at + len(word)
			if !isAssigned(text, i) {
				continue
			}
			if m, ok := endpointAt(text, at, word); ok {
				marks = append(marks, m)
			}
		}
	}
	return marks
}

// endpointAt returns the endpoint with word at text[at:].
func endpointAt(text []byte, at int, word string) (Mark, bool) {
	from := max(0, at-beforeWord)
	near := text[from:min(len(text), at+afterWord)]
	if word == "rovider" {
		m := matchAt(rcloneProvider().FindAllSubmatchIndex(near, -1), at-from)
		if m == nil || !bytes.Contains(near, []byte("s3")) {
			return Mark{}, false
		}
		name := string(near[m[2]:m[3]])
		if strings.EqualFold(name, "AWS") {
			name = ""
		}
		return Mark{detectors.Span{Start: from + m[0], End: from + m[1]}, name}, true
	}
	m := matchAt(endpointSetting().FindAllSubmatchIndex(near, -1), at-from)
	if m == nil {
		return Mark{}, false
	}
	name, ok := cloudAt(strings.ToLower(string(near[m[6]:m[7]])), m[2] >= 0 || m[4] >= 0)
	return Mark{detectors.Span{Start: from + m[0], End: from + m[1]}, name}, ok
}

// isAssigned reports whether the name before text[at:] gets a value there. Most texts only
// mention the word, and the regexp is slow.
func isAssigned(text []byte, at int) bool {
	const longest = 24
	for i := at; i < min(len(text), at+longest); i++ {
		switch c := text[i]; {
		case c == ':' || c == '=' || c == ',':
			return true
		case !keyformat.IsNameByte(c) && c != '"' && c != '\'' && c != ' ':
			return false
		}
	}
	return false
}

// matchAt returns the one of matches that covers at, or nil.
func matchAt(matches [][]int, at int) []int {
	for _, m := range matches {
		if m[0] <= at && at < m[1] {
			return m
		}
	}
	return nil
}

// cloudAt returns the name of the store at host, "" for AWS. ok is false if host may be no
// host at all, as in "endpoint = var.endpoint".
func cloudAt(host string, isURL bool) (name string, ok bool) {
	for _, aws := range []string{"amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "api.aws", "amazon.com"} {
		if host == aws || strings.HasSuffix(host, "."+aws) {
			return "", true
		}
	}
	for _, s := range clouds {
		if strings.Contains(host, s.host) {
			return s.name, true
		}
	}
	return host, isURL && strings.Trim(host, "%().") == host
}

// idsIn returns the ids of other clouds that begin in text[from:to].
func idsIn(text []byte, from, to int) []Mark {
	const longestID = 80
	var marks []Mark
	for _, s := range clouds {
		if s.idHead == "" {
			continue
		}
		first := max(0, from-candidates.MaxEscape)
		candidates.ForEachMark(text[first:min(len(text), to+len(s.idHead)-1)], s.idHead, func(at int) {
			at += first
			if at < from || at > 0 && keyformat.IsSecretByte(text[at-1]) {
				return
			}
			if m := idForms()[s.idHead].Find(text[at:min(len(text), at+longestID)]); m != nil {
				marks = append(marks, Mark{detectors.Span{Start: at, End: at + len(m)}, s.name})
			}
		})
	}
	return marks
}

// idSetting finds the access key id that stands beside a secret, of whatever form.
var idSetting = lazyregexp.New(`(?i)access[_. -]?key(?:[_. -]?id)?["'\]]*\s*(?::|=>?|>|,|\s)\s*["']?([a-z0-9]{12,64})\b`)

// localID finds the access key id of a server for tests, as the manuals of MinIO and LocalStack
// write it.
var localID = lazyregexp.New(`(?i)access[_. -]?key(?:[_. -]?id)?["'\]]*\s*(?::|=>?|>|,|\s)\s*["']?(minioadmin|minio|test|localstack|local|dummy|fake|admin|root)(?:["'\s,;)<]|$)`)

// AnyStore is the cloud of an id whose form says only that it is none of AWS.
const AnyStore = "a store with ids of its own"

// OwnerBeside returns AnyStore if an access key id that is none of AWS stands beside the
// secret at s, in the same stanza, and else "". MinIO's STS answers so:
//
//	{"AccessKeyId": "Y4RJ…", "SecretAccessKey": "…"}
func OwnerBeside(text []byte, s detectors.Span) string {
	return ownerBeside(text, s, idSetting(), func(id []byte) bool {
		return !candidates.IsPrefix(id[:keyformat.PrefixLen]) && bytes.ContainsAny(id, "0123456789")
	})
}

// LocalOwnerBeside is OwnerBeside for the ids of servers for tests, such as minioadmin. They
// say something only near an endpoint: people put words in the place of real ids, too.
func LocalOwnerBeside(text []byte, s detectors.Span) string {
	return ownerBeside(text, s, localID(), func([]byte) bool { return true })
}

func ownerBeside(text []byte, s detectors.Span, setting *regexp.Regexp, isOther func(id []byte) bool) string {
	from := max(0, s.Start-NearID)
	for _, m := range setting.FindAllSubmatchIndex(candidates.Around(text, s, NearID), -1) {
		name, id := detectors.Span{Start: from + m[0], End: from + m[1]}, text[from+m[2]:from+m[3]]
		if name.End > s.Start && name.Start < s.End { // secret_access_key = …
			continue
		}
		between := text[min(name.End, s.Start):s.Start]
		if name.Start >= s.End {
			between = text[s.End:name.Start]
		}
		if isOther(id) && !sectionEnd().Match(between) {
			return AnyStore
		}
	}
	return ""
}

// IsKnown reports whether name, of a cloud, is more than the name of a host.
func IsKnown(name string) bool { return !strings.Contains(name, ".") && name != "localhost" }

// Nearest returns the cloud of the mark nearest to s, if it is at most n bytes away and no
// blank line or [section] stands between them.
func Nearest(text []byte, m *Marks, s detectors.Span, n int) (name string) {
	marks := m.in(s.Start-n-2*(beforeWord+afterWord), s.End+n+beforeWord)
	i := sort.Search(len(marks), func(i int) bool { return marks[i].Start >= s.Start })
	best := n + 1
	for _, m := range marks[max(0, i-1):min(len(marks), i+1)] {
		from, to := m.End, s.Start
		if m.Start >= s.End {
			from, to = s.End, m.Start
		}
		if d := to - from; 0 <= d && d < best && !sectionEnd().Match(text[from:to]) {
			best, name = d, m.cloud
		}
	}
	return name
}

// sectionEnd finds the end of a stanza of a configuration.
var sectionEnd = lazyregexp.New(`\n[ \t\r]*\n|\n\[[^\]\n]*\]`)

const (
	NearEndpoint = 1500
	NearID       = 300
	// EndpointReach bounds the distance of all that tells Nearest about an endpoint.
	EndpointReach = NearEndpoint + 3*(beforeWord+afterWord)
)

// StoreFact is the name of the fact that MarkMatch adds.
const StoreFact = "store"

// MarkMatch marks m, with a fact, as a key of the store with that name, which is sent to
// nobody. If name is "", it does nothing.
func MarkMatch(m *detectors.Match, name string) {
	if name == "" {
		return
	}
	m.Unverifiable = "a key of another store than AWS, by what stands beside it"
	m.Needs = 0
	m.AddFact(StoreFact, name, 1)
}
