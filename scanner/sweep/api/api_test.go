//go:build sweep

package api_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/sweep/api"
	"github.com/stanch-dev/stanch/scanner/sweep/triage"
)

// TestAnswers: each request has its status, and an error is a problem that says why.
func TestAnswers(t *testing.T) {
	s := newServer(t, 8)
	one := fingerprint(0)
	many := func(n int) string {
		items := make([]string, n)
		for i := range items {
			items[i] = fmt.Sprintf(`{"fingerprint":%q}`, one)
		}
		return `{"owner":"x","findings":[` + strings.Join(items, ",") + `]}`
	}
	for _, tt := range []struct {
		token, method, path, body string
		header                    []string
		want                      int
		says                      string
	}{
		{s.reader, "GET", "/findings", "", nil, 200, `"total":8`},
		{s.reader, "HEAD", "/findings", "", nil, 200, ""},
		{s.reader, "GET", "/findings?state=live,unknown&status=open&owner=-&q=AKIA&sort=age&limit=1&target=acme&repository=acme/app&new_since=2020-01-31&ignored=true", "", nil, 200, `"total":1`},
		{s.reader, "GET", "/findings/" + one, "", nil, 200, `"commands":["stanch respond plan --sweep acme --key AKIA`},
		{s.reader, "GET", "/findings/" + fingerprint(6), "", nil, 200, `"commands":[]`}, // expired
		{s.reader, "GET", "/summary", "", nil, 200, `"live_unowned":1`},
		{s.reader, "GET", "/repositories?limit=1", "", nil, 200, `{"repositories":[{"name":"acme/app","live":1,"open":2,"findings":2}]}`},
		{s.reader, "GET", "/targets", "", nil, 200, `"name":"acme"`},
		{s.reader, "GET", "/me", "", nil, 200, `{"name":"rita","role":"reader","session":false}`},
		{s.triager, "GET", "/me", "", nil, 200, `{"name":"ada","role":"triager","session":false}`},
		{s.reader, "GET", "/openapi.json", "", nil, 200, `"openapi": "3.1.0"`},
		{"", "GET", "/findings", "", nil, 401, ""},
		{s.reader, "GET", "/none", "", nil, 404, "no such path"},
		{s.reader, "GET", "/findings/none", "", nil, 404, "there is no finding"},
		{s.reader, "DELETE", "/findings/" + one, "", nil, 405, "DELETE is not allowed"},
		{s.reader, "POST", "/triage", `{"owner":"x","findings":[{"fingerprint":"` + one + `"}]}`, nil, 403, "triager"},
		{s.reader, "PATCH", "/findings/" + one, `{"owner":"x"}`, nil, 403, "triager"},
		{s.triager, "PATCH", "/findings/none", `{"owner":"x"}`, nil, 404, "none"},
		{s.triager, "PATCH", "/findings/" + one, `{"owner":"x"}`, []string{"Content-Type", "text/plain"}, 415, "application/json"},
		{s.triager, "PATCH", "/findings/" + one, `{"owner":"x"}`, []string{"If-Match", `"7"`}, 412, "look again"},
		{s.triager, "PATCH", "/findings/" + one, `{"owner":"x"}`, []string{"If-Match", `7`}, 412, "ETag"},
		{s.triager, "PATCH", "/findings/" + one, `{"owner":"x","version":7}`, nil, 409, "look again"},
		{s.triager, "PATCH", "/findings/" + one, `{"owner":"x"}`, []string{"Sec-Fetch-Site", "cross-site"}, 403, ""},
		{s.triager, "PATCH", "/findings/" + one, `{"owner":null}`, nil, 400, "strings"},
		{s.triager, "PATCH", "/findings/" + one, `{"owner":1}`, nil, 400, "strings"},
		{s.triager, "PATCH", "/findings/" + one, `{"other":1}`, nil, 400, "unknown field"},
		{s.triager, "PATCH", "/findings/" + one, `{"owner":"x"} {}`, nil, 400, "more follows"},
		{s.triager, "PATCH", "/findings/" + one, `{"owner"`, nil, 400, "no JSON"},
		{s.triager, "PATCH", "/findings/" + one, `[]`, nil, 400, "object"},
		{s.triager, "PATCH", "/findings/" + one, `{}`, nil, 422, "changes nothing"},
		{s.triager, "PATCH", "/findings/" + one, `{"status":"done"}`, nil, 422, "use one of open"},
		{s.triager, "PATCH", "/findings/" + one, `{"status":"fixed","until":"2020-01-31"}`, nil, 422, "over"},
		{s.triager, "PATCH", "/findings/" + one, `{"status":"fixed","until":"tomorrow"}`, nil, 422, "day such as"},
		{s.triager, "PATCH", "/findings/" + one, `{"comment":"` + strings.Repeat("x", 5000) + `"}`, nil, 422, "5000 bytes"},
		{s.triager, "PATCH", "/findings/" + one, `{"comment":"` + strings.Repeat("x", 1<<20) + `"}`, nil, 413, "1048576 bytes"},
		{s.triager, "PATCH", "/findings/" + one, `{"comment":"key ` + detectorstest.SecretKey(7) + `"}`, nil, 422, "secret"},
		{s.triager, "POST", "/triage", `{"owner":"x","findings":[]}`, nil, 422, "names none"},
		{s.triager, "POST", "/triage", `{"owner":"x","findings":[{}]}`, nil, 422, "no fingerprint"},
		{s.triager, "POST", "/triage", `{"owner":"x","findings":[{"fingerprint":"` + one + `","version":null}]}`, nil, 400, "whole number"},
		{s.triager, "POST", "/triage", many(triage.MaxFindings), nil, 200, `"changed":1`},
		{s.triager, "POST", "/triage", many(triage.MaxFindings + 1), nil, 422, "10000 are allowed"},
		{s.reader, "GET", "/findings?nome=x", "", nil, 400, "no such parameter"},
		{s.reader, "GET", "/findings?q=a&q=b", "", nil, 400, "more than once"},
		{s.reader, "GET", "/findings?q=%00", "", nil, 400, "UTF-8"},
		{s.reader, "GET", "/findings?q=%zz", "", nil, 400, "query"},
		{s.reader, "GET", "/findings?limit=0", "", nil, 400, "from 1 to 200"},
		{s.reader, "GET", "/findings?sort=name", "", nil, 400, "urgency"},
		{s.reader, "GET", "/findings?state=dead", "", nil, 400, "use one of live"},
		{s.reader, "GET", "/findings?after=x", "", nil, 422, "cursor"},
		{s.reader, "GET", "/findings?new_since=yesterday", "", nil, 400, "2027-01-31"},
		{s.reader, "GET", "/findings?ignored=1", "", nil, 400, "true or false"},
	} {
		got := s.ask(tt.token, tt.method, tt.path, tt.body, tt.header...)
		if got.status != tt.want || !strings.Contains(got.body, tt.says) {
			t.Errorf("%s %s: %d, want %d; it says %.300s, want %s", tt.method, tt.path, got.status, tt.want, got.body, tt.says)
		}
		if kind := got.header.Get("Content-Type"); tt.says != "" && (got.status >= 400) != (kind == "application/problem+json") {
			t.Errorf("%s %s: %d is %s", tt.method, tt.path, got.status, kind)
		}
		if got.status == 405 && got.header.Get("Allow") != "GET, HEAD, PATCH" {
			t.Errorf("allowed is %q", got.header.Get("Allow"))
		}
	}
}

