// Package settings reads what an operator would otherwise type with each command of a
// response: from the environment, and from a file of the operator's own. It never reads the
// configuration of a scanned project, since a stranger may have written that.
package settings

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"unicode"

	"github.com/stanch-dev/stanch/detectors/rules"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/project"
	"github.com/stanch-dev/stanch/scanner/textfile"
)

// Environment variables, each of which comes before the file.
const (
	RoleVariable       = "STANCH_ROLE"
	ExternalIDVariable = "STANCH_EXTERNAL_ID"
	AccountsVariable   = "STANCH_ACCOUNTS" // separated by commas or, as in "stanch ci", by newlines
	BreakGlassVariable = "STANCH_BREAK_GLASS"
)

// A Value is a setting and the place that it is from, for errors: the name of a variable, or
// the key and the file. It is empty if nothing gives it.
type Value struct{ Text, From string }

// Settings are the defaults of flags.
type Settings struct {
	Role, ExternalID Value
	// Profile is of the file alone. It is empty if the environment names an identity, which
	// the AWS SDK reads by itself.
	Profile             Value
	BreakGlass, Journal Value // files
	Accounts            []string
	AccountsFrom        string
}

// file is the table of the operator's file.
type file struct {
	Respond struct {
		Role       string   `toml:"role"`
		ExternalID string   `toml:"external_id"`
		Accounts   []string `toml:"accounts"`
		BreakGlass string   `toml:"break_glass"`
		Profile    string   `toml:"profile"`
		Journal    string   `toml:"journal"`
	} `toml:"respond"`
}

// Read reads the environment and, if it is there, the operator's file. getenv is os.Getenv,
// but in tests.
func Read(getenv func(string) string) (Settings, error) {
	var in file
	name, err := File()
	if err == nil { // otherwise nobody can have put a file there
		if in, err = read(name); err != nil {
			return Settings{}, err
		}
	}
	of := func(key, text string) Value {
		if text == "" {
			return Value{}
		}
		return Value{text, key + " in " + name}
	}
	beside := func(key, path string) Value {
		if path != "" {
			path = project.Beside(name, path)
		}
		return of(key, path)
	}
	r := in.Respond
	s := Settings{
		Role:       cmp.Or(variable(getenv, RoleVariable), of("role", r.Role)),
		ExternalID: cmp.Or(variable(getenv, ExternalIDVariable), of("external_id", r.ExternalID)),
		BreakGlass: cmp.Or(variable(getenv, BreakGlassVariable), beside("break_glass", r.BreakGlass)),
		Journal:    beside("journal", r.Journal),
	}
	if cmp.Or(getenv("AWS_PROFILE"), getenv("AWS_DEFAULT_PROFILE"), getenv("AWS_ACCESS_KEY_ID")) == "" {
		s.Profile = of("profile", r.Profile)
	}
	if list := getenv(AccountsVariable); list != "" {
		s.AccountsFrom = AccountsVariable
		s.Accounts = strings.FieldsFunc(list, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
	} else if len(r.Accounts) > 0 {
		s.Accounts, s.AccountsFrom = r.Accounts, "accounts in "+name
	}
	return s, nil
}

// File returns the name of the operator's file, which need not exist. It is an error if the
// user has no folder for configuration, as in some containers.
func File() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "stanch", project.OwnConfig), nil
}

func variable(getenv func(string) string, name string) Value {
	if text := getenv(name); text != "" {
		return Value{text, name}
	}
	return Value{}
}

// read reads the operator's file; the zero file if there is none. Whoever may write it
// chooses the role that stanch assumes, so it must be the user alone.
func read(name string) (in file, err error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return in, nil
	case err != nil:
		return in, err
	case !info.Mode().IsRegular():
		return in, fmt.Errorf("%s: it is not a regular file", name)
	case isOthers(info):
		return in, fmt.Errorf("%s: it is a file of another user, who may write it, and it names the role that changes keys: chown it, or remove it", name)
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0: // Windows has no such modes
		return in, fmt.Errorf("%s: others may write it (mode %#o), and it names the role that changes keys: chmod go-w %s", name, info.Mode().Perm(), printable.ShellWord(name))
	}
	data, err := os.ReadFile(name)
	if err == nil {
		data, err = textfile.UTF8(data)
	}
	if err != nil {
		return in, fmt.Errorf("%s: %w", name, err)
	}
	return in, rules.DecodeStrict(name, data, &in)
}
