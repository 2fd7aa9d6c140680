package project_test

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/catalog"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/baseline"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/project"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// folder returns a folder with files, given as name and content in turn.
func folder(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for pair := range slices.Chunk(files, 2) {
		if err := os.WriteFile(filepath.Join(dir, pair[0]), []byte(pair[1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const (
	ownRule      = "[[rules]]\nid = 'ours'\nregex = '''badge-[0-9]{6}'''\nkeywords = ['badge-']\n"
	gitleaksRule = "[[rules]]\nid = 'theirs'\nregex = '''token-[0-9]{6}'''\nkeywords = ['token-']\n"
)

func ruleIDs(c *project.Config) string {
	var ids []string
	for _, r := range c.Rules() {
		ids = append(ids, r.ID)
	}
	return strings.Join(ids, " ")
}

// leak is key 1 on line 3 of a.ini.
func leak() *finding.Finding { return leakOf("{AKIA1}", "{secret1}", "a.ini") }

// leakOf is a key on line 3 of a file.
func leakOf(id, secret, path string) *finding.Finding {
	return &finding.Finding{
		Match: detectors.Match{Rule: awskeys.AccessKey, Credential: detectors.Credential{
			ID: detectorstest.Fill(id), Secret: detectors.NewSecret(detectorstest.Fill(secret)),
		}},
		Locations: []finding.Location{{Kind: finding.KindBlob, Path: path, Commit: "0123456789", Line: 3}},
	}
}

// reasons returns why c ignores the leak, each once.
func reasons(c *project.Config) string { return reasonsFor(c, leak()) }

func reasonsFor(c *project.Config, f *finding.Finding) string {
	var sc scanner.Scanner
	c.Suppress(&sc)
	var all []string
	for _, filter := range sc.Allow {
		all = append(all, filter(f))
	}
	for _, filter := range sc.AllowAt {
		all = append(all, filter(f, &f.Locations[0]))
	}
	return strings.TrimSpace(strings.Join(slices.Compact(all), " "))
}

// TestRead: which files each option reads.
func TestRead(t *testing.T) {
	dir := folder(t, project.OwnConfig, ownRule, project.GitleaksConfig, gitleaksRule, project.GitleaksIgnore, "a.ini:aws-access-token:3\n")
	marked := folder(t, project.OwnConfig, "\ufeff"+ownRule, project.GitleaksConfig, "\ufeff"+gitleaksRule, project.GitleaksIgnore, "\ufeffa.ini:aws-access-token:3\n")
	named := filepath.Join(folder(t, "named.toml", strings.ReplaceAll(gitleaksRule, "theirs", "named")), "named.toml")
	listed := folder(t, "named.toml", gitleaksRule, "known", ownBaseline(t))
	trusted := func(name string) ([]byte, error) {
		if name == project.OwnConfig {
			return []byte(strings.ReplaceAll(ownRule, "ours", "trusted")), nil
		}
		return nil, nil
	}
	for _, tt := range []struct {
		name          string
		options       project.Options
		rules, ignore string
	}{
		{"nothing", project.Options{}, "", ""},
		{"the baseline", project.Options{Within: folder(t, project.OwnBaseline, ownBaseline(t))}, "", "known: in .stanch.baseline"},
		{"a baseline instead of that of the project", project.Options{Within: folder(t, project.OwnBaseline, ownBaseline(t)), Known: baseline.NewList(nil)}, "", ""},
		{"no baseline with no ignores", project.Options{Within: folder(t, project.OwnBaseline, ownBaseline(t)), NoIgnores: true}, "", ""},
		{"the project", project.Options{Within: dir}, "ours theirs", "listed in .gitleaksignore"},
		{"a known root", project.Options{Root: dir}, "ours theirs", "listed in .gitleaksignore"},
		{"files instead of its rules", project.Options{Within: dir, Files: []string{named}}, "named", "listed in .gitleaksignore"},
		{"with byte order marks", project.Options{Within: marked}, "ours theirs", "listed in .gitleaksignore"},
		{"no ignores", project.Options{Within: dir, NoIgnores: true}, "", ""},
		{"the commit that is trusted, and not the folder", project.Options{Within: dir, Trusted: trusted}, "trusted", ""},
		{"a named file of the commit", project.Options{Within: dir, Trusted: trusted, Files: []string{filepath.Join(dir, project.OwnConfig)}}, "trusted", ""},
		{"named files that the commit does not have", project.Options{
			Within: listed, Trusted: trusted, Files: []string{filepath.Join(listed, "named.toml")}, Baselines: []string{filepath.Join(listed, "known")},
		}, "", ""},
		{"named files outside of the project", project.Options{
			Within: dir, Trusted: trusted, Files: []string{named}, Baselines: []string{filepath.Join(listed, "known")},
		}, "named", "known: in " + filepath.Join(listed, "known")},
		{"a folder that is not there", project.Options{Root: filepath.Join(dir, "none")}, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := project.Read(tt.options)
			if err != nil {
				t.Fatal(err)
			}
			if got := ruleIDs(c); got != tt.rules {
				t.Errorf("rules %q, want %q", got, tt.rules)
			}
			if got := reasons(c); got != tt.ignore {
				t.Errorf("ignored: %q, want %q", got, tt.ignore)
			}
		})
	}
}

// TestReadErrors: a file that cannot be used stops a scan, and the error names it.
func TestReadErrors(t *testing.T) {
	unreadable := errors.New("the commit cannot be read")
	outside := folder(t, "rules.toml", gitleaksRule)
	for _, tt := range []struct {
		name    string
		options project.Options
		want    string
	}{
		{"no such file", project.Options{Files: []string{"/none.toml"}}, "--config: open /none.toml"},
		{"broken rules", project.Options{Within: folder(t, project.OwnConfig, "[[rules]]\nid = 'x'\nregex = '('\n")}, project.OwnConfig},
		{"a glob", project.Options{Within: folder(t, project.OwnConfig, "[[allow]]\nreason = 'x'\npaths = ['**/x']\n")}, "it is a regular expression, not a glob"},
		{"broken baseline of the project", project.Options{Within: folder(t, project.DetectSecretsBaseline, "{")}, project.DetectSecretsBaseline},
		{"broken baseline of stanch", project.Options{Within: folder(t, project.OwnBaseline, "")}, project.OwnBaseline + ": is empty"},
		{"broken baseline of a commit", project.Options{Trusted: func(name string) ([]byte, error) {
			if name == project.OwnBaseline {
				return []byte("<<<<<<< HEAD\n"), nil
			}
			return nil, nil
		}}, project.OwnBaseline + ": line 1: a merge conflict"},
		{"no such baseline", project.Options{Baselines: []string{"/none.json"}}, "--baseline: open /none.json"},
		{"a baseline of no tool", project.Options{Baselines: []string{filepath.Join(folder(t, "b", "hello"), "b")}}, "b: is not a baseline of stanch"},
		{"UTF-16", project.Options{Within: folder(t, project.GitleaksIgnore, "\xff\xfea\x00")}, project.GitleaksIgnore + ": it is UTF-16"},
		{"a baseline in UTF-16", project.Options{Baselines: []string{filepath.Join(folder(t, "b", "\xff\xfe[\x00]\x00"), "b")}}, "b: it is UTF-16"},
		{"rules in UTF-16", project.Options{Files: []string{filepath.Join(folder(t, "r.toml", "\xfe\xff\x00["), "r.toml")}}, "r.toml: it is UTF-16"},
		{"a commit with UTF-16", project.Options{Trusted: func(string) ([]byte, error) { return []byte("\xff\xfe"), nil }}, "it is UTF-16"},
		{"a commit that cannot be read", project.Options{Trusted: func(string) ([]byte, error) { return nil, unreadable }}, unreadable.Error()},
		{"a file outside of the project", project.Options{Within: folder(t, project.GitleaksConfig, "[extend]\npath = '"+filepath.Join(outside, "rules.toml")+"'\n")}, "rules.toml"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := project.Read(tt.options); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q in it", err, tt.want)
			}
		})
	}
}

// TestBaselines: a saved report and the baselines of other tools hide what they list.
func TestBaselines(t *testing.T) {
	saved := func(f finding.Finding) string {
		var text bytes.Buffer
		h := finding.JSON(&text)
		if err := errors.Join(h.Scan(finding.Scan{}), h.Finding(f), h.Summary(finding.Summary{})); err != nil {
			t.Fatal(err)
		}
		return text.String()
	}
	// Another secret fitted the id better when the report was saved.
	other := finding.Finding{Match: detectors.Match{Rule: &detectors.Rule{ID: "aws-access-key"}}, Candidates: []finding.Candidate{{Fingerprint: leak().Fingerprint()}}}
	gitleaks := `[{"RuleID": "aws-access-token", "File": "a.ini", "StartLine": 3, "Commit": "0123456789", "Fingerprint": "0123456789:a.ini:aws-access-token:3", "Secret": "` +
		detectorstest.Fill("{AKIA1}") + `"}]`
	dir := folder(t, "saved.jsonl", saved(leak().Reported()), "candidate.jsonl", saved(other), "gitleaks.json", gitleaks, "marked.json", "\ufeff"+gitleaks, "empty.json", "[]")
	for name, hidden := range map[string]bool{"marked.json": true, "saved.jsonl": true, "candidate.jsonl": true, "gitleaks.json": true, "empty.json": false} {
		c, err := project.Read(project.Options{Baselines: []string{filepath.Join(dir, name)}})
		if err != nil {
			t.Fatal(err)
		}
		if why := reasons(c); (why != "") != hidden || hidden && !strings.Contains(why, name) {
			t.Errorf("%s: %q", name, why)
		}
	}
}

// ownBaseline is a baseline of stanch with the leak.
func ownBaseline(t *testing.T) string {
	t.Helper()
	var text bytes.Buffer
	if err := baseline.Write(&text, baseline.EntriesOf(leak(), "a.ini:3")); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// TestKnownHalves: which parts of a known key each kind of baseline knows in another file.
func TestKnownHalves(t *testing.T) {
	reported := leak().Reported()
	var report bytes.Buffer
	h := finding.JSON(&report)
	if err := errors.Join(h.Scan(finding.Scan{}), h.Finding(reported), h.Summary(finding.Summary{})); err != nil {
		t.Fatal(err)
	}
	id, secret := detectorstest.Fill("{AKIA1}"), detectorstest.Fill("{secret1}")
	hashed := func(audit string) string {
		return fmt.Sprintf(`{"results": {"a.ini": [{"hashed_secret": "%x"%s}, {"hashed_secret": "%x"%s}]}}`, sha1.Sum([]byte(id)), audit, sha1.Sum([]byte(secret)), audit)
	}
	dir := folder(t, "own", ownBaseline(t), "own_with_a_mark", "\ufeff"+ownBaseline(t), "report", report.String(), "report_with_a_mark", "\ufeff"+report.String(),
		"gitleaks", fmt.Sprintf(`[{"RuleID": "aws-access-token", "File": "a.ini", "Secret": %q}, {"RuleID": "generic-api-key", "File": "a.ini", "Secret": %q}]`, id, secret),
		"detect-secrets", hashed(""), "audited-as-real", hashed(`, "is_secret": true`))
	for _, tt := range []struct{ baseline, known string }{
		{"own", "id secret"}, {"own_with_a_mark", "id secret"}, {"report", "id secret"}, {"report_with_a_mark", "id secret"},
		{"gitleaks", "id secret"}, {"detect-secrets", "id"}, {"audited-as-real", ""},
	} {
		c, err := project.Read(project.Options{Baselines: []string{filepath.Join(dir, tt.baseline)}})
		if err != nil {
			t.Fatal(err)
		}
		var known []string
		for _, half := range []struct {
			name string
			f    *finding.Finding
		}{
			{"id", leakOf("{AKIA1}", "", "README.md")}, {"secret", leakOf("", "{secret1}", "README.md")},
			{"another id", leakOf("{AKIA2}", "", "README.md")}, {"another secret", leakOf("", "{secret2}", "README.md")},
			{"another key", leakOf("{AKIA2}", "{secret2}", "a.ini")},
		} {
			if reasonsFor(c, half.f) != "" {
				known = append(known, half.name)
			}
		}
		if got := strings.Join(known, " "); got != tt.known {
			t.Errorf("%s: known are %q, want %q", tt.baseline, got, tt.known)
		}
	}
}

// TestDigests: rules and ignore files change the digest that is theirs, and not the other.
func TestDigests(t *testing.T) {
	digests := func(files ...string) (string, string) {
		c, err := project.Read(project.Options{Within: folder(t, files...)})
		if err != nil {
			t.Fatal(err)
		}
		return string(c.RulesDigest()), string(c.IgnoresDigest())
	}
	rules, ignores := digests(project.OwnConfig, ownRule)
	for _, tt := range []struct {
		files          []string
		rules, ignores bool // whether the digest is the same
	}{
		{[]string{project.OwnConfig, ownRule}, true, true},
		{[]string{project.OwnConfig, ownRule + "\n"}, false, true},
		{[]string{project.OwnConfig, ownRule, project.GitleaksIgnore, "a.ini:aws-access-token:3\n"}, true, false},
		{[]string{project.OwnConfig, ownRule, project.OwnBaseline, ownBaseline(t)}, true, false},
	} {
		r, i := digests(tt.files...)
		if (r == rules) != tt.rules || (i == ignores) != tt.ignores {
			t.Errorf("%q: the same rules %v, the same ignores %v", tt.files, r == rules, i == ignores)
		}
	}
}

// TestReadRules reads rules and hides nothing. Its digests are those of no file.
func TestReadRules(t *testing.T) {
	c, err := project.ReadRules(folder(t, project.OwnConfig, ownRule+"[[allow]]\nreason = 'demo'\npaths = ['.']\n", project.GitleaksIgnore, "a.ini:aws-access-token:3\n"))
	if err != nil {
		t.Fatal(err)
	}
	if ruleIDs(c) != "ours" || reasons(c) != "" {
		t.Errorf("rules %q, ignored: %q", ruleIDs(c), reasons(c))
	}
	empty, err := project.ReadRules(t.TempDir())
	if err != nil || len(empty.RulesDigest()) == 0 || len(empty.IgnoresDigest()) == 0 {
		t.Errorf("%v", err)
	}
}

// TestExtend adds the rules of the user to a set, which stays as it is if there are none.
func TestExtend(t *testing.T) {
	set := catalog.NewSet()
	with, err := project.Read(project.Options{Within: folder(t, project.OwnConfig, ownRule)})
	if err != nil {
		t.Fatal(err)
	}
	without, err := project.Read(project.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if with.Extend(set) == set || without.Extend(set) != set {
		t.Error("rules are not added, or none are")
	}
}

// TestNewNotes says each note once.
func TestNewNotes(t *testing.T) {
	c, err := project.Read(project.Options{Within: folder(t, project.OwnConfig, "[[allow]]\nreason = 'demo'\npaths = ['.']\nexpires = 2001-01-31\n")})
	if err != nil {
		t.Fatal(err)
	}
	first, second := c.NewNotes(), c.NewNotes()
	if len(first) != 1 || !strings.Contains(first[0], "2001-01-31") || len(second) != 0 {
		t.Errorf("%q, then %q", first, second)
	}
}

// TestFindRoot: the root of the work tree; none for a bare repository; else the folder.
func TestFindRoot(t *testing.T) {
	scannertest.Need(t, "git", "sh")
	dir := scannertest.Repo(t, "mkdir -p a/b; echo x >a/b/f; commit 1\ngit clone -q --bare . ../bare.git; ln -s repo ../link\ngit init -q ../other; ln -s ../repo/a ../other/a\n")
	plain := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(dir, "..", "link"): filepath.Join(filepath.Dir(dir), "link"), filepath.Join(dir, "..", "other", "a"): dir,
		dir: dir, filepath.Join(dir, "a", "b"): dir, filepath.Join(dir, "..", "bare.git"): "", plain: plain,
	} {
		if got := project.FindRoot(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// TestRootOf: paths have the root of the project that they lead to. Those of several projects
// have none, and that is an error if one has files that would count.
func TestRootOf(t *testing.T) {
	scannertest.Need(t, "git", "sh")
	dir := scannertest.Repo(t, `
mkdir sub; echo x >sub/f; commit 1; git clone -q --bare . ../bare.git
git clone -q . nested; echo "a:b:1" >nested/.gitleaksignore
mkdir ../plain; echo x >../plain/f; ln -s "$PWD/sub" ../plain/link
git worktree add -q ../linked
`)
	beside := func(name string) string { return filepath.Join(filepath.Dir(dir), name) }
	for _, tt := range []struct {
		paths []string
		want  string
		fails bool
	}{
		{[]string{dir, filepath.Join(dir, "sub"), filepath.Join(dir, "sub", "f")}, dir, false},
		{[]string{beside("plain/link"), beside("plain/link/f")}, dir, false},
		{[]string{beside("linked/sub")}, beside("linked"), false},
		{[]string{filepath.Join(dir, "nested", "sub")}, filepath.Join(dir, "nested"), false},
		{[]string{beside("plain/f"), beside("plain")}, beside("plain"), false},
		{[]string{beside("bare.git")}, "", false},
		{[]string{filepath.Join(dir, ".git"), filepath.Join(dir, ".git", "hooks")}, "", false},
		{[]string{beside("none")}, beside("none"), false},
		{[]string{dir, beside("plain"), beside("bare.git")}, "", false},
		{[]string{dir, filepath.Join(dir, "nested")}, "", true},
		{[]string{beside("bare.git"), filepath.Join(dir, "nested")}, "", true},
	} {
		if got, err := project.RootOf(tt.paths); got != tt.want || (err != nil) != tt.fails {
			t.Errorf("%q: %q, %v; want %q", tt.paths, got, err, tt.want)
		}
	}
}

// TestFiles: RootOf knows each file that Read looks for.
func TestFiles(t *testing.T) {
	source, err := os.ReadFile("project.go")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`(?m)^\t\w+ += "(\..*)"$`).FindAllSubmatch(source, -1)
	for _, name := range names {
		with := folder(t, string(name[1]), "x")
		if _, err := project.RootOf([]string{with, t.TempDir()}); err == nil {
			t.Errorf("RootOf does not know %s", name[1])
		}
	}
	if len(names) < 5 {
		t.Errorf("names: %q", names)
	}
}

// TestPathIn: the path that ignore files have for a location.
func TestPathIn(t *testing.T) {
	for _, tt := range []struct {
		at   finding.Location
		want string
	}{
		{finding.Location{Kind: finding.KindBlob, Path: "a/f", Commit: "c"}, "a/f"},
		{finding.Location{Kind: finding.KindBlob, Path: "/p/a/f", Blob: "/p/a/f"}, "a/f"},
		{finding.Location{Kind: finding.KindBlob, Path: "/p/a.zip!f", Blob: "/p/a.zip"}, "a.zip!f"},
		{finding.Location{Kind: finding.KindBlob, Path: "/q/f", Blob: "/q/f"}, "/q/f"},
		{finding.Location{Kind: finding.KindIndex, Path: "a/f", Blob: "1234"}, "a/f"},
		{finding.Location{Kind: finding.KindCommit, Path: "f", Commit: "c"}, ""},
	} {
		if got := project.PathIn("/p", &tt.at); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.at, got, tt.want)
		}
	}
}
