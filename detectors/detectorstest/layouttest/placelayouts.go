package layouttest

import (
	"fmt"
	"strings"
)

// Layouts that say by a place which value has which name: the columns of an INSERT, the
// arguments of a call, a question and its answer. In others, much stands between a name and
// its value.

// lineBreaks breaks text into lines of a few words, each after indent.
func (f *file) lineBreaks(text, indent string) string {
	words := strings.Fields(text)
	var lines []string
	for len(words) > 0 {
		n := min(len(words), 4+f.IntN(6))
		lines = append(lines, strings.Join(words[:n], " "))
		words = words[n:]
	}
	return strings.Join(lines, "\n"+indent)
}

// sqlValue quotes a value unless it is a number.
func sqlValue(s string) string {
	if strings.Trim(s, "0123456789") == "" {
		return s
	}
	return "'" + s + "'"
}

// insert writes an INSERT, on one line or with a line for each column.
func (f *file) insert(table string, columns []string, rows [][]string) {
	if len(rows) == 1 && f.oneIn(2) {
		f.printf("INSERT INTO %s (\n  %s\n) VALUES (\n  %s\n);\n", table, strings.Join(columns, ",\n  "), strings.Join(rows[0], ",\n  "))
		return
	}
	var tuples []string
	for _, r := range rows {
		tuples = append(tuples, "("+strings.Join(r, ", ")+")")
	}
	f.printf("%s%s (%s)%s%s%s;\n", pick(f, "INSERT INTO ", "insert into ", "REPLACE INTO "), table, strings.Join(columns, ", "), pick(f, " VALUES ", "\nVALUES\n  ", " values "), strings.Join(tuples, pick(f, ", ", ",\n  ")), pick(f, "", " ON CONFLICT DO NOTHING"))
}

// statement is a layout of code that writes a statement for each field, in one of formats. In
// these are {name}, {value} and {about}.
func statement(name, path string, spell []spelling, formats ...string) Layout {
	return Layout{Name: name, Kind: "places", path: path, spell: spell, flat: func(f *file, fields []field) {
		format := pick(f, formats...)
		for _, x := range fields {
			if x.about == "" {
				x.about = f.words(3)
			}
			f.printf("%s\n", strings.NewReplacer("{name}", x.name, "{value}", x.value, "{about}", x.about).Replace(format))
		}
	}}
}

func sqlPlaces() []Layout {
	return []Layout{
		{Name: "SQL, columns by place", Kind: "places", path: "seed.sql", spell: []spelling{upperSnake, lowerSnake}, flat: func(f *file, fields []field) {
			columns, row := []string{"id"}, []string{fmt.Sprint(f.IntN(100))}
			for _, x := range fields {
				columns, row = append(columns, x.name), append(row, sqlValue(x.value))
			}
			f.insert("settings", columns, [][]string{row})
		}},
		{Name: "SQL, accounts by place", Kind: "places", path: "accounts.sql", spell: []spelling{lowerSnake}, sections: func(f *file, sections []section) {
			header, r := accountRows(sections)
			for i, row := range r {
				for j, cell := range row {
					r[i][j] = sqlValue(cell)
				}
			}
			f.insert("accounts", header, r)
		}},
		{Name: "SQL, value before name", Kind: "places", path: "seed.sql", spell: []spelling{upperSnake, lowerSnake}, flat: func(f *file, fields []field) {
			var r [][]string
			for _, x := range fields {
				r = append(r, []string{sqlValue(x.value), sqlValue(x.name)})
			}
			f.insert("settings", []string{"value", "name"}, r)
		}},
		{Name: "PostgreSQL COPY", Kind: "places", path: "dump.sql", spell: []spelling{lowerSnake}, sections: func(f *file, sections []section) {
			header, r := accountRows(sections)
			f.printf("COPY public.accounts (%s) FROM stdin;\n", strings.Join(header, ", "))
			for _, row := range r {
				f.printf("%s\n", strings.Join(row, "\t"))
			}
			f.printf("\\.\n")
		}},
		statement("SQL UPDATE", "migrate.sql", []spelling{upperSnake, lowerSnake}, "UPDATE settings SET value = '{value}' WHERE name = '{name}';", "update settings set value='{value}' where name='{name}';",
			"UPDATE settings\nSET value = '{value}'\nWHERE name = '{name}';", "UPDATE wp_options SET option_value = '{value}', autoload = 'no' WHERE option_name = '{name}';", "UPDATE [settings] SET [value] = N'{value}' WHERE [key] = N'{name}'"),
	}
}

