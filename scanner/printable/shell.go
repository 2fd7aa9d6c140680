package printable

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ShellWord returns s as one word of a shell, and of a line that cannot move the cursor: a
// name with odd characters in the form $'…', which bash, zsh and ksh read.
func ShellWord(s string) string {
	switch {
	case isPlain(s):
		return s
	case utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0:
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var b strings.Builder
	b.WriteString("$'")
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == '\'' || r == '\\':
			b.WriteString(`\` + s[:size])
		case r == utf8.RuneError && size == 1 || !unicode.IsPrint(r):
			for i := range size {
				fmt.Fprintf(&b, `\%03o`, s[i])
			}
		default:
			b.WriteString(s[:size])
		}
		s = s[size:]
	}
	return b.String() + "'"
}

// CommandWord returns s if shells and the AWS CLI read it as it is, else placeholder: a name
// may come from an intruder, and the command is pasted. A word that begins with - is a flag.
// For file://PATH the CLI sends the content of that file.
func CommandWord(s, placeholder string) string {
	if !isPlain(s) || s[0] == '-' || strings.Contains(s, "%") || strings.Contains(s, "://") {
		return placeholder
	}
	return s
}

// isPlain reports whether a shell takes s as it is. A regexp would take time to
// compile at each start.
func isPlain(s string) bool {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./@%+=:,-"
	return s != "" && strings.Trim(s, plain) == ""
}
