package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// Operand returns the first of args, or otherwise if there is none.
func Operand(args []string, otherwise string) string {
	if len(args) > 0 {
		return args[0]
	}
	return otherwise
}

// ReadList reads a file that a flag names, "" for none: a list of names, one a line,
// where "#" begins a comment.
func ReadList(flag, file string) ([]string, error) {
	if file == "" {
		return nil, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	var names []string
	for line := range strings.Lines(string(b)) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			names = append(names, line)
		}
	}
	return slices.Compact(names), nil
}