// TestChange: a change is in the answer, in the history and in the list, with its author and
// way. The ETag of one answer is the If-Match of the next request.
func TestChange(t *testing.T) {
	s := newServer(t, 3)
	one := fingerprint(0)
	tag := s.ask(s.reader, "GET", "/findings/"+one, "").header.Get("ETag")
	got := s.ask(s.triager, "PATCH", "/findings/"+one, `{"status":"acknowledged","owner":"<b>payments","comment":"rotated \u0000 soon","until":"2099-01-31"}`, "If-Match", tag)
	var d triage.Detail
	if err := json.Unmarshal([]byte(got.body), &d); err != nil || got.status != 200 || got.header.Get("ETag") == tag {
		t.Fatalf("%d: %s", got.status, got.body)
	}
	if c := d.Changes[0]; d.Status != triage.Acknowledged || d.Until != "2099-01-31" || d.Owner != "<b>payments" || c.Who != "ada" || c.Via != "api" || c.Comment != "rotated \x00 soon" {
		t.Errorf("it is %+v, %+v", d.Row, d.Changes)
	}
	if strings.Contains(got.body, "<b>") {
		t.Error("the answer holds markup")
	}
	if got := s.ask(s.triager, "PATCH", "/findings/"+one, `{"owner":"bob"}`, "If-Match", tag); got.status != 412 || !strings.Contains(got.body, one) {
		t.Errorf("of an old version: %d, %s", got.status, got.body)
	}
	got = s.ask(s.triager, "POST", "/triage", fmt.Sprintf(`{"status":"fixed","findings":[{"fingerprint":%q,"version":1},{"fingerprint":%q,"version":0}]}`, one, fingerprint(1)), "Stanch-Client", "page")
	if got.status != 200 || !strings.Contains(got.body, `"changed":2`) {
		t.Errorf("many: %d, %s", got.status, got.body)
	}
	if got := s.ask(s.reader, "GET", "/findings/"+one, ""); !strings.Contains(got.body, `"via":"page"`) {
		t.Errorf("the history is %s", got.body)
	}
	if got := s.ask(s.reader, "GET", "/findings?status=fixed", ""); !strings.Contains(got.body, `"total":2`) {
		t.Errorf("the list is %s", got.body)
	}
}

