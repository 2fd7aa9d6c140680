package finding

import (
	"bytes"
	"os"
	"reflect"
	"regexp"
	"slices"
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
	for _, record := range []any{Scan{}, record{}, Repository{}, Summary{}} {
		for _, name := range fieldNames(reflect.TypeOf(record)) {
			if !strings.Contains(string(stream), `"`+name+`":`) {
				t.Errorf("%T: no record has the field %q", record, name)
			}
		}
	}
}

// fieldNames returns the names in JSON of the fields of a record, however deep.
func fieldNames(record reflect.Type) (names []string) {
	switch record.Kind() {
	case reflect.Slice, reflect.Pointer:
		return fieldNames(record.Elem())
	case reflect.Struct:
	default:
		return nil
	}
	if record == reflect.TypeFor[time.Time]() {
		return nil
	}
	for i := range record.NumField() {
		name, _, _ := strings.Cut(record.Field(i).Tag.Get("json"), ",")
		if name != "-" {
			names = slices.Concat(names, []string{name}, fieldNames(record.Field(i).Type))
		}
	}
	return names
}
