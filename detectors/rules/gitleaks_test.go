package rules_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/rules"
)

// gitleaksDir is a folder with gitleaks.toml, gitleaks' own configuration, and
// cases.jsonl, the test cases of its rules with what it finds in each. .ci/run makes
// it from gitleaks' source, of which no copy is kept here.
const gitleaksDir = "STANCH_GITLEAKS_CASES"

func readDefault(t testing.TB) *rules.Config {
	t.Helper()
	dir := os.Getenv(gitleaksDir)
	if dir == "" {
		if os.Getenv("CI") != "" {
			t.Fatal(gitleaksDir + " names no folder")
		}
		t.Skip(gitleaksDir + " is not set: .ci/run makes the folder")
	}
	data, err := os.ReadFile(filepath.Join(dir, "gitleaks.toml"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := rules.Gitleaks{}.Read("gitleaks.toml", data)
	if err != nil {
		t.Fatal(err)
	}
	// Rules of a path alone are not supported. There is one.
	if want := []string{"gitleaks.toml: rule pkcs12-file: is about paths alone, and stanch looks into files; the rule is left out"}; !slices.Equal(c.Notes, want) || len(c.Rules) < 220 {
		t.Fatalf("%d rules, notes %q", len(c.Rules), c.Notes)
	}
	return c
}

// TestGitleaksCases: each rule finds in each of its test cases what it finds in
// gitleaks.
func TestGitleaksCases(t *testing.T) {
	c := readDefault(t)
	byRule := map[string]*rules.Detector{}
	for _, r := range c.Rules {
		d, err := rules.NewDetector(&rules.Config{Name: c.Name, Rules: []*rules.Rule{r}, Allowlists: c.Allowlists})
		if err != nil {
			t.Fatal(err)
		}
		byRule[r.ID] = d
	}
	whole, err := rules.NewDetector(c)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(os.Getenv(gitleaksDir), "cases.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	cases, seen := 0, map[string]bool{}
	for lines.Scan() {
		var x struct {
			Rule, Path string
			Text       []byte
			Want       bool
			Secrets    []string
		}
		if err := json.Unmarshal(lines.Bytes(), &x); err != nil {
			t.Fatal(err)
		}
		if x.Rule == "pkcs12-file" {
			continue
		}
		d := byRule[x.Rule]
		if d == nil {
			t.Fatalf("no rule %s", x.Rule)
		}
		cases++
		seen[x.Rule] = true
		got := ruleMatch(d, x.Text, x.Path)
		if !slices.Equal(got, x.Secrets) {
			t.Errorf("%s: case %d: %d secrets, gitleaks has %d", x.Rule, cases, len(got), len(x.Secrets))
		}
		if len(got) > 0 && (!d.MayMatch(x.Text) || !d.MayMatchNear(x.Text) || !whole.MayMatchNear(x.Text)) {
			t.Errorf("%s: case %d: the prefilter rules it out", x.Rule, cases)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d cases of %d rules", cases, len(seen))
	if cases < 2000 || len(seen) < 200 {
		t.Errorf("%d cases of %d rules: there ought to be more", cases, len(seen))
	}
}

// ruleMatch returns the secrets in text that count at path.
func ruleMatch(d detectors.Detector, text []byte, path string) []string {
	list := []string{}
	for _, m := range d.Detect(nil, text) {
		if m.CountsAt == nil || m.CountsAt(path, "") {
			list = append(list, m.Credential.Secret.Reveal())
		}
	}
	return list
}
