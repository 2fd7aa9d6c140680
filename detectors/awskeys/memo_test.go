package awskeys

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/candidates"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/detectors/detectorstest/layouttest"
)

// TestMemo holds that a detector finds the same in a text whether it remembers others or not.
func TestMemo(t *testing.T) {
	for seed := range uint64(400) {
		compareWithMemo(t, versionsOfKey(seed))
	}
	known := 0
	for seed := range uint64(40) {
		known += compareWithMemo(t, versionsOfPieces(seed))
	}
	if known < 500 {
		t.Errorf("only %d matches stand in texts that resemble the one before", known)
	}
}

// FuzzMemo is TestMemo for other seeds.
func FuzzMemo(f *testing.F) {
	f.Fuzz(func(t *testing.T, seed uint64) {
		compareWithMemo(t, versionsOfKey(seed))
		compareWithMemo(t, versionsOfPieces(seed))
	})
}

// compareWithMemo searches texts with one Memo, and each without. It returns the number of
// matches in all but the first.
func compareWithMemo(t *testing.T, texts []string) (known int) {
	t.Helper()
	memo := &detectors.Memo{}
	for i, text := range texts {
		want, got := Detector{}.Detect(nil, []byte(text)), Detector{}.DetectWith(memo, nil, []byte(text))
		if !reflect.DeepEqual(withoutFunctions(want), withoutFunctions(got)) {
			t.Fatalf("text %d, %.100q… of %d bytes, has %+v, want %+v", i, text, len(text), got, want)
		}
		if i > 0 {
			known += len(want)
		}
	}
	return known
}

// TestPlainText holds that a text without the words of partitions and endpoints names neither
// near an id.
func TestPlainText(t *testing.T) {
	plain, others := 0, 0
	for seed := range uint64(100) {
		for _, text := range slices.Concat(versionsOfKey(seed), versionsOfPieces(seed)) {
			k := newKeySearch(nil, []byte(text), candidates.IDs([]byte(text)))
			for i := range k.IDs {
				switch near := k.near(k.IDs[i].Span); {
				case near != neighbourhood{}:
					others++
					if isPlain(words().In([]byte(text))) {
						t.Fatalf("%.100q… of %d bytes is called plain, and names %v", text, len(text), near)
					}
				case isPlain(words().In([]byte(text))):
					plain++
				}
			}
		}
	}
	if plain < 100 || others < 100 {
		t.Errorf("%d ids are in plain texts, %d near a name", plain, others)
	}
}

// versionsOfKey returns texts that differ far from a key, at the beginning or the end, in
// its name. The distance is drawn at random.
func versionsOfKey(seed uint64) (texts []string) {
	const names = "aws_secret_key|jwt_secret|user_id|note"
	r := rand.New(rand.NewPCG(seed, 20))
	keys := []struct{ before, fill, key, behind string }{
		{"x,NAME,y\n", "a,b,c\n", "a,{},c\n", ""},                                                        // a table
		{"x,NAME,y\n", "a,b,c\n", "LONG,{},c\n", ""},                                                     // … of a long row
		{"x,y,z\n", "", "\n", "\na,NAME,c\na,{},c\n"},                                                    // … that begins again
		{"INSERT INTO t (a, NAME) VALUES ", "(1, 'x'),\n", "(1, '{}');", ""},                             // rows of SQL
		{"INSERT INTO t (a, NAME) VALUES ", "(1, 'x'),\n", "(1, '<![CDATA[{}');", ""},                    // … with a value of XML
		{"INSERT INTO t (a, NAME) VALUES (1, '", "x ", "', '{}');", ""},                                  // … and long ones
		{"NAME: {\n", "  k: v,\n", "  value: {}\n}\n", ""},                                               // a record
		{"{", "k: v, ", "value: {}, ", "name: NAME }"},                                                   // … of one line
		{"resource NAME {\n", "  # text\n", "  default = {}\n", "  name = NAME\n}"},                      // … with its name behind the value
		{"", "", "UPDATE t SET value = '{}', b = '", "' WHERE name = 'NAME';"},                           // a condition of SQL
		{"NAME:\n", "\t", "\n  - {}\n", ""},                                                              // a list
		{"NAME = ", " ", "{}", ""},                                                                       // a long line
		{"<add key=\"NAME\"", " ", "value=\"{}\"", " key=\"NAME\" />"},                                   // a tag
		{"BIN", "\n", "\"s\x0aaws_secret(\x28{}", ""},                                                    // a binary file
		{"BIN", "\n", "v\x00\x28{}", "\nBIN"},                                                            // … of another format
		{"BIN", "text ", "\x09jwt_token\x00\x14{}", ""},                                                  // … with an id
		{"BIN", "text\n", "jaws_secretx({}", ""},                                                         // … without a sign near the key
		{"arn:aws-cn:s3:::NAME", " ", "{}", " us-gov-west-1 NAME"},                                       // a partition
		{"endpoint_url = https://NAME.min.io\n", "text\n", "key = {}\n", "host_base=NAME.wasabisys.com"}, // a store
		{"NAME", "\n", "a = {}\n", "b = \"" + detectorstest.SecretKey(9) + "\" # NAME\n"},                // an id and its secret
	}
	k := keys[r.IntN(len(keys))]
	value := detectorstest.KeyID("AKIA", detectorstest.Account, 1)
	if r.IntN(2) == 0 {
		value = detectorstest.SecretKey(1)
	}
	far := func() string {
		n := []int{0, 1, 2, 4, 5, 6, 7, 8}[r.IntN(8)]<<10 - r.IntN(300)
		if k.fill == "" || n <= 0 {
			return ""
		}
		return strings.Repeat(k.fill, n/len(k.fill))
	}
	above, filled, below := []string{"", "head\n", "x,y,z\n" + far(), strings.Repeat("text\n", 999)}[r.IntN(4)], far(), ""
	long := strings.Repeat("a", 1<<10-r.IntN(200))
	if r.IntN(2) == 0 {
		below = far()
	}
	for range 8 {
		name := strings.Split(names, "|")
		bin := []string{"\x01", "", "\x00", "\xff"}
		fill := strings.NewReplacer("LONG", long, "NAME", name[r.IntN(len(name))], "{}", value, "BIN", bin[r.IntN(len(bin))])
		texts = append(texts, fill.Replace(above+k.before+filled+strings.Repeat(k.fill, r.IntN(2)*r.IntN(20))+k.key+below+k.behind))
	}
	return texts
}

