package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/stanch-dev/stanch/"

// importRules say who may import a package, the reason first. A rule is broken if a package
// whose path does not match importers imports one whose path matches imported.
var importRules = []struct {
	reason              string
	imported, importers string // regexps of paths, without module for packages of stanch
}{
	// From above: commands.
	{"nothing imports a command", `^cmd/`, `^cmd/`},
	{"the commands share cli, which knows none of them", `^cmd/stanch/internal/`, `^cmd/stanch(/internal/([^c][a-z]+|ci))?$`},
	{"a command is not part of another", `^cmd/stanch/internal/(ci|hook|report|scan|sweep)$`, `^cmd/stanch$`},
	{"only commands know flags", `^github.com/spf13/`, `^cmd/`},
	{"libraries for commands: the pipeline below them knows no hook, no CI service and no organization",
		`^scanner/(ci(/[a-z]+)?|migrate|github/(login|orgscan))$`, `^(cmd/|scanner/(ci/|github/orgscan$|sweep/githubhub$))`},
	{"a hook is for its own command, which starts at each commit", `^scanner/hook$`, `^cmd/stanch/internal/hook$`},
	{"sweeps are run by commands alone", `^scanner/sweep(/|$)`, `^(cmd/|scanner/sweep(/|$))`},
	{"the store keeps what is known and does no work: the engine is for those who run jobs, and nobody else needs git to read the store",
		`^scanner/sweep/engine$`, `^(cmd/|scanner/sweep/riverqueue$)`},
	{"refs are kept in one form, by the store, and compared in it by the engine", `^scanner/sweep/refs$`, `^scanner/sweep(/engine)?$`},
	{"people work on findings beside the engine, which tells an observer of changes and knows of no status", `^scanner/sweep/triage$`, `^(cmd/|scanner/sweep/api$)`},
	{"commands mount the API; pages ask it over HTTP, as programs of users do", `^scanner/sweep/api$`, `^cmd/`},
	{"only riverqueue knows River and the drivers of databases, and tests their own", `^(github.com/(riverqueue|jackc)/|modernc.org/)`, `^scanner/sweep/(riverqueue|sweeptest)$`},

	{"only metrics knows the library of Prometheus: others tell it what they do", `^github.com/prometheus/`, `^scanner/sweep/metrics$`},

	// The pipeline and its wiring.
	{"the wiring of a scan is for those who scan; the pipeline is given filters, whoever wrote the files",
		`^scanner/(project|suppress|run)$`, `^(cmd/|scanner/(migrate|project|run|sweep/(search|sweepreport))$)`},
	{"formats are chosen from above, and do not know each other", `^scanner/report(/[^/]+)?$`, `^(cmd/|scanner/(report|ci/publish)$)`},
	{"the pipeline gets a Source, and sources do not know each other", `^scanner/gitsource$`,
		`^(cmd/|scanner/(ci/checkout|github/(fetch|orgscan)|hook|migrate|project|sweep/(engine|search))$)`},
	{"files outside of git are for those whom a user points to them", `^scanner/dirsource$`, `^(cmd/|scanner/(hook|migrate)$)`},
	{"an archive is read by those who read texts; run gives it the reader of bundles", `^scanner/archive$`, `^scanner(/(dirsource|gitsource|run))?$`},
	{"the wiring of a scan chooses how bundles are read", `^scanner/gitsource/bundle$`, `^scanner/run$`},

	// Git and GitHub.
	{"only gitsource reads git", `^github.com/go-git/`, `^scanner/gitsource(/|$)`},
	{"one package runs git, in a clean environment and with errors that hold no password; hook looks up programs, login asks gh for its token", `^os/exec$`,
		`^scanner/(internal/gitcmd|hook|github/login|scannertest|sweep/sweeptest)$`},
	{"packs and reftables need zlib from memory to memory", `^scanner/gitsource/internal/inflate$`, `^scanner/gitsource/internal/(pack|reftable)$`},
	{"refs are asked for, wherever they are kept", `^scanner/gitsource/internal/reftable$`, `^scanner/gitsource/internal/repo$`},
	{"transport knows folders and packs, not the objects in them", `^scanner/gitsource/internal/objects$`,
		`^scanner/gitsource(/bundle|/internal/(gitindex|repo|graph|objectwalk|history|changes))?$`},
	{"objects and graphs know no refs and no folders of a repository", `^scanner/gitsource/internal/repo$`,
		`^scanner/gitsource(/transport|/internal/(history|changes))?$`},
	{"a walk fills the graph, and history asks it: a hook ends before there would be one", `^scanner/gitsource/internal/graph$`,
		`^scanner/gitsource(/internal/(objectwalk|history))?$`},
	{"a walk reads all objects, and a hook must not", `^scanner/gitsource/internal/objectwalk$`, `^scanner/gitsource(/internal/history)?$`},
	{"history and changes are side by side, with the Source alone above them", `^scanner/gitsource/internal/(history|changes)$`, `^scanner/gitsource$`},
	{"reading a repository asks no server", `^scanner/gitsource/transport$`, `^(cmd/|scanner/(gitsource|github/fetch|sweep/engine)$)`},
	{"one package talks to GitHub, so that there is one to audit for which token is sent where", `^github.com/google/go-github`, `^scanner/github$`},
	{"a sweep knows GitHub by its Hub alone", `^scanner/github$`, `^(cmd/|scanner/(ci/publish|github/[a-z]+|sweep/githubhub)$)`},
	{"a sweep and the scan of an organization fetch a repository in the same way", `^scanner/github/fetch$`, `^scanner/(github/orgscan|sweep/(engine|search))$`},
	{"an event of CI is read from its text alone; a server is asked by those who are named here", `^net(/|$)`,
		`^(cmd/|scanner/(finding|github(/[a-z]+|/internal/requests)?|gitsource/transport|report/[a-z]+|scannertest|sweep(/[a-z]+)?)$|verifier/)`},

	// AWS.
	{"AWS is chosen by commands, never by the pipeline", `^verifier/[a-z]+(/|$)`, `^(cmd|verifier)/`},
	{"only awsverifier signs with leaked keys, and only operator with the operator's: nobody else knows the SDK", `^github.com/aws/`, `^verifier/(awsverifier|operator)$`},
	{"packages that hold leaked keys have no use for the operator's identity", `^verifier/operator$`,
		`^(cmd/|verifier/(activity|assessment|healthevent|inventory|notify|owner|recheck|response)(/|$))`},
	{"keys are changed in one order: only protocol applies a plan", `^verifier/response/apply$`, `^(cmd/|verifier/response/protocol$)`},
	{"a plan is judged before anybody knows how it will be carried out", `^verifier/response/(planner|protocol)$`, `^cmd/`},
	{"a verifier takes credentials, not findings", `^scanner(/|$)`, `^(scanner|cmd)(/|$)`},

	// Detectors.
	{"detectors are below all else", `^(verifier|scanner)(/|$)`, `^(verifier|scanner|cmd)(/|$)`},
	{"detectors do no I/O, and decide by no clock and no network", `^(net|os|io/fs)(/|$)`, `^(verifier|scanner|cmd)(/|$)`},
	{"commands and the wiring of a scan choose the detectors: the pipeline is given a set", `^detectors/catalog$`, `^(cmd/|scanner/run$)`},
	{"the catalog lists detectors; the wiring of a scan knows single rules, and verifiers read key ids", `^detectors/awskeys$`,
		`^(cmd/|scanner/run$|detectors/(catalog|detectorstest)$|verifier/(awsverifier|owner|recheck|verifiertest)$)`},
	{"the parts of a Set know encodings, not detectors, so that each can be read alone", `^detectors$`,
		`^(cmd|scanner|verifier)(/|$)|^detectors/(awskeys|catalog|rules|detectorstest)(/|$)`},
	{"only a Set asks the prefilter and makes views", `^detectors/(prefilter|internal/views)$`, `^detectors$`},
	{"encodings and marks know nothing of stanch", `^(cmd|scanner|verifier|detectors)(/|$)`, `^(cmd|scanner|verifier)(/|$)|^detectors$|^detectors/(awskeys|catalog|rules|detectorstest|prefilter|internal/views)(/|$)`},
	{"a detector does not know the others; rules of users come from files", `^detectors/rules$`, `^(cmd|scanner)(/|$)`},
	{"the form of ids and tokens needs no text around it", `^detectors/awskeys/internal/(candidates|presigned|otherclouds|pairing|services)$`,
		`^detectors/awskeys(/internal/(candidates|presigned|otherclouds|pairing|services))?$`},
	{"pairing knows candidates, not the services that they are for", `^detectors/awskeys/internal/(otherclouds|services)$`, `^detectors/awskeys$`},

	{"templates keep every method that reflection could reach in the binary", `^(text|html)/template$`, `^$`},
	{"helpers of tests are not shipped", `^(testing$|detectors/detectorstest|verifier/verifiertest|scanner/(scannertest|sweep/sweeptest|report/internal/reporttest|gitsource/internal/pack/packtest))`, `test$`},
}

