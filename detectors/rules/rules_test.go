package rules_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/rules"
)

// regexes have what plans are made of: words in the middle, alternatives, cases,
// bounds at the ends, repetitions without end.
var regexes = []string{
	`ab[0-9]{3}`, `(?i)[\w.-]{0,5}?(?:key|api)[ \t]{0,3}[=:]\s*([a-z0-9]{4,8})(?:['"\s;]|$)`, `\b(key_[a-z]+)\b`,
	`(?i)\b(?:ke|ap)y[a-c]{2}\b|api-\d+`, `^key`, `(?m)^ab.*$`, `ab(?:.|\n){0,9}yz`, `-ab-[\s\S]{4,}?-yz-`, `key|keyb`,
	`[a-z]*key[a-z]*`, `x(ab)?key`, `é+key`, `keyé`, `\Bab\B`, `(?:ab){2,3}`, `ab+c?`, `a.b`, `(?s)ab.y`, `[A-Z]{2}ab\d*`,
	`\b(\b(key_[0-9a-f]{18}|[0-9a-f]{16})\b)(?:[;']|$)`, `(?i)y?[0-9a-f]{17,20}z`, `[^a]{16}`, `\b(?:xk\.|y[.=](?i:[a-z0-9]{4}))`, `a[[:word:]]{0,3}[0-9a-f]{16}[^x]*`,
}

// TestFindsAll: what a rule finds is what its regex finds in the whole text, in the
// windows that its plan makes.
func TestFindsAll(t *testing.T) {
	pieces := []string{"ab", "key", "KEY", "api", "API", "_", "-", "=", ": ", " ", "\n", "y", "yz", "123", "abc", "x", "é", "\xff", "'", ";", "Ab", "keyb", "-ab-", "-yz-", "AA", "0123456789abcdef"}
	r := rand.New(rand.NewPCG(1, 2))
	matches := 0
	for _, expr := range regexes {
		re := regexp.MustCompile(expr)
		d := detector(t, &rules.Config{Rules: []*rules.Rule{{ID: "r", Regex: expr}}})
		for range 3000 {
			var b strings.Builder
			for range r.IntN(30) {
				b.WriteString(pieces[r.IntN(len(pieces))])
			}
			text := b.String()
			var want, got []string
			for _, loc := range re.FindAllStringIndex(text, -1) {
				if m := strings.Trim(text[loc[0]:loc[1]], "\n"); m != "" {
					want = append(want, fmt.Sprintf("%d %s", loc[0]+strings.Index(text[loc[0]:loc[1]], m), m))
				}
			}
			for _, m := range d.Detect(nil, []byte(text)) {
				got = append(got, fmt.Sprintf("%d %s", m.Start, text[m.Start:m.End]))
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%s in %q: %q, want %q", expr, text, got, want)
			}
			if len(want) > 0 && (!d.MayMatch([]byte(text)) || !d.MayMatchNear([]byte(text))) {
				t.Fatalf("%s in %q: the prefilter rules it out", expr, text)
			}
			matches += len(want)
		}
	}
	if matches < 10_000 {
		t.Errorf("only %d matches", matches)
	}
}

func detector(t testing.TB, configs ...*rules.Config) *rules.Detector {
	t.Helper()
	d, err := rules.NewDetector(configs...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAllowlists(t *testing.T) {
	const config = `
[[allowlists]]
stopwords = ["GLOBAL"]
[[allowlists]]
targetRules = ["a"]
regexes = ['''^targeted''']
[[rules]]
id = "a"
regex = '''tok_([a-z]+)'''
[[rules.allowlists]]
regexTarget = "line"
regexes = ['''# test$''']
[[rules.allowlists]]
condition = "AND"
paths = ['''_test\.go$''']
stopwords = ["fake"]
[[rules.allowlists]]
commits = ["C0FFEE"]
paths = ['''^vendor/''']
`
	c, err := rules.Gitleaks{}.Read("c.toml", []byte(config))
	if err != nil || len(c.Notes) > 0 {
		t.Fatal(err, c.Notes)
	}
	d := detector(t, c)
	for _, tt := range []struct {
		text, path, commit string
		want               bool
	}{
		{"tok_abc", "x.go", "1", true}, {"tok_global", "x.go", "1", false}, {"tok_targeted", "x.go", "1", false},
		{"tok_abc # test", "x.go", "1", false}, {"tok_abc\n# test", "x.go", "1", true},
		{"tok_fake", "x.go", "1", true}, {"tok_fake", "x_test.go", "1", false}, {"tok_abc", "x_test.go", "1", true},
		{"tok_abc", "vendor/x.go", "1", false}, {"tok_abc", "x.go", "c0ffee", false}, {"tok_abc", "", "", true},
	} {
		if got := len(ruleIDs(d, tt.text, tt.path, tt.commit)) > 0; got != tt.want {
			t.Errorf("%q in %s of %s: %v", tt.text, tt.path, tt.commit, got)
		}
	}
}

func ruleIDs(d detectors.Detector, text, path, commit string) (list []string) {
	for _, m := range d.Detect(nil, []byte(text)) {
		if m.CountsAt == nil || m.CountsAt(path, commit) {
			list = append(list, m.Rule.ID)
		}
	}
	return list
}

// TestGenericGivesWay: where a better rule has the secret, and only there.
func TestGenericGivesWay(t *testing.T) {
	d := detector(t, &rules.Config{Rules: []*rules.Rule{
		{ID: "generic-key", Regex: `key=([a-z]+)`}, {ID: "better", Regex: `key=(tok[a-z]+)`, Path: regexp.MustCompile(`\.go$`)},
	}})
	for path, want := range map[string]string{"a.go": "better", "a.py": "generic-key"} {
		if got := strings.Join(ruleIDs(d, "key=tokabc", path, ""), " "); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
	if got := ruleIDs(d, "key=abc\nkey=tokabc", "a.go", ""); len(got) != 2 {
		t.Errorf("on two lines: %q", got)
	}
}

// TestNativeIsRead: what is written in our format is read.
func TestNativeIsRead(t *testing.T) {
	const config = "[[rules]]\nid = \"a\"\ndescription = \"it's \\\"a\\\"\\n\"\nregex = \"'''x\\u0001y\"\npath = '\\.go$'\nkeywords = [\"k\"]\n" +
		"[[rules.allowlists]]\nregexTarget = \"match\"\nregexes = [\"a'\"]\nstopwords = [\"s\\\\\"]\n[[rules]]\nid = \"p\"\npath = \"x\"\n"
	c, err := rules.Gitleaks{}.Read("c.toml", []byte(config))
	if err != nil {
		t.Fatal(err)
	}
	own, err := rules.ReadOwn("o.toml", []byte(rules.Native(c)), time.UTC)
	if err != nil {
		t.Fatal(err, rules.Native(c))
	}
	if len(own.Rules) != 1 || own.Rules[0].Regex != c.Rules[0].Regex || len(own.Allow) != 2 {
		t.Errorf("%+v", own)
	}
}

// BenchmarkDetect runs gitleaks' own rules over code in which their words are
// frequent, and nothing is found.
func BenchmarkDetect(b *testing.B) {
	d := detector(b, readDefault(b))
	text := bytes.Repeat([]byte("func (c *Client) token(ctx context.Context, key string) error {\n\tapiKey := c.keys[key]\n\treturn c.auth.Check(ctx, apiKey)\n}\n"), 500)
	if n := len(d.Detect(nil, text)); n > 0 {
		b.Fatal(n)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		d.Detect(nil, text)
	}
}