// versionsOfPieces returns texts that are put together from pieces. Each differs from the one
// before in a piece.
func versionsOfPieces(seed uint64) (texts []string) {
	r := rand.New(rand.NewPCG(seed, 19))
	pieces := make([]string, 3+r.IntN(6))
	for i := range pieces {
		pieces[i] = memoPiece(r)
	}
	for range 12 {
		texts = append(texts, strings.Join(pieces, ""))
		at := r.IntN(len(pieces))
		if pieces[at] = memoPiece(r); r.IntN(4) == 0 {
			pieces[at] = ""
		}
	}
	return texts
}

// memoPiece returns a piece of a text: keys, names for those beside it,
// or a stretch of about the length that names are looked for.
func memoPiece(r *rand.Rand) string {
	signs := []string{
		"aws:\n", "jwt:\n  ", "{", "\"aws\": {\n", "}", "[", "(", "[default]\n", "<![CDATA[", "user,aws_secret_access_key,note\n", "| name | secret key |\n", "\n", "\n\n", " ",
		"INSERT INTO t (id, aws_secret, note) VALUES (1, '", "'), (2, '", "new BasicAWSCredentials(\"", "\", \"", "<add key=\"aws_secret\" value=\"", "\" />\n",
		"\x01", "\x00", "t\x00\x14", "\xff", "# github token\n", " // jwt_secret\n", "WHERE name = 'aws_secret';", "AWSAccessKeyId=", "us-gov-west-1", "expect \"secret\"\nsend ",
		"Secret access key:\n", "default = \"", "value: ", "name: aws_secret_key\n", ",", "\t",
		detectorstest.KeyID("AKIA", detectorstest.Account, 1+r.Uint64N(3)), detectorstest.SecretKey(1 + r.Uint64N(3)), detectorstest.Hex(40, 1),
	}
	switch r.IntN(3) {
	case 0:
		layouts := layouttest.Layouts()
		l := layouts[r.IntN(len(layouts))]
		return l.File(l.Shapes()[r.IntN(len(l.Shapes()))], r.Uint64N(1<<20)).Text
	case 1:
		fill := []string{"x", " ", "\n", "word ", "a, b\n", "  k: v\n", "', '"}[r.IntN(7)]
		n := r.IntN(7)<<10 + r.IntN(200)
		return strings.Repeat(fill, 1+n/len(fill))[:n]
	}
	s := ""
	for range 1 + r.IntN(8) {
		s += signs[r.IntN(len(signs))]
	}
	return s
}

// withoutFunctions returns a copy of matches without the functions in them, which cannot be
// compared.
func withoutFunctions(matches []detectors.Match) []detectors.Match {
	list := append([]detectors.Match(nil), matches...)
	for i := range list {
		m := &list[i]
		m.CountsAt, m.NameAt = nil, nil
	}
	return list
}