// leaves are packages that know nothing of stanch: everybody may import them, and they
// import the standard library only.
var leaves = regexp.MustCompile(`^scanner/(atomicfile|filelock|printable|textfile)$`)

// shape is the package of findings: it imports what detectors and verifiers say, and those
// of verifier that act on findings may import it.
const shape = "scanner/finding"

var (
	belowShape     = regexp.MustCompile(`^(detectors|verifier)$`)
	actsOnFindings = regexp.MustCompile(`^verifier/(assessment|inventory|notify|recheck|response)(/|$)`)
)

// TestImports holds the rules for all packages, tests excluded: those may import
// what they test with.
func TestImports(t *testing.T) {
	seen := 0
	err := filepath.WalkDir("../..", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg := strings.TrimPrefix(path.Dir(filepath.ToSlash(name)), "../../")
		for _, i := range f.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			seen++
			checkImport(t, pkg, strings.TrimPrefix(imported, module))
		}
		return nil
	})
	if err != nil || seen < 100 {
		t.Fatalf("%d imports read: %v", seen, err)
	}
}

func checkImport(t *testing.T, pkg, imported string) {
	t.Helper()
	for _, reason := range brokenRules(pkg, imported) {
		t.Errorf("%s imports %s: %s", pkg, imported, reason)
	}
}

