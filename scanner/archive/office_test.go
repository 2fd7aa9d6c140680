package archive

import (
	"strings"
	"testing"
)

// TestOfficeText: a word that formats split is put together, in each of the office formats;
// nothing else is.
func TestOfficeText(t *testing.T) {
	const word = `<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>`
	run := func(s string) string {
		return `<w:r w:rsidR="00A1"><w:rPr><w:b/></w:rPr><w:t xml:space="preserve">` + s + `</w:t></w:r>`
	}
	for _, tt := range []struct{ name, data, want string }{
		{"docx", word + `<w:p>` + run("key: ABCDEFGHIJ") + `<w:proofErr w:type="spellStart"/>` + run("KLMNOPQRST") + run(" end") + `</w:p><w:p>` + run("next") + `</w:p></w:body></w:document>`, "key: ABCDEFGHIJKLMNOPQRST end\nnext\n"},
		{"docx_in_three", word + `<w:p>` + run("ABCDEFGHIJ") + run("K") + run("LMNOPQRST") + `</w:p>`, "ABCDEFGHIJKLMNOPQRST\n"},
		{"docx_indented", word + "\n  <w:p>\n    " + run("ABCDEFGHIJ") + "\n    " + run("KLMNOPQRST") + "\n  </w:p>", "ABCDEFGHIJKLMNOPQRST\n"},
		{"docx_break", word + `<w:p>` + run("ABCDEFGHIJ") + `<w:r><w:br/></w:r>` + run("KLMNOPQRST") + `</w:p>`, ""},
		{"docx_cells", word + `<w:tc><w:p>` + run("ABCDEFGHIJ") + `</w:p></w:tc><w:tc><w:p>` + run("KLMNOPQRST") + `</w:p></w:tc>`, ""},
		{"docx_whole", word + `<w:p>` + run("ABCDEFGHIJKLMNOPQRST") + run(" end") + `</w:p>`, ""},
		{"docx_short", word + `<w:p>` + run("ABCDE") + run("FGHIJ") + `</w:p>`, ""},
		{"xlsx", `<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>id</t></si><si><r><t>ABCDEFGHIJ</t></r><r><rPr><b/></rPr><t>KLMNOPQRST</t></r></si></sst>`, "id\nABCDEFGHIJKLMNOPQRST\n"},
		{"xlsx_numbers", `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><row><c><v>1234567890</v></c><c><v>1234567890</v></c></row>`, ""},
		{"pptx", `<p:sld xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><a:p><a:r><a:t>ABCDEFGHIJ</a:t></a:r><a:r><a:rPr lang="en"/><a:t>KLMNOPQRST</a:t></a:r></a:p>`, "ABCDEFGHIJKLMNOPQRST\n"},
		{"odt", `<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"><text:p>ABCDEFGHIJ<text:span text:style-name="T1">KLMNOPQRST</text:span></text:p>`, "ABCDEFGHIJKLMNOPQRST\n"},
		{"html", `<p>ABCDEFGHIJ<b>KLMNOPQRST</b></p>`, ""},
		{"cut_off", word + `<w:p>` + run("ABCDEFGHIJ") + run("KLMNOPQRST") + `<w:`, "ABCDEFGHIJKLMNOPQRST"},
		{"long", word + `<w:p>` + strings.Repeat(run("A"), 100_000), strings.Repeat("A", 100_000)},
	} {
		if got := string(officeText([]byte(tt.data))); got != tt.want {
			t.Errorf("%s: %.100q, want %.100q", tt.name, got, tt.want)
		}
	}
}

// FuzzOfficeText holds that no document breaks it, and that the text is made of the document.
func FuzzOfficeText(f *testing.F) {
	f.Add([]byte(`<a xmlns="urn:oasis:names:tc:opendocument:x"><p>ABCDEFGHIJ<b>KLMNOPQRST</b></p>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		data = append([]byte(`<a xmlns="urn:oasis:names:tc:opendocument:x">`), data...)
		if text := officeText(data); len(text) > len(data) {
			t.Errorf("%q became %q", data, text)
		}
	})
}
