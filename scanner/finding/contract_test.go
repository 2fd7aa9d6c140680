package finding

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// contract is a stream in which every field of every record has a value. It was written
// before findings had one shape, and is not to be written anew: users' programs read it.
const contract = "testdata/contract.jsonl"

func TestContract(t *testing.T) {
	want, err := os.ReadFile(contract)
	if err != nil {
		t.Fatal(err)
	}
	var shown, hidden bytes.Buffer
	for show, to := range map[bool]*bytes.Buffer{true: &shown, false: &hidden} {
		if err := Replay(bytes.NewReader(want), JSON(to), show); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(string(want), shown.String()); d != "" {
		t.Errorf("replayed with secrets (-want +got):\n%s", d)
	}
	without := regexp.MustCompile(`,"(secret|token|value)":"shown-[a-z]+"`).ReplaceAllString(string(want), "")
	if d := cmp.Diff(without, hidden.String()); d != "" {
		t.Errorf("replayed without secrets (-want +got):\n%s", d)
	}
}

// TestContractIsWhole: a field that is added to a record is added to the stream.
func TestContractIsWhole(t *testing.T) {
	stream, err := os.ReadFile(contract)
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string][]any{} // by type of record
	for line := range bytes.Lines(stream) {
		var fields map[string]any
		if err := json.Unmarshal(line, &fields); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprint(fields["type"])
		lines[name] = append(lines[name], fields)
	}
	for name, record := range map[string]any{typeScan: Scan{}, typeFinding: record{}, typeRepository: Repository{}, typeSummary: Summary{}} {
		for _, field := range absent(reflect.TypeOf(record), lines[name]) {
			t.Errorf("no %s has the field %s", name, field)
		}
	}
}

// absent returns the fields of a type, however deep, that none of its values in JSON has.
func absent(of reflect.Type, values []any) (names []string) {
	switch of.Kind() {
	case reflect.Pointer:
		return absent(of.Elem(), values)
	case reflect.Slice:
		var items []any
		for _, v := range values {
			items = append(items, v.([]any)...)
		}
		return absent(of.Elem(), items)
	case reflect.Struct:
	default:
		return nil
	}
	if of == reflect.TypeFor[time.Time]() {
		return nil
	}
	for i := range of.NumField() {
		name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		var set []any
		for _, v := range values {
			if x, ok := v.(map[string]any)[name]; ok {
				set = append(set, x)
			}
		}
		switch {
		case name == "-":
		case len(set) == 0:
			names = append(names, name)
		default:
			for _, below := range absent(of.Field(i).Type, set) {
				names = append(names, name+"."+below)
			}
		}
	}
	return names
}

// TestOtherVersions: a report of an earlier version lacks fields, one of a later version has
// fields, values and records of its own. Both mean what they say, and what is not known is
// never taken for dead.
func TestOtherVersions(t *testing.T) {
	const secret = `"secret_sha256":"ab",`
	for _, tt := range []struct{ name, fields, state, skipped string }{
		{"earlier, without a secret", `"key_id":"k","state":"skipped"`, "skipped", SkippedIDOnly},
		{"earlier, with one", secret + `"key_id":"k","state":"skipped"`, "skipped", SkippedNotVerified},
		{"earlier, of a rule of the user", `"has_value":true,"state":"skipped"`, "skipped", SkippedNotVerified},
		{"this one", secret + `"state":"skipped","skipped":"not-verified"`, "skipped", SkippedNotVerified},
		{"later, another reason", secret + `"state":"skipped","skipped":"not-in-accounts"`, "skipped", SkippedNotVerified},
		{"later, another type", secret + `"state":"skipped","skipped":"id-only","later":{"skipped":[1]}`, "skipped", SkippedNotVerified},
		{"later, another state", secret + `"state":"suspended","skipped":"x"`, "suspended", ""},
		{"earlier, live", secret + `"state":"live"`, "live", ""},
	} {
		report := `{"type":"scan","schema":"stanch/v1","later":1}` + "\n" + `{"type":"later"}` + "\n" +
			`{"type":"finding","rule":"r",` + tt.fields + `}` + "\n" + `{"type":"summary"}` + "\n"
		var saved Saved
		if err := Replay(strings.NewReader(report), &saved, false); err != nil || len(saved.Findings) != 1 {
			t.Errorf("%s: %v, %v", tt.name, saved.Findings, err)
			continue
		}
		f := saved.Findings[0]
		if string(f.Verdict.State) != tt.state || f.Skipped() != tt.skipped {
			t.Errorf("%s: state %s, skipped %q, want %s, %q", tt.name, f.Verdict.State, f.Skipped(), tt.state, tt.skipped)
		}
	}
}
