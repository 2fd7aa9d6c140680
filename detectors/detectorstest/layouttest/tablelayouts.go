package layouttest

import (
	"fmt"
	"strings"
)

// Layouts with rows and columns, and those of XML.

var tableSpelling = []spelling{title, upperSnake, lowerSnake, camel}

// rows returns fields as rows: a name, a value and, in the third column, a description.
func rows(fields []field, columns int) [][]string {
	var r [][]string
	for _, x := range fields {
		about := x.about
		if about == "" {
			about = "-"
		}
		r = append(r, []string{x.name, x.value, about}[:columns])
	}
	return r
}

// accountRows returns a header and a row for each account.
func accountRows(sections []section) (header []string, r [][]string) {
	header = []string{"Account"}
	var extra int
	for i, s := range sections {
		if i == 0 {
			for _, x := range s.fields {
				header = append(header, x.name)
			}
			extra = len(s.fields)
		}
		row := []string{s.label}
		for _, name := range header[1 : extra+1] {
			value := "x"
			for _, x := range s.fields {
				if x.name == name {
					value = x.value
				}
			}
			row = append(row, value)
		}
		r = append(r, row)
	}
	return header, r
}

func widths(header []string, rows [][]string) []int {
	w := make([]int, len(header))
	for _, r := range append([][]string{header}, rows...) {
		for i, c := range r {
			w[i] = max(w[i], len(c))
		}
	}
	return w
}

func (f *file) markdown(header []string, rows [][]string) {
	code, aligned := f.oneIn(2), f.oneIn(2)
	if code {
		for _, r := range rows {
			for i := range r[1:] {
				r[i+1] = "`" + r[i+1] + "`"
			}
		}
	}
	w := widths(header, rows)
	line := func(cells []string) {
		for i, c := range cells {
			if aligned {
				c = fmt.Sprintf("%-*s", w[i], c)
			}
			f.printf("| %s ", c)
		}
		f.printf("|\n")
	}
	f.printf("# %s\n\n%s\n\n", f.word(), f.words(12))
	line(header)
	f.printf("%s|\n", strings.Repeat("|---", len(header)))
	for _, r := range rows {
		line(r)
	}
}

// border writes a line such as +-----+---+.
func (f *file) border(w []int, with string) {
	for _, n := range w {
		f.printf("+%s", strings.Repeat(with, n+2))
	}
	f.printf("+\n")
}

func (f *file) grid(header []string, rows [][]string) {
	w := widths(header, rows)
	line := func(cells []string) {
		for i, c := range cells {
			f.printf("| %-*s ", w[i], c)
		}
		f.printf("|\n")
	}
	f.border(w, "-")
	line(header)
	f.border(w, pick(f, "=", "-"))
	for _, r := range rows {
		line(r)
		f.border(w, "-")
	}
}

func (f *file) csv(rows [][]string) {
	separator, quote := pick(f, ",", ",", ";", "\t"), pick(f, "", `"`)
	for _, r := range rows {
		for i, c := range r {
			if i > 0 {
				f.printf("%s", separator)
			}
			f.printf("%s%s%s", quote, c, quote)
		}
		f.printf("\n")
	}
}

func tables() []Layout {
	return []Layout{
		{Name: "CSV, name and value", Kind: "tables", path: "settings.csv", spell: tableSpelling, flat: func(f *file, fields []field) {
			r := rows(fields, 2)
			if f.oneIn(2) {
				r = append([][]string{{pick(f, "name", "key", "parameter"), "value"}}, r...)
			}
			f.csv(r)
		}},
		{Name: "CSV, name, value and description", Kind: "tables", path: "settings.csv", spell: tableSpelling, flat: func(f *file, fields []field) {
			f.csv(append([][]string{{"name", "value", "description"}}, rows(fields, 3)...))
		}},
		{Name: "CSV, a row for each account", Kind: "tables", path: "keys.csv", spell: tableSpelling, sections: func(f *file, sections []section) {
			header, r := accountRows(sections)
			f.csv(append([][]string{header}, r...))
		}},
		{Name: "Markdown table, two columns", Kind: "tables", path: "README.md", spell: tableSpelling, flat: func(f *file, fields []field) {
			f.markdown([]string{pick(f, "Name", "Variable"), "Value"}, rows(fields, 2))
		}},
		{Name: "Markdown table, three columns", Kind: "tables", path: "README.md", spell: tableSpelling, flat: func(f *file, fields []field) {
			f.markdown([]string{"Name", "Value", "Description"}, rows(fields, 3))
		}},
		{Name: "Markdown table, description first", Kind: "tables", path: "README.md", spell: tableSpelling, flat: func(f *file, fields []field) {
			r := rows(fields, 3)
			for i := range r {
				r[i][1], r[i][2] = r[i][2], r[i][1]
			}
			f.markdown([]string{"Name", "Description", "Default"}, r)
		}},
		{Name: "Markdown table, a row for each account", Kind: "tables", path: "README.md", spell: tableSpelling, sections: func(f *file, sections []section) {
			f.markdown(accountRows(sections))
		}},
		{Name: "reStructuredText grid", Kind: "tables", path: "index.rst", spell: tableSpelling, flat: func(f *file, fields []field) {
			f.grid([]string{"Name", "Value"}, rows(fields, 2))
		}},
		{Name: "reStructuredText simple table", Kind: "tables", path: "index.rst", spell: tableSpelling, flat: func(f *file, fields []field) {
			header, r := []string{"Name", "Value", "Description"}, rows(fields, 3)
			w := widths(header, r)
			rule := func() {
				f.printf("%s  %s  %s\n", strings.Repeat("=", w[0]), strings.Repeat("=", w[1]), strings.Repeat("=", w[2]))
			}
			rule()
			for i, c := range append([][]string{header}, r...) {
				if i == 1 {
					rule()
				}
				f.printf("%-*s  %-*s  %s\n", w[0], c[0], w[1], c[1], c[2])
			}
			rule()
		}},
		{Name: "AsciiDoc table", Kind: "tables", path: "index.adoc", spell: tableSpelling, flat: func(f *file, fields []field) {
			oneLine := f.oneIn(2)
			f.printf("[cols=\"1,1\"]\n|===\n|Name |Value\n\n")
			for _, x := range fields {
				if oneLine {
					f.printf("|%s |%s\n", x.name, x.value)
				} else {
					f.printf("|%s\n|%s\n\n", x.name, x.value)
				}
			}
			f.printf("|===\n")
		}},
		{Name: "HTML table", Kind: "tables", path: "index.html", spell: tableSpelling, flat: func(f *file, fields []field) {
			newline := pick(f, "", "\n  ")
			f.printf("<table>\n")
			for _, x := range fields {
				f.printf("<tr>%s<td>%s</td>%s<td>%s</td>%s</tr>\n", newline, x.name, newline, pick(f, x.value, "<code>"+x.value+"</code>"), newline)
			}
			f.printf("</table>\n")
		}},
		{Name: "aws --output table", Kind: "tables", path: "out.txt", spell: []spelling{pascal}, names: []names{{"access key id", "secret access key", false}, {"aws access key id", "aws secret access key", true}},
			flat: func(f *file, fields []field) { f.grid([]string{"Name", "Value"}, rows(fields, 2)) }},
	}
}

