package advice

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/verifier/response"
)

// fieldIndent is where the text of a field begins.
const fieldIndent = "            "

// about begins the part about a key.
func (p *Page) about(word string, k response.Key) {
	p.rows("", "    ", fmt.Sprintf("%s  %s  %s of account %s", word, k.KeyID, Principal(k), k.Account))
}

// field writes a sentence after its label. It may quote strangers.
func (p *Page) field(label, text string) { p.rows(fmt.Sprintf("  %-9s ", label), fieldIndent, text) }

// do writes a task: a sentence, a command, or a sentence that ends in a command. No stranger has a
// say in it, since a row of its own may be pasted.
func (p *Page) do(text string) {
	words, command := cutCommand(text)
	p.ending(fmt.Sprintf("  %-9s ", "do"), fieldIndent, words, command)
}

// cutCommand cuts text before the command that it ends in, as in "Make a new one: stanch respond
// plan KEY", or that it is.
func cutCommand(text string) (words, command string) {
	for _, program := range []string{"stanch ", "aws ", "git "} {
		if strings.HasPrefix(text, program) {
			return "", text
		}
		if at := strings.Index(text, ": "+program); at >= 0 {
			return text[:at+1], text[at+2:]
		}
	}
	return text, ""
}

// tasks writes each task with its commands below.
func (p *Page) tasks(list []task) {
	for _, t := range list {
		p.field("next", t.text)
		p.commands(t.commands)
	}
}

// commands writes each command on a row of its own, after its name.
func (p *Page) commands(list [][2]string) {
	for _, c := range list {
		fmt.Fprintf(&p.text, "  %-9s   %s\n", c[0], oneLine(c[1]))
	}
}

// next writes a command that comes next, below its purpose.
func (p *Page) next(purpose, command string) {
	p.rows("", "", purpose+":")
	fmt.Fprintf(&p.text, "  %s\n", oneLine(command))
}

// ending writes words, and after them whole, a command or a path, which stays in one piece: on a
// row of its own if the words leave no room. A page without a width has room.
func (p *Page) ending(label, indent, words, whole string) {
	text := strings.TrimSpace(words + " " + whole)
	if whole == "" || words != "" && p.Width > 0 && utf8.RuneCountInString(label+oneLine(text)) > p.Width {
		p.rows(label, indent, words)
		label, text = indent+"  ", whole
	}
	if whole != "" {
		fmt.Fprintf(&p.text, "%s%s\n", label, oneLine(text))
	}
}

// rows writes text, wrapped, after label. Other rows begin with indent.
func (p *Page) rows(label, indent, text string) {
	for _, row := range printable.Wrap(oneLine(text), p.Width-len(indent)) {
		p.text.WriteString(label + row + "\n")
		label = indent
	}
}

// flush writes the page.
func (p *Page) flush() error {
	_, err := io.WriteString(p.W, p.text.String())
	p.text.Reset()
	return err
}

// oneLine returns s as a part of a line: a path, a name in CloudTrail or a text of AWS cannot
// write a line of its own, which somebody might take for a command.
func oneLine(s string) string { return strings.ReplaceAll(printable.Text(s), "\n", "; ") }
