package settings

import (
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

const whole = `[respond]
role = "stanch-respond"
external_id = "example"
accounts = ["111122223333", "222233334444"]
break_glass = "keep.txt"
profile = "security"
journal = "/var/journal.jsonl"
`

// write writes the operator's file and returns its name.
func write(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "AppData"} { // of any system
		t.Setenv(name, dir)
	}
	name, err := File()
	if err == nil {
		err = os.MkdirAll(filepath.Dir(name), 0o700)
	}
	if err == nil {
		err = os.WriteFile(name, []byte(text), 0o600)
	}
	if err == nil {
		err = os.Chmod(name, mode)
	}
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func env(of map[string]string) func(string) string {
	return func(name string) string { return of[name] }
}

// TestRead: the environment comes before the file, value by value.
func TestRead(t *testing.T) {
	name := write(t, whole, 0o600)
	file := func(key, text string) Value { return Value{text, key + " in " + name} }
	all := Settings{
		Role: file("role", "stanch-respond"), ExternalID: file("external_id", "example"), Profile: file("profile", "security"),
		BreakGlass: file("break_glass", filepath.Join(filepath.Dir(name), "keep.txt")), Journal: file("journal", "/var/journal.jsonl"),
		Accounts: []string{"111122223333", "222233334444"}, AccountsFrom: "accounts in " + name,
	}
	for _, tt := range []struct {
		name   string
		env    map[string]string
		change func(*Settings)
	}{
		{"nothing in the environment", nil, func(*Settings) {}},
		{"role", map[string]string{RoleVariable: "r"}, func(s *Settings) { s.Role = Value{"r", RoleVariable} }},
		{"external id", map[string]string{ExternalIDVariable: "x"}, func(s *Settings) { s.ExternalID = Value{"x", ExternalIDVariable} }},
		{"break-glass", map[string]string{BreakGlassVariable: "b"}, func(s *Settings) { s.BreakGlass = Value{"b", BreakGlassVariable} }},
		{"accounts", map[string]string{AccountsVariable: "333344445555, 444455556666\n"}, func(s *Settings) {
			s.Accounts, s.AccountsFrom = []string{"333344445555", "444455556666"}, AccountsVariable
		}},
		{"a profile", map[string]string{"AWS_PROFILE": "p"}, func(s *Settings) { s.Profile = Value{} }},
		{"a key", map[string]string{"AWS_ACCESS_KEY_ID": "AKIA"}, func(s *Settings) { s.Profile = Value{} }},
	} {
		want := all
		tt.change(&want)
		if got, err := Read(env(tt.env)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%+v, %v, want\n%+v", tt.name, got, err, want)
		}
	}
}

// TestReadNoFile: the environment does without a file.
func TestReadNoFile(t *testing.T) {
	if err := os.Remove(write(t, "", 0o600)); err != nil {
		t.Fatal(err)
	}
	if got, err := Read(env(map[string]string{RoleVariable: "r"})); err != nil || got.Role.Text != "r" {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestRefusedFile: a file that is not understood as a whole counts for nothing, and neither
// does one that others may have written.
func TestRefusedFile(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		mode       os.FileMode
		want       string
	}{
		{"unknown key", "[respond]\nroles = 'x'\n", 0o600, "line 2: respond.roles: unknown key"},
		{"another table", "[[rules]]\nid = 'x'\n", 0o600, "rules"},
		{"a number", "[respond]\naccounts = [111122223333]\n", 0o600, "line 2: respond.accounts: a text in quotes has to stand here, and not a value of type integer"},
		{"a text for a list", "[respond]\naccounts = '111122223333'\n", 0o600, `line 2: respond.accounts: a list has to stand here, such as ["a", "b"], and not a value of type string`},
		{"no TOML", "role: x\n", 0o600, "line 1"},
		{"UTF-16", "\xff\xfe[\x00", 0o600, "UTF-16"},
		{"of a group", whole, 0o660, "others may write it (mode 0660)"},
		{"of the world", whole, 0o602, "chmod go-w"},
	} {
		if runtime.GOOS == "windows" && tt.mode != 0o600 {
			continue
		}
		name := write(t, tt.text, tt.mode)
		if _, err := Read(env(nil)); err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
}

// TestForeignFile: the owner of a file may write it, whatever its mode says.
func TestForeignFile(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files to others")
	}
	name := write(t, whole, 0o600)
	if err := os.Chown(name, 12345, -1); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(env(nil)); err == nil || !strings.Contains(err.Error(), name+": it is a file of another user") {
		t.Error(err)
	}
}