func places() []Layout {
	return append(sqlPlaces(),
		hadoopLayout(), constructors(),
		statement("Python default of a call", "settings.py", env, "X = config('{name}', default='{value}')", "X = config(\n    '{name}',\n    default='{value}',\n)", "X = env.str(\"{name}\", default=\"{value}\")"),
		statement("argparse", "cli.py", []spelling{kebab}, "parser.add_argument('--{name}', help='{about}', default='{value}')", "parser.add_argument(\n    '--{name}',\n    type=str,\n    help='{about}',\n    default='{value}',\n)",
			"parser.add_argument('--{name}',\n                    help='{about}',\n                    default='{value}')", "@click.option(\n    \"--{name}\",\n    default=\"{value}\",\n    help=\"{about}\",\n)"),
		statement("C# properties", "Settings.cs", []spelling{pascal}, "    public string {name} { get; set; } = \"{value}\";", "    public static string? {name} { get; private set; } = \"{value}\";", "    public string {name} { get; } = @\"{value}\";"),
		statement("YAML, folded", "config.yml", []spelling{upperSnake, lowerSnake, camel, kebab}, "{name}: >-\n  {value}", "{name}: |\n  {value}", "{name}: >\n    {value}"),
		Layout{Name: "YAML, folded and nested", Kind: "places", path: "config.yml", names: nestedNames, sections: func(f *file, sections []section) {
			f.printf("aws:\n")
			for _, s := range sections {
				f.printf("  %s:\n", s.label)
				for _, x := range s.fields {
					f.printf("    %s: %s\n      %s\n", x.name, pick(f, ">-", "|", "|-"), x.value)
				}
			}
		}},
		statement("expect", "login.exp", []spelling{title}, "expect \"{name}\"\nsend \"{value}\\r\"", "expect \"{name}*:\"\nsend -- \"{value}\\r\"", "child.expect('{name}')\nchild.sendline('{value}')"),
		statement("XML, CDATA", "config.xml", []spelling{camel, pascal, kebab, dots}, "  <{name}><![CDATA[{value}]]></{name}>", "  <{name}>\n    <![CDATA[{value}]]>\n  </{name}>", "  <entry key=\"{name}\"><![CDATA[{value}]]></entry>"),
		Layout{Name: "page with invisible characters", Kind: "places", path: "page.html", spell: []spelling{title}, unnamed: true, flat: func(f *file, fields []field) {
			invisible := pick(f, "\u200b", "\u200e", "\u00ad", "&shy;", "&#8203;", "&ZeroWidthSpace;", "<wbr>")
			every := pick(f, 1, 8, 10)
			for _, x := range fields {
				f.printf("<p>%s: %s</p>\n", x.name, breakable(x.value, invisible, every))
			}
		}},
	)
}

func hadoopLayout() Layout {
	return Layout{Name: "Hadoop, long descriptions", Kind: "places", path: "core-site.xml", spell: []spelling{dots, kebab}, flat: func(f *file, fields []field) {
		indent := pick(f, "", "  ", "    ")
		inner := indent + pick(f, "", "  ", "\t")
		further := pick(f, "", inner, inner+"  ")
		f.printf("<configuration>\n")
		for _, x := range fields {
			about := x.about
			if about == "" {
				about = f.words(12)
			}
			open, end := "", ""
			if f.oneIn(3) {
				open, end = "\n"+further, "\n"+inner
			}
			f.printf("%s<property>\n%s<name>%s</name>\n%s<description>%s%s%s</description>\n%s<value>%s</value>\n%s</property>\n",
				indent, inner, x.name, inner, open, f.lineBreaks(about, further), end, inner, x.value, indent)
		}
		f.printf("</configuration>\n")
	}}
}

func constructors() Layout {
	calls := [][2]string{ // in which an argument is missing, and with both
		{"new BasicAWSCredentials(System.getenv(\"%s\"), \"%s\");", "new BasicAWSCredentials(\"%s\", \"%s\");"},
		{"Aws::Credentials.new(ENV['%s'], '%s')", "Aws::Credentials.new('%s', '%s')"},
		{"AwsBasicCredentials.create(\n    System.getenv(\"%s\"),\n    \"%s\")", "AwsBasicCredentials.create(\n    \"%s\",\n    \"%s\")"},
		{"new AWS.Credentials(process.env.%s, '%s')", "new AWS.Credentials('%s', '%s')"},
	}
	return Layout{Name: "constructors", Kind: "places", path: "Keys.java", names: []names{{"aws access key id", "aws secret access key", true}}, sections: func(f *file, sections []section) {
		call := pick(f, calls...)
		for i, k := range f.keys {
			for _, x := range f.otherFields(camel, f.IntN(2)) {
				f.printf("String %s = \"%s\";\n", x.name, x.value)
			}
			if f.shape == Secret {
				f.printf(call[0]+"\n", "KEY_"+strings.ToUpper(sections[i].label), k.Secret)
			} else {
				f.printf(call[1]+"\n", k.ID, k.Secret)
			}
		}
	}}
}

// breakable returns s with separator behind every n characters.
func breakable(s, separator string, n int) string {
	var b strings.Builder
	for i, c := range []byte(s) {
		b.WriteByte(c)
		if i%n == n-1 {
			b.WriteString(separator)
		}
	}
	return b.String()
}
