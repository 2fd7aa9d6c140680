package html

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/report/internal/reporttest"
	"github.com/stanch-dev/stanch/verifier"
)

// TestPagesForBrowser writes the pages that .ci/page opens in a browser, with the secrets that were
// planted in them, to the folder that STANCH_PAGES names.
func TestPagesForBrowser(t *testing.T) {
	dir := os.Getenv("STANCH_PAGES")
	if dir == "" {
		t.Skip("STANCH_PAGES is not set")
	}
	save := func(name string, page []byte, planted []string) {
		list, err := json.Marshal(planted)
		if err != nil {
			t.Fatal(err)
		}
		for file, text := range map[string][]byte{name + ".html": page, name + ".json": list} {
			if err := os.WriteFile(filepath.Join(dir, file), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, n := range map[string]int{"many": 5000, "demo": 60} {
		var page bytes.Buffer
		planted := sweepOf(t, n, New(&page))
		save(name, page.Bytes(), planted)
	}
	var planted []string
	for i := range hostile {
		planted = append(planted, detectorstest.SecretKey(uint64(i)))
	}
	save("scan", write(t, "several", false), nil)
	save("empty", write(t, "none", false), nil)
	save("odd", hostilePage(t, hostile, planted), planted)
}

// A sweepMaker makes up a sweep of an organization. The same n makes the same sweep, but
// for its keys.
type sweepMaker struct {
	r       *rand.Rand
	planted []string
}

// sweepOf reports a sweep with n findings to h, and returns its secrets.
func sweepOf(t testing.TB, n int, h finding.Handler) []string {
	t.Helper()
	m := &sweepMaker{r: rand.New(rand.NewPCG(7, uint64(n)))}
	history := map[string]*finding.History{}
	sink := finding.NewSink(madeUp{h, history}, finding.Scan{Version: "0.2.0", Source: "sweep", Target: "example-corp", Started: reporttest.Day}, nil, false)
	sum := finding.Summary{Findings: n, Objects: 48_113_902, Bytes: 312_000_000_000, ElapsedMS: (26 * time.Minute).Milliseconds(),
		Unread: []finding.Unread{{What: "example-corp/monorepo: objects/pack/pack-1.pack", Why: "its checksum is wrong"}}}
	for i := range n {
		f, past := m.finding(i, n)
		history[f.Match.Credential.ID] = past
		if err := sink.Finding(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := sink.Close(sum); err != nil {
		t.Fatal(err)
	}
	return m.planted
}

// madeUp adds a history to the findings of a scan.
type madeUp struct {
	finding.Handler
	history map[string]*finding.History
}

func (h madeUp) Finding(f finding.Finding) error {
	f.History = h.history[f.Match.Credential.ID]
	return h.Handler.Finding(f)
}

func (h madeUp) Summary(s finding.Summary) error {
	for i := range 240 {
		r := finding.Repository{Name: "example-corp/" + repoOf(i), URL: "https://github.com/example-corp/" + repoOf(i), At: reporttest.Day, Private: i%3 > 0}
		switch {
		case i == 17:
			r.State, r.Why = finding.RepositoryFailed, "fetching: the server hung up after 1.2 GB"
		case i == 40:
			r.State, r.Why = finding.RepositoryFailed, "GitHub blocks the repository (HTTP 451)"
		case i%5 == 0:
			r.State, r.Objects, r.Fetched = finding.RepositorySwept, int64(1200+i*37), int64(i)*1_300_000
		default:
			r.State = finding.RepositoryUnchanged
		}
		if err := h.Repository(r); err != nil {
			return err
		}
	}
	return h.Handler.Summary(s)
}

func repoOf(i int) string {
	words := []string{"billing", "checkout", "terraform-prod", "mobile-app", "data-pipeline", "website", "monorepo", "infra-tools", "search", "ml-notebooks"}
	name := words[i%len(words)]
	if i >= len(words) {
		name = fmt.Sprintf("%s-%d", name, i/len(words))
	}
	return name
}

// finding makes the i-th of n findings: most are dead, as in real organizations.
func (m *sweepMaker) finding(i, n int) (*finding.Finding, *finding.History) {
	r := m.r
	secret := detectorstest.SecretKey(uint64(i))
	m.planted = append(m.planted, secret)
	f := &finding.Finding{Match: detectors.Match{Rule: reporttest.AccessKey, Grade: "strong", Confidence: detectors.High,
		Credential: detectors.Credential{ID: reporttest.KeyID(fmt.Sprintf("%09d", i)), Secret: detectors.NewSecret(secret)}}}
	account := fmt.Sprintf("%012d", 111122223333+int64(r.IntN(12))*1_010_101)
	name := []string{"deploy", "ci", "backup", "terraform", "jdoe", "reporting"}[r.IntN(6)]
	f.Verdict = verifier.Verdict{State: verifier.Invalid, At: reporttest.Day, Identity: verifier.Identity{Account: account}}
	first := reporttest.Day.AddDate(0, 0, -r.IntN(300)-1)
	past := &finding.History{FirstSeen: first, LastSeen: reporttest.Day}
	live := max(9, n/80)
	switch {
	case i < live:
		account = fmt.Sprintf("%012d", 111122223333+int64(i%5%3)*1_010_101)
		f.Verdict.State = verifier.Live
		f.Verdict.Identity = verifier.Identity{Account: account, Kind: "user", Name: name, ARN: "arn:aws:iam::" + account + ":user/" + name}
		f.Verdict.Facts = []verifier.Fact{{Name: "policy", Value: "AdministratorAccess", Risk: 3}, {Name: "last used", Value: "2026-03-12, s3, eu-west-1", Risk: 2}, {Name: "age", Value: "412 days", Risk: 1}}
		switch i {
		case 0:
			f.Verdict.Identity.Kind, f.Verdict.Identity.Name, f.Verdict.Identity.ARN = "root", "", "arn:aws:iam::"+account+":root"
			past.FirstSeen, past.LastSeen = reporttest.Day.Add(time.Minute), reporttest.Day.Add(time.Minute)
		case 1:
			past.FirstSeen, past.LastSeen = reporttest.Day.Add(time.Minute), reporttest.Day.Add(time.Minute)
		case 2:
			past.AcknowledgedBy, past.Note, past.AcknowledgedUntil = "sam@example.com", "rotation is planned for Tuesday", reporttest.Day.AddDate(0, 0, 3)
		}
	case i < live+n/60:
		f.Verdict.State = verifier.IDActive
	case i < live+n/20:
		f.Verdict.State, f.Verdict.Reason = verifier.Unknown, "the answer did not come from AWS"
	case i < live+n/15:
		f.Verdict.State, f.Verdict.Reason = verifier.CanarySuspected, "an account that plants keys"
	default:
		past.DeadSince = first.Add(time.Duration(r.ExpFloat64() * float64(9*24*time.Hour)))
		if past.DeadSince.After(reporttest.Day) {
			past.DeadSince = reporttest.Day
		}
		if i%3 == 0 {
			past.GoneSince = past.DeadSince
		}
		if i%11 == 0 {
			f.Ignored = "allowed by .stanchignore: test data"
		}
	}
	places := 1 + int(r.ExpFloat64()*2)
	if i == 3 && n > 1000 {
		places = 400
	}
	repo := i * 7
	if i < live {
		repo = i % 7 % 4
	}
	for k := range places {
		l := reporttest.Blob([]string{"deploy/prod.env", "config/settings.py", "terraform/main.tf", "scripts/release.sh", ".github/workflows/ci.yml", "src/main/resources/application.properties"}[r.IntN(6)], 1+r.IntN(200), k == 0 && i%3 > 0)
		l.Repo = "https://github.com/example-corp/" + repoOf((repo+k/3)%240)
		l.Time = first.AddDate(0, 0, -r.IntN(500))
		l.Author, l.Email = []string{"Ada Example", "Grace Example", "Alan Example"}[r.IntN(3)], "dev@example.com"
		l.Refs = []string{"refs/heads/main"}
		if i%50 == 7 { // the name of a file may hold the secret of another finding
			l.Path = "tmp/" + secret + "/key.txt"
		}
		f.Locations = append(f.Locations, l)
	}
	return f, past
}
