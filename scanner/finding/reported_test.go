package finding

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
)

// secretsIn returns the names of the fields of v, however deep, that have a secret.
func secretsIn(v reflect.Value, name string) (found []string) {
	if v.CanInterface() {
		if s, ok := v.Interface().(detectors.Secret); ok {
			if !s.IsZero() {
				found = append(found, name)
			}
			return found
		}
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return secretsIn(v.Elem(), name)
		}
	case reflect.Slice:
		for i := range v.Len() {
			found = append(found, secretsIn(v.Index(i), name)...)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			found = append(found, secretsIn(v.Field(i), name+"."+v.Type().Field(i).Name)...)
		}
	}
	return found
}

// fillSecrets gives each secret in v, however deep, the same text.
func fillSecrets(v reflect.Value) {
	if s, ok := v.Addr().Interface().(*detectors.Secret); ok {
		*s = detectors.NewSecret("opensesame")
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillSecrets(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fillSecrets(v.Index(0))
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fillSecrets(v.Field(i))
			}
		}
	}
}

// TestReportedHoldsNoSecret: whatever a finding holds, a report of it holds no secret, and
// neither does its JSON.
func TestReportedHoldsNoSecret(t *testing.T) {
	var f Finding
	fillSecrets(reflect.ValueOf(&f).Elem())
	if all := secretsIn(reflect.ValueOf(f), ""); len(all) < 6 {
		t.Fatalf("only these are filled: %q", all)
	}
	if left := secretsIn(reflect.ValueOf(f.Reported()), ""); left != nil {
		t.Errorf("a report has the secrets in %q", left)
	}
	if b, err := json.Marshal(f); err != nil || strings.Contains(string(b), "opensesame") {
		t.Errorf("JSON: %s, %v", b, err)
	}
}
