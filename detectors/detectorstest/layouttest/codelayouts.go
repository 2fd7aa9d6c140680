package layouttest

import (
	"fmt"
	"strings"
)

// Layouts of programming languages, and of text that people write.

// lines is a layout that writes a line for each field, in one of formats for a file.
func lines(name, path, before, after string, s []spelling, formats ...string) Layout {
	return Layout{Name: name, Kind: "code", path: path, spell: s, flat: func(f *file, fields []field) {
		f.printf("%s", before)
		format := pick(f, formats...)
		for _, x := range fields {
			if x.about != "" && f.oneIn(5) && strings.HasPrefix(before, "//") {
				f.printf("// %s\n", x.about)
			}
			f.printf(format+"\n", x.name, x.value)
		}
		f.printf("%s", after)
	}}
}

func code() []Layout {
	return []Layout{
		lines("Perl environment", "deploy.pl", "#!/usr/bin/perl\nuse strict;\n", "", env, "$ENV{%s} = '%s';", "$ENV{%s} = \"%s\";", "$ENV{'%s'} = '%s';", "$ENV{%s} ||= '%s';"),
		lines("Ruby default", "config.rb", "require 'aws-sdk'\n", "", env, "ENV['%s'] ||= '%s'", "ENV[\"%s\"] ||= \"%s\""),
		lines("Ruby fetch", "config.rb", "", "", env, "ENV.fetch('%s', '%s')", "ENV.fetch('%s') { '%s' }"),
		lines("JavaScript default", "config.js", "'use strict';\n", "", env, "process.env.%s || '%s',", "process.env.%s ?? \"%s\",", "process.env['%s'] || '%s';"),
		lines("JavaScript assignment", "setup.js", "// tests\n", "", env, "process.env.%s = '%s';", "process.env[\"%s\"] = \"%s\""),
		lines("Python default", "settings.py", "import os\n", "", env, `os.environ.get("%s", "%s")`, `os.getenv('%s', '%s')`, `os.environ.setdefault("%s", "%s")`),
		lines("Python dictionary", "settings.py", "CONFIG = {\n", "}\n", nil, `    "%s": "%s",`, "    '%s': '%s',"),
		lines("Jinja default", "config.j2", "", "", []spelling{lowerSnake, upperSnake}, "{{ %s | default(\"%s\") }}", "{{ %s|default('%s') }}", "{{%s | d('%s')}}", "{{ %s | default(\"%s\", true) }}"),
		lines("shell default", "entrypoint.sh", "#!/bin/sh\nset -e\n", "exec \"$@\"\n", env, "export X=${%s:-%s}", "X=\"${%s:-%s}\"", ": ${%s:=%s}", ": \"${%s:=\"%s\"}\""),
		lines("C macros", "config.h", "// config\n#pragma once\n", "", env, `#define %s "%s"`, `#define   %s    "%s"`),
		lines("C arrays", "secrets.h", "// keys\n", "", nil, `const char %s[] = "%s";`, `static const char *%s = "%s";`),
		lines("Go constants", "config.go", "// Package config\npackage config\n\nconst (\n", ")\n", []spelling{camel, pascal}, "\t%s = \"%s\""),
		lines("Java constants", "Config.java", "// config\nclass Config {\n", "}\n", nil, `    private static final String %s = "%s";`),
		lines("PHP definitions", "config.php", "<?php\n", "", []spelling{upperSnake}, "define('%s', '%s');", "define( \"%s\", \"%s\" );", "putenv('%s=%s');", "'%s' => env('X', '%s'),"),
		lines("PowerShell", "deploy.ps1", "", "", nil, `$env:%s = "%s"`, `Set-Item -Path Env:%s -Value '%s'`, "$%s = '%s'"),
		lines("batch file", "deploy.bat", "@echo off\n", "", env, "set %s=%s", "setx %s %s", "SET \"%s=%s\""),
		lines("Swift", "Config.swift", "// config\nenum Config {\n", "}\n", []spelling{camel}, `    static let %s = "%s"`, `    static let %s: String = "%s"`),
		lines("Gradle", "build.gradle", "// build\n", "", []spelling{camel, upperSnake}, `buildConfigField "String", "%s", "\"%s\""`, "ext.%s = '%s'"),
		{Name: "SQL settings", Kind: "code", path: "seed.sql", spell: []spelling{upperSnake, lowerSnake}, flat: sqlSettings},
		{Name: "SQL, a row for each account", Kind: "code", path: "accounts.sql", spell: []spelling{lowerSnake}, sections: func(f *file, sections []section) {
			header, r := accountRows(sections)
			f.printf("INSERT INTO accounts (%s) VALUES\n", strings.ToLower(strings.Join(header, ", ")))
			for i, row := range r {
				f.printf("  (%d, '%s')%s\n", i+1, strings.Join(row[1:], "', '"), map[bool]string{true: ";", false: ","}[i == len(r)-1])
			}
		}},
		{Name: "shell arguments", Kind: "code", path: "run.sh", spell: []spelling{kebab}, flat: func(f *file, fields []field) {
			f.printf("#!/bin/sh\n./tool run")
			between, format := pick(f, " ", " \\\n  "), pick(f, "--%s %s", "--%s=%s", "--%s '%s'")
			for _, x := range fields {
				f.printf("%s"+format, between, x.name, x.value)
			}
			f.printf("\n")
		}},
		{Name: "docker run", Kind: "code", path: "run.sh", spell: env, flat: func(f *file, fields []field) {
			f.printf("docker run --rm")
			between, format := pick(f, " ", " \\\n  "), pick(f, "-e %s=%s", "-e %s='%s'", "--env %s=%s")
			for _, x := range fields {
				f.printf("%s"+format, between, x.name, x.value)
			}
			f.printf(" app\n")
		}},
	}
}

func sqlSettings(f *file, fields []field) {
	if f.oneIn(2) {
		for i, x := range fields {
			f.printf("INSERT INTO settings (id, name, value) VALUES (%d, '%s', '%s');\n", i+1, x.name, x.value)
		}
		return
	}
	var rows []string
	for i, x := range fields {
		rows = append(rows, fmt.Sprintf("(%d, '%s', '%s', '2024-05-01 10:00:00')", i+1, x.name, x.value))
	}
	f.printf("INSERT INTO `settings` VALUES %s;\n", strings.Join(rows, pick(f, ",", ",\n")))
}

func prose() []Layout {
	human := []spelling{title}
	return []Layout{
		{Name: "names and colons", Kind: "prose", path: "notes.txt", spell: human, flat: func(f *file, fields []field) {
			format := pick(f, "%s: %s\n", "%s - %s\n", "- **%s**: `%s`\n", "%s:\n%s\n", "* %s = %s\n", "%s : %s\n")
			f.printf("%s\n\n", f.words(10))
			for _, x := range fields {
				f.printf(format, x.name, x.value)
			}
		}},
		{Name: "sentences", Kind: "prose", path: "notes.md", spell: human, flat: func(f *file, fields []field) {
			for _, x := range fields {
				f.printf("%s. The %s is %s%s", f.words(6), x.name, pick(f, x.value, "`"+x.value+"`"), pick(f, ".\n", ", ", "\n"))
			}
			f.printf("\n")
		}},
		{Name: "mail", Kind: "prose", path: "mail.eml", spell: human, flat: func(f *file, fields []field) {
			f.printf("From: a@example.com\nTo: b@example.com\nSubject: %s\n\nHi,\n\n%s:\n\n", f.words(3), f.words(8))
			for _, x := range fields {
				f.printf("> %s: %s\n", x.name, x.value)
			}
			f.printf("\nThanks\n")
		}},
	}
}