// brokenRules returns the reasons why pkg may not import a package, none if it may.
func brokenRules(pkg, imported string) (reasons []string) {
	standard := !strings.Contains(strings.Split(imported, "/")[0], ".") && !ours.MatchString(imported)
	if leaves.MatchString(pkg) && !standard {
		reasons = append(reasons, "a leaf that everybody may import imports the standard library only")
	}
	if pkg == shape && ours.MatchString(imported) && !belowShape.MatchString(imported) && !leaves.MatchString(imported) {
		reasons = append(reasons, "a finding has one shape, below all that makes, keeps or shows one")
	}
	if leaves.MatchString(imported) || imported == shape && actsOnFindings.MatchString(pkg) {
		return reasons
	}
	for i, r := range compiledRules() {
		if r.imported.MatchString(imported) && !r.importers.MatchString(pkg) {
			reasons = append(reasons, importRules[i].reason)
		}
	}
	return reasons
}

type compiledRule struct{ imported, importers *regexp.Regexp }

// compiledRules are importRules, compiled once for all imports.
var compiledRules = sync.OnceValue(func() (rules []compiledRule) {
	for _, r := range importRules {
		rules = append(rules, compiledRule{regexp.MustCompile(r.imported), regexp.MustCompile(r.importers)})
	}
	return rules
})

var ours = regexp.MustCompile(`^(cmd|detectors|scanner|verifier)(/|$)`)

