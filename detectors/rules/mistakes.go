package rules

import (
	"errors"
	"fmt"
	"reflect"
	"regexp/syntax"
	"slices"
	"strings"
)

// explained adds to err, the error of a regular expression, how it is mended, if the expression
// is of another kind: a glob, or one with parts that Go does not have.
func explained(expression string, err error) error {
	var wrong *syntax.Error
	if !errors.As(err, &wrong) {
		return err
	}
	if strings.HasPrefix(expression, "*") {
		return fmt.Errorf("%w: it is a regular expression, not a glob: for **/x write (^|/)x$, for *.x write \\.x$", err)
	}
	if isPerl(wrong.Expr) {
		return fmt.Errorf("%w: expressions are those of RE2, which has no lookahead, no lookbehind and no backreference", err)
	}
	return err
}

// isPerl reports whether part, which RE2 refuses, is a lookaround, an atomic group or a
// backreference.
func isPerl(part string) bool {
	return slices.ContainsFunc([]string{"(?=", "(?!", "(?<=", "(?<!", "(?>"}, func(s string) bool { return strings.HasPrefix(part, s) }) ||
		len(part) == 2 && part[0] == '\\' && part[1] >= '1' && part[1] <= '9'
}

// atLine returns "line 3: " if text stands in line 3 of data first, as it does if it is in quotes
// without escapes; else "".
func atLine(data []byte, text string) string {
	before, _, ok := strings.Cut(string(data), text)
	if !ok {
		return ""
	}
	return fmt.Sprintf("line %d: ", 1+strings.Count(before, "\n"))
}

// knownKeys says which keys out, the type of a file, has where path leads to a key that it does not
// have: the one that is spelled alike, or all. It is "" if that is not known.
func knownKeys(out reflect.Type, path string) string {
	keys := strings.Split(path, ".")
	for _, key := range keys[:len(keys)-1] {
		field, ok := keysOf(out)[key]
		if !ok {
			return ""
		}
		out = field
	}
	var known []string
	for key := range keysOf(out) {
		known = append(known, key)
	}
	slices.Sort(known)
	last := strings.ToLower(keys[len(keys)-1])
	for _, key := range known {
		if n := min(len(last), len(key), 4); n > 2 && strings.HasPrefix(key, last[:n]) {
			return fmt.Sprintf(": did you mean %q?", key)
		}
	}
	if len(known) == 0 {
		return ""
	}
	return ": the keys here are " + strings.Join(known, ", ")
}

// keysOf returns the keys of a table of type t, with the types of their values.
func keysOf(t reflect.Type) map[string]reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	keys := map[string]reflect.Type{}
	if t.Kind() != reflect.Struct {
		return keys
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			for key, inner := range keysOf(f.Type) {
				keys[key] = inner
			}
		} else if name := f.Tag.Get("toml"); name != "" {
			keys[name] = f.Type
		}
	}
	return keys
}
