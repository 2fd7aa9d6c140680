package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors/rules"
	"github.com/stanch-dev/stanch/scanner/project"
)

// sampleLine is a line of "stanch init" that can be used by taking the first character away.
var sampleLine = regexp.MustCompile(`(?m)^#([^ \n])`)

// TestNewConfig holds that the file of "stanch init" says nothing, that docs/configuration.md
// has it with its samples in use, and that each sample can be used by itself.
func TestNewConfig(t *testing.T) {
	read := func(name, text string) *rules.Own {
		t.Helper()
		own, err := rules.ReadOwn(name, []byte(text), time.UTC)
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		return own
	}
	text := project.NewConfig
	if own := read("as it is", text); len(own.Rules)+len(own.Allow)+len(own.Unread) > 0 {
		t.Errorf("it is not empty: %+v", own)
	}
	used := sampleLine.ReplaceAllString(text, "$1")
	if own := read("with all samples", used); len(own.Rules) != 1 || len(own.Allow) != 1 || len(own.Unread) != 1 {
		t.Errorf("not all samples are in use: %+v", own)
	}
	if page := readPage(t, "docs/configuration.md"); !strings.Contains(page, "```toml\n"+used+"```\n") {
		t.Errorf("docs/configuration.md has another sample than stanch init; it should be\n%s", used)
	}
	// A table needs these lines, so they are in use with each of its others.
	needed := map[string][]string{"[[rules]]": {"id", "regex"}, "[[allow]]": {"reason", "paths"}, "[[unread]]": {"reason", "paths"}}
	tried := 0
	for _, table := range strings.Split(used, "\n\n") {
		var header, base string
		var others []string
		for line := range strings.Lines(table) {
			key, _, _ := strings.Cut(line, " ")
			switch key = strings.TrimSpace(key); {
			case key == "" || key[0] == '#':
			case key[0] == '[':
				header, base = key, line
			case slices.Contains(needed[header], key):
				base += strings.TrimRight(line, "\n") + "\n"
			default:
				others = append(others, line)
			}
		}
		for _, line := range others {
			read(line, base+line)
			tried++
		}
	}
	if want := strings.Count(used, " = ") - 6; tried != want {
		t.Errorf("%d samples were tried by themselves, want %d", tried, want)
	}
}