// TestImportRules: the rules catch what they are for.
func TestImportRules(t *testing.T) {
	for _, tt := range []struct{ pkg, imported string }{
		{"scanner", "verifier/awsverifier"}, {"scanner", "detectors/awskeys"}, {"detectors", "scanner"}, {"detectors/awskeys", "os"},
		{"verifier", "scanner"}, {"verifier", "github.com/aws/aws-sdk-go-v2/aws"}, {"scanner/dirsource", "scanner/gitsource"},
		{"scanner/report", "html/template"}, {"scanner/report", "github.com/spf13/pflag"}, {"scanner", "scanner/report"},
		{"scanner/dirsource", "github.com/go-git/go-git/v5"}, {"cmd/stanch", "detectors/detectorstest"},
		{"cmd/stanch", "github.com/google/go-github/v60/github"}, {"scanner/gitsource", "scanner/ci"}, {"scanner/ci", "scanner/ci/checkout"},
		{"cmd/stanch/internal/cli", "cmd/stanch/internal/respond"}, {"scanner", "cmd/stanch/internal/cli"},
		{"scanner/printable", "detectors"}, {"verifier/response", "verifier/response/apply"}, {"verifier/response/planner", "verifier/response/apply"}, {"scanner/filelock", "golang.org/x/sys/unix"},
		{"scanner", "scanner/project"}, {"scanner", "scanner/run"}, {"scanner/run", "scanner/hook"}, {"cmd/stanch/internal/scan", "scanner/hook"}, {"scanner/run", "verifier/awsverifier"}, {"scanner/run", "scanner/gitsource"}, {"scanner/gitsource", "scanner/suppress"}, {"scanner/project", "scanner/dirsource"}, {"scanner/project", "scanner/sweep"},
		{"scanner/sweep", "scanner/sweep/triage"}, {"scanner/sweep/serve", "scanner/sweep/api"}, {"scanner/sweep", "scanner/sweep/engine"},
		{"scanner/sweep", "scanner/gitsource"}, {"scanner/sweep", "scanner/github/fetch"}, {"scanner/sweep/alert", "scanner/sweep/engine"},
		{"scanner/ci", "net/http"}, {"scanner/gitsource", "os/exec"}, {"scanner/ci/checkout", "os/exec"},
		{"verifier/awsverifier", "scanner/finding"}, {"detectors", "scanner/finding"}, {"verifier/response", "scanner"},
		{"scanner/finding", "scanner"}, {"scanner/finding", "verifier/operator"},
		{"detectors/prefilter", "detectors"}, {"detectors/internal/views", "detectors/prefilter"}, {"detectors/awskeys", "detectors/prefilter"},
		{"detectors/internal/encodings", "detectors/internal/views"}, {"detectors/awskeys", "detectors/rules"},
		{"detectors/awskeys/internal/keyformat", "detectors/awskeys/internal/candidates"},
		{"detectors/awskeys/internal/pairing", "detectors/awskeys/internal/services"}, {"detectors/rules/internal/regexplan", "detectors/rules"},
		{"scanner/gitsource/internal/objects", "scanner/gitsource/internal/inflate"}, {"scanner/gitsource/transport", "scanner/gitsource/internal/objects"},
		{"scanner/gitsource/internal/objects", "scanner/gitsource/internal/repo"}, {"scanner/gitsource/internal/changes", "scanner/gitsource/internal/graph"},
		{"scanner/gitsource/internal/changes", "scanner/gitsource/internal/objectwalk"}, {"scanner/gitsource/internal/history", "scanner/gitsource/internal/changes"},
		{"scanner/gitsource/internal/repo", "scanner/gitsource/transport"}, {"scanner/gitsource/internal/history", "scanner/gitsource"},
		{"scanner/gitsource", "net/http"}, {"scanner/sweep/serve", "github.com/prometheus/client_golang/prometheus"},
	} {
		if len(brokenRules(tt.pkg, tt.imported)) == 0 {
			t.Errorf("no rule keeps %s from importing %s", tt.pkg, tt.imported)
		}
	}
}

// TestEngineBehindTag: without the tag sweep nothing imports the engine of sweeps or the library
// of its metrics, tests included. pre-commit runs go install ./... on each developer's machine; River, pgx and
// SQLite would take half again the CPU that stanch takes.
func TestEngineBehindTag(t *testing.T) {
	engine := regexp.MustCompile(`^(github.com/(riverqueue|jackc|prometheus)/|modernc.org/)`)
	seen := 0
	err := filepath.WalkDir("../..", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		for _, i := range f.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			if !engine.MatchString(imported) {
				continue
			}
			seen++
			if len(f.Comments) == 0 || f.Comments[0].List[0].Text != "//go:build sweep" {
				t.Errorf("%s imports %s, and is not behind the tag sweep", name, imported)
			}
		}
		return nil
	})
	if err != nil || seen < 5 {
		t.Errorf("%d imports of the engine: %v", seen, err)
	}
}