// TestExport: an export has what the filter selects, and no cell is a formula.
func TestExport(t *testing.T) {
	s := newServer(t, 1100) // three pages
	if got := s.ask(s.triager, "PATCH", "/findings/"+fingerprint(0), `{"owner":"=1+1","comment":"@x\n\"y\""}`); got.status != 200 {
		t.Fatal(got.body)
	}
	got := s.ask(s.reader, "GET", "/findings.csv?sort=age", "")
	rows, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
	if err != nil || len(rows) != 1101 || !strings.HasPrefix(got.header.Get("Content-Disposition"), "attachment") {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") {
				t.Errorf("a formula: %q", cell)
			}
		}
	}
	if last := rows[1100]; last[7] != "'=1+1" || last[9] != "'@x\n\"y\"" {
		t.Errorf("the last row is %q", last)
	}
	for path, want := range map[string]int{"/findings.json?sort=repository": 1100, "/findings.json?state=live": 138, "/findings.json?q=none": 0} {
		var list []triage.Row
		if err := json.Unmarshal([]byte(s.ask(s.reader, "GET", path, "").body), &list); err != nil || len(list) != want {
			t.Errorf("%s: %d, want %d; %v", path, len(list), want, err)
		}
	}
}

// TestSchemathesis asks with all requests that the description allows, and many that it does
// not, as schemathesis (PyPI) makes them up.
func TestSchemathesis(t *testing.T) {
	program := os.Getenv("STANCH_SCHEMATHESIS")
	if program == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("schemathesis is not there")
		}
		t.Skip("needs STANCH_SCHEMATHESIS, the program of schemathesis (PyPI)")
	}
	s := newServer(t, 300)
	dir := t.TempDir()
	// No schema can say that a day is over or that text holds a secret: those are 422.
	// A wrong If-Match is 412 whatever the body is.
	config := "[checks.negative_data_rejection]\nexpected-statuses = [\"400\", \"401\", \"403\", \"404\", \"405\", \"406\", \"409\", \"412\", \"415\", \"422\"]\n" +
		"[checks.positive_data_acceptance]\nexpected-statuses = [\"2xx\", \"401\", \"403\", \"404\", \"409\", \"412\", \"422\"]\n[parameters]\n\"path.fingerprint\" = \"" + fingerprint(0) + "\"\n"
	if err := os.WriteFile(filepath.Join(dir, "schemathesis.toml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "run", s.url+"/openapi.json", "-H", "Authorization: Bearer "+s.triager,
		"--max-examples", "20", "--seed", "1", "--checks", "all", "--workers", "1", "--no-color")
	cmd.Env = append(slices.Clone(os.Environ()), "HYPOTHESIS_STORAGE_DIRECTORY="+dir)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
	if got := s.ask(s.reader, http.MethodGet, "/findings", ""); got.status != 200 || !strings.Contains(got.body, `"total":300`) {
		t.Errorf("after that: %d, %.300s", got.status, got.body)
	}
}

// TestDescription holds the description against the code: its operations, the fields of its
// answers, and its lists of words.
func TestDescription(t *testing.T) {
	s := newServer(t, 2)
	var doc struct {
		Paths      map[string]map[string]json.RawMessage
		Components struct {
			Schemas map[string]struct {
				Properties map[string]any
				Enum       []string
			}
		}
	}
	var detail map[string]any
	for path, into := range map[string]any{"/openapi.json": &doc, "/findings/" + fingerprint(0): &detail} {
		if err := json.Unmarshal([]byte(s.ask(s.reader, "GET", path, "").body), into); err != nil {
			t.Fatal(path, err)
		}
	}
	var described []string
	for path, methods := range doc.Paths {
		for method := range methods {
			if method != "parameters" {
				described = append(described, strings.ToUpper(method)+" "+path)
			}
		}
	}
	slices.Sort(described)
	if d := cmp.Diff(api.Operations(), described); d != "" {
		t.Errorf("operations (-code +description):\n%s", d)
	}
	for name, v := range map[string]any{
		"Row": triage.Row{}, "Page": triage.Page{}, "Place": triage.Place{}, "Summary": triage.Summary{}, "Change": triage.Change{}, "StateChange": triage.StateChange{},
		"Target": triage.Target{}, "Group": triage.Group{}, "Day": triage.Day{}, "Detail": detail,
	} {
		text, err := json.Marshal(v)
		var fields map[string]any
		if err == nil {
			err = json.Unmarshal(text, &fields)
		}
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(slices.Sorted(maps.Keys(fields)), slices.Sorted(maps.Keys(doc.Components.Schemas[name].Properties))); d != "" {
			t.Errorf("%s (-code +description):\n%s", name, d)
		}
	}
	if d := cmp.Diff(fmt.Sprint(triage.Statuses(), triage.States()), fmt.Sprint(doc.Components.Schemas["Status"].Enum, doc.Components.Schemas["State"].Enum)); d != "" {
		t.Error(d)
	}
}