func xmlFiles() []Layout {
	return []Layout{
		{Name: "plist", Kind: "XML", path: "Info.plist", spell: []spelling{pascal, camel, upperSnake}, flat: func(f *file, fields []field) {
			f.printf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\">\n<dict>\n")
			pad := pick(f, "\t", "  ", "")
			for _, x := range fields {
				f.printf("%s<key>%s</key>\n%s<string>%s</string>\n", pad, x.name, pad, x.value)
			}
			f.printf("</dict>\n</plist>\n")
		}},
		{Name: "Spring XML properties", Kind: "XML", path: "beans.xml", unnamed: true, names: []names{{"access key", "secret key", false}, {"access key id", "secret access key", false}}, spell: []spelling{camel},
			sections: springBeans},
		{Name: ".NET app settings", Kind: "XML", path: "Web.config", spell: []spelling{pascal, upperSnake, dotNet}, flat: func(f *file, fields []field) {
			f.printf("<configuration>\n  <appSettings>\n")
			for _, x := range fields {
				f.printf("    <add key=\"%s\" value=\"%s\" />\n", x.name, x.value)
			}
			f.printf("  </appSettings>\n</configuration>\n")
		}},
		{Name: ".NET settings designer", Kind: "XML", path: "app.config", spell: []spelling{pascal}, flat: func(f *file, fields []field) {
			for _, x := range fields {
				f.printf("            <setting name=\"%s\" serializeAs=\"String\">\n                <value>%s</value>\n            </setting>\n", x.name, x.value)
			}
		}},
		{Name: "Hadoop properties", Kind: "XML", path: "core-site.xml", spell: []spelling{dots}, flat: hadoopProperties},
		{Name: "XML elements", Kind: "XML", path: "settings.xml", spell: []spelling{camel, pascal, lowerSnake, kebab}, flat: func(f *file, fields []field) {
			f.printf("<settings>\n")
			for _, x := range fields {
				f.printf("  <%s>%s</%s>\n", x.name, x.value, x.name)
			}
			f.printf("</settings>\n")
		}},
		{Name: "Android strings", Kind: "XML", path: "strings.xml", spell: []spelling{lowerSnake}, flat: func(f *file, fields []field) {
			f.printf("<resources>\n")
			for _, x := range fields {
				f.printf("    <string name=\"%s\"%s>%s</string>\n", x.name, pick(f, "", ` translatable="false"`), x.value)
			}
			f.printf("</resources>\n")
		}},
	}
}

func springBeans(f *file, sections []section) {
	f.printf("<beans>\n")
	valued := f.oneIn(2)
	for _, s := range sections {
		f.printf("  <bean id=\"%sCredentials\" class=\"com.example.%s\">\n", s.label, pascal(f.word()))
		for _, x := range s.fields {
			if valued {
				f.printf("    <property name=\"%s\" value=\"%s\"/>\n", x.name, x.value)
			} else {
				f.printf("    <property name=\"%s\">\n      <value>%s</value>\n    </property>\n", x.name, x.value)
			}
		}
		f.printf("  </bean>\n")
	}
	f.printf("</beans>\n")
}

func hadoopProperties(f *file, fields []field) {
	f.printf("<configuration>\n")
	for _, x := range fields {
		f.printf("  <property>\n    <name>fs.%s</name>\n    <value>%s</value>\n", x.name, x.value)
		if x.about != "" && f.oneIn(2) {
			f.printf("    <description>%s</description>\n", x.about)
		}
		f.printf("  </property>\n")
	}
	f.printf("</configuration>\n")
}

// dotNet spells a name as settings of .NET are: "Aws:SecretKey".
func dotNet(words ...string) string {
	if len(words) < 2 {
		return pascal(words...)
	}
	return pascal(words[0]) + ":" + pascal(words[1:]...)
}
