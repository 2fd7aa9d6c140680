package database

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestStorable(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{"dir/a file.env", "dir/a file.env"},
		{"日本\x1b\t\ufffd.env", "日本\x1b\t\ufffd.env"},
		{"caf\xe9.env", `"caf\xe9.env"`},
		{"a\x00b", `"a\x00b"`},
		{"\xed\xa0\x80", `"\xed\xa0\x80"`},         // half of a surrogate pair
		{"\xc0\x80", `"\xc0\x80"`},                 // NUL, longer than it has to be
		{"\xf4\x90\x80\x80", `"\xf4\x90\x80\x80"`}, // beyond Unicode
		{"caf\xe9\ufffd", `"caf\xe9` + "\ufffd\""},
		{`"quoted"`, `"\"quoted\""`},
		{`"caf\xe9.env"`, `"\"caf\\xe9.env\""`},
		{`a "quoted" word`, `a "quoted" word`},
	} {
		got := Storable(tt.text)
		if got != tt.want || Original(got) != tt.text {
			t.Errorf("%q is kept as %s, want %s; that is read as %q", tt.text, got, tt.want, Original(got))
		}
	}
	for _, kept := range []string{`"`, `"a`, `"a" b`, "\"a\nb\""} { // of earlier versions
		if got := Original(kept); got != kept {
			t.Errorf("%q is read as %q", kept, got)
		}
	}
}

// FuzzStorable holds that both databases take the text, and that it comes back, redacted.
func FuzzStorable(f *testing.F) {
	for _, s := range []string{"a", "caf\xe9", "a\x00", `"`, `\u0000`, "\xed\xa0\x80", "\ufffd\xff", strings.Repeat("\xff", 100), strings.Repeat("b", 36) + "MMMMM" + strings.Repeat("b", 10) + "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		kept := Storable(text)
		if !utf8.ValidString(kept) || strings.ContainsRune(kept, 0) {
			t.Errorf("%q is kept as %q", text, kept)
		}
		if back := Original(kept); back != Redact(text) {
			t.Errorf("%q comes back as %q", text, back)
		}
		type record struct {
			Text string
			List []*record
		}
		r := record{text, []*record{{Text: text}}}
		raw, err := MarshalRecord(&r)
		escapes := strings.ReplaceAll(string(raw), `\\`, "") // without those of backslashes
		if err != nil || strings.Contains(escapes, `\u0000`) {
			t.Fatalf("%q is kept as %s: %v", text, raw, err)
		}
		var back record
		if err := UnmarshalRecord(raw, &back); err != nil || back.Text != Redact(text) || back.List[0].Text != back.Text {
			t.Errorf("%q comes back as %+v: %v", text, back, err)
		}
	})
}

// TestTextEdge holds that no statement of a sweep goes around Exec, QueryRow and EachRow:
// text that is bound or read elsewhere would be neither redacted nor storable. schema.go
// binds none, and riverqueue has the statements of others about their own tables.
func TestTextEdge(t *testing.T) {
	direct := regexp.MustCompile(`\.(Exec|Query|QueryRow|Prepare)(Context)?\([^)]`) // url.URL.Query takes nothing
	found, files := map[string]int{}, 0
	err := filepath.WalkDir("..", func(file string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") || strings.Contains(file, "riverqueue") {
			return err
		}
		files++
		text, err := os.ReadFile(file)
		for _, ours := range []string{"database.Exec(", "database.QueryRow("} {
			text = bytes.ReplaceAll(text, []byte(ours), nil)
		}
		if n := len(direct.FindAll(text, -1)); n > 0 {
			found[filepath.ToSlash(file)] = n
		}
		return err
	})
	if err != nil || files < 20 {
		t.Fatalf("%d files, %v", files, err)
	}
	if found["../database/text.go"] != 3 {
		t.Errorf("text.go has %d statements, want those of Exec, QueryRow and EachRow", found["../database/text.go"])
	}
	delete(found, "../database/text.go")
	delete(found, "../database/schema.go")
	for file, n := range found {
		t.Errorf("%s: %d statements", file, n)
	}
}
