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
