package layouttest

import (
	"fmt"
	"strings"
)

// Layouts of further tools: managers of passwords and configuration, services, build servers,
// dumps of databases and of processes.

// each is a layout that writes a text for each field, between two others. In formats, %1 is
// the name, %2 the value and %3 the description or "x".
func each(kind, name, path, before, after string, s []spelling, formats ...string) Layout {
	return Layout{Name: name, Kind: kind, path: path, spell: s, flat: func(f *file, fields []field) {
		f.printf("%s", before)
		format := pick(f, formats...)
		for _, x := range fields {
			about := x.about
			if about == "" {
				about = "x"
			}
			f.printf("%s", strings.NewReplacer("%1", x.name, "%2", x.value, "%3", about).Replace(format))
		}
		f.printf("%s", after)
	}}
}

// tree is a layout that is a tree in JSON.
func tree(kind, name, path string, s []spelling, build func(*file, []field) any) Layout {
	return Layout{Name: name, Kind: kind, path: path, spell: s, flat: func(f *file, fields []field) { f.json(build(f, fields)) }}
}

func passwordManagers() []Layout {
	const kind = "password managers"
	return []Layout{
		tree(kind, "Bitwarden export", "bitwarden.json", tableSpelling, func(f *file, fields []field) any {
			return object{{"items", list{object{{"name", f.word()}, {"type", 2}, {"fields", f.records(fields, func(x field) object {
				return object{{"name", x.name}, {"value", x.value}, {"type", 1}, {"linkedId", "null"}}
			})}}}}}
		}),
		each(kind, "KeePass export", "vault.xml", "<KeePassFile><Root><Group><Entry>\n", "</Entry></Group></Root></KeePassFile>\n", tableSpelling,
			"\t<String>\n\t\t<Key>%1</Key>\n\t\t<Value ProtectInMemory=\"True\">%2</Value>\n\t</String>\n"),
		each(kind, "LastPass notes", "lastpass.csv", "url,username,password,extra,name\nhttp://sn,,,\"NoteType:Custom\n", "\",keys\n", tableSpelling, "%1:%2\n"),
		tree(kind, "1Password item", "item.json", tableSpelling, func(f *file, fields []field) any {
			return object{{"title", f.word()}, {"fields", f.records(fields, func(x field) object {
				return object{{"id", f.characters("abcdefghijklmnopqrstuvwxyz234567", 26)}, {"type", "CONCEALED"}, {"label", x.name}, {"value", x.value}}
			})}}
		}),
		tree(kind, "Doppler secrets", "doppler.json", env, func(_ *file, fields []field) any {
			return byName(fields, func(x field) any { return object{{"computed", x.value}, {"note", x.about}} })
		}),
		tree(kind, "Vault KV", "kv.json", anySpelling, func(f *file, fields []field) any {
			return object{{"request_id", f.plainValue("request id")}, {"lease_duration", 0}, {"data", object{{"data", byName(fields, plain)}, {"metadata", object{{"version", 3}}}}}}
		}),
	}
}

func buildServers() []Layout {
	const kind = "build servers"
	return []Layout{
		each(kind, "TeamCity parameters", "project-config.xml", "<project>\n  <parameters>\n", "  </parameters>\n</project>\n", []spelling{dots, upperSnake}, "    <param name=\"env.%1\" value=\"%2\" />\n"),
		each(kind, "Bamboo variables", "plan.xml", "<variables>\n", "</variables>\n", []spelling{lowerSnake, camel}, "  <variable>\n    <key>%1</key>\n    <value>%2</value>\n    <type>PLAN</type>\n  </variable>\n"),
		tree(kind, "Octopus variables", "variables.json", []spelling{pascal, dots}, func(f *file, fields []field) any {
			return object{{"Variables", f.records(fields, func(x field) object {
				return object{{"Id", f.plainValue("request id")}, {"Name", x.name}, {"Value", x.value}, {"Description", x.about}, {"Scope", object{}}, {"IsEditable", true}, {"Type", "String"}}
			})}}
		}),
		each(kind, "Drone pipeline", ".drone.yml", "steps:\n- name: deploy\n  image: plugins/s3\n  settings:\n", "", []spelling{lowerSnake}, "    %1: %2\n", "    %1:\n      from: '%2'\n"),
		each(kind, "Jenkinsfile", "Jenkinsfile", "pipeline {\n  environment {\n", "  }\n}\n", env, "    %1 = '%2'\n", "    %1 = \"%2\"\n"),
		each(kind, "Jenkinsfile parameters", "Jenkinsfile", "pipeline {\n  parameters {\n", "  }\n}\n", env,
			"    string(name: '%1', defaultValue: '%2', description: '%3')\n", "    string(defaultValue: '%2', description: '%3', name: '%1')\n"),
		each(kind, "Heroku config", "config.log", "=== app Config Vars\n", "", env, "%1:    %2\n"),
		tree(kind, "Vercel environment", "env.json", env, func(f *file, fields []field) any {
			return object{{"envs", f.records(fields, func(x field) object {
				return object{{"type", "encrypted"}, {"value", x.value}, {"target", list{"production", "preview"}}, {"id", f.characters(base64Characters[:62], 16)}, {"key", x.name}, {"createdAt", 1700000000000}}
			})}}
		}),
	}
}

func services() []Layout {
	const kind = "services"
	return []Layout{
		each(kind, "systemd unit", "app.service", "[Service]\nExecStart=/usr/bin/app\n", "", env, "Environment=%1=%2\n", "Environment=\"%1=%2\"\n"),
		each(kind, "Apache SetEnv", "httpd.conf", "<VirtualHost *:80>\n", "</VirtualHost>\n", env, "  SetEnv %1 %2\n", "  SetEnv %1 \"%2\"\n"),
		each(kind, "nginx parameters", "site.conf", "location / {\n", "}\n", env, "  fastcgi_param %1 %2;\n", "  fastcgi_param  %1  \"%2\";\n"),
		each(kind, "launchd plist", "app.plist", "<plist><dict>\n<key>Label</key><string>app</string>\n<key>EnvironmentVariables</key>\n<dict>\n", "</dict>\n</dict></plist>\n", env, "  <key>%1</key>\n  <string>%2</string>\n", "<key>%1</key><string>%2</string>"),
		each(kind, "Logstash output", "pipeline.conf", "output {\n  s3 {\n", "  }\n}\n", []spelling{lowerSnake}, "    %1 => \"%2\"\n"),
		each(kind, "Fluentd output", "fluent.conf", "<match **>\n  @type s3\n", "</match>\n", []spelling{lowerSnake}, "  %1 %2\n", "  %1   %2\n"),
		each(kind, "Spark configuration", "spark-defaults.conf", "spark.master yarn\n", "", []spelling{dots}, "spark.hadoop.fs.s3a.%1   %2\n"),
		each(kind, "HOCON", "application.conf", "app {\n", "}\n", []spelling{kebab, camel}, "  %1 = \"%2\"\n", "  %1 = ${?X}\n  %1: \"%2\"\n"),
		each(kind, "Elixir config", "prod.exs", "import Config\n\n", "", []spelling{lowerSnake}, "config :app, %1: \"%2\"\n", "config :app, :%1, \"%2\"\n"),
		each(kind, "Windows registry", "app.reg", "Windows Registry Editor Version 5.00\n\n[HKEY_CURRENT_USER\\Environment]\n", "", []spelling{upperSnake, pascal}, "\"%1\"=\"%2\"\n"),
		tree(kind, "Kafka Connect", "connector.json", []spelling{dots}, func(f *file, fields []field) any {
			return object{{"name", f.word()}, {"config", append(object{{"connector.class", "io.confluent.connect.s3.S3SinkConnector"}}, byName(fields, plain)...)}}
		}),
		tree(kind, "Airflow variables", "variables.json", []spelling{lowerSnake}, func(_ *file, fields []field) any {
			return byName(fields, func(x field) any { return object{{"value", x.value}, {"description", x.about}} })
		}),
		tree(kind, "OpenAPI examples", "openapi.json", []spelling{camel, lowerSnake}, func(_ *file, fields []field) any {
			return object{{"components", object{{"schemas", object{{"Config", object{{"type", "object"}, {"properties", byName(fields, func(x field) any {
				return object{{"type", "string"}}.with("description", x.about).with("example", x.value)
			})}}}}}}}}
		}),
	}
}

func dumps() []Layout {
	const kind = "dumps"
	return []Layout{
		tree(kind, "docker inspect", "inspect.json", env, func(f *file, fields []field) any {
			l := list{"PATH=/usr/bin:/bin"}
			for _, x := range fields {
				l = append(l, x.name+"="+x.value)
			}
			return list{object{{"Id", f.characters("0123456789abcdef", 64)}, {"Config", object{{"Hostname", f.characters("0123456789abcdef", 12)}, {"Env", l}}}}}
		}),
		each(kind, "kubectl describe", "describe.txt", "Containers:\n  app:\n    Environment:\n", "    Mounts:  <none>\n", env, "      %1:  %2\n", "      %1:          %2\n"),
		{Name: "environ of a process", Kind: kind, path: "environ", spell: env, binary: true, flat: func(f *file, fields []field) {
			for _, x := range fields {
				f.printf("%s=%s\x00", x.name, x.value)
			}
		}},
		each(kind, "strace", "strace.log", "execve(\"/bin/app\", [\"app\"], [\"HOME=/root\"", "]) = 0\n", env, ", \"%1=%2\""),
		each(kind, "logfmt", "app.log", "", "", []spelling{lowerSnake, camel}, "time=2024-05-01T10:00:00Z level=debug msg=\"loaded setting\" name=%1 value=%2\n", "time=2024-05-01T10:00:00Z level=debug msg=config %1=%2\n"),
		each(kind, "log of JSON", "app.jsonl", "", "", []spelling{lowerSnake, upperSnake}, "{\"ts\":1700000000,\"msg\":\"set\",\"name\":\"%1\",\"value\":\"%2\"}\n"),
		each(kind, "Redis commands", "dump.redis", "", "", []spelling{lowerSnake}, "HSET settings %1 \"%2\"\n", "SET app:%1 %2\n", "set \"app:%1\" \"%2\"\n"),
		each(kind, "MongoDB export", "settings.json", "", "", []spelling{lowerSnake, camel}, "{\"_id\":{\"$oid\":\"64f000000000000000000001\"},\"key\":\"%1\",\"value\":\"%2\",\"updatedAt\":{\"$date\":\"2024-05-01T10:00:00Z\"}}\n"),
		{Name: "PHP, serialized", Kind: kind, path: "options.txt", flat: func(f *file, fields []field) {
			f.printf("a:%d:{", len(fields))
			for _, x := range fields {
				f.printf(`s:%d:"%s";s:%d:"%s";`, len(x.name), x.name, len(x.value), x.value)
			}
			f.printf("}\n")
		}},
		each(kind, "WordPress options", "wp.sql", "", "", []spelling{lowerSnake, kebab}, "INSERT INTO `wp_options` VALUES (7,'%1','%2','yes');\n"),
		each(kind, "PostgreSQL COPY", "dump.sql", "COPY public.settings (id, name, value, updated) FROM stdin;\n", "\\.\n", []spelling{lowerSnake}, "7\t%1\t%2\t2024-05-01 10:00:00\n"),
		each(kind, "vertical output of MySQL", "query.log", "", "", []spelling{lowerSnake}, "*************************** 1. row ***************************\n   id: 7\n name: %1\nvalue: %2\n"),
		each(kind, "LDIF", "config.ldif", "dn: cn=app,dc=example,dc=com\n", "", []spelling{camel}, "%1: %2\n"),
	}
}

func furtherTables() []Layout {
	const kind = "further tables"
	return []Layout{
		each(kind, "MediaWiki table", "page.wiki", "{| class=\"wikitable\"\n! Name !! Value\n", "|}\n", tableSpelling, "|-\n| %1 || %2\n", "|-\n| %1\n| <code>%2</code>\n"),
		each(kind, "Jira table", "page.txt", "||Name||Value||\n", "", tableSpelling, "|%1|%2|\n", "|%1|{{%2}}|\n"),
		each(kind, "Org table", "notes.org", "| Name | Value |\n|------+-------|\n", "", tableSpelling, "| %1 | %2 |\n", "| %1 | =%2= |\n"),
		each(kind, "LaTeX table", "doc.tex", "\\begin{tabular}{ll}\n", "\\end{tabular}\n", []spelling{title, camel}, "%1 & \\texttt{%2} \\\\\n", "%1 & %2 \\\\ \\hline\n"),
		each(kind, "SpreadsheetML", "keys.xml", "<Table>\n", "</Table>\n", tableSpelling, " <Row>\n  <Cell><Data ss:Type=\"String\">%1</Data></Cell>\n  <Cell><Data ss:Type=\"String\">%2</Data></Cell>\n </Row>\n"),
		each(kind, "definition list", "page.html", "<dl>\n", "</dl>\n", tableSpelling, "<dt>%1</dt>\n<dd>%2</dd>\n", "<dt><b>%1</b></dt><dd><code>%2</code></dd>\n"),
		each(kind, "HTML inputs", "form.html", "<form>\n", "</form>\n", []spelling{lowerSnake, camel, kebab}, "<input type=\"text\" name=\"%1\" value=\"%2\">\n", "<input value=\"%2\" type=\"hidden\" name=\"%1\"/>\n", "<label for=\"%1\">x</label>\n<input id=\"%1\" class=\"form-control\" value=\"%2\">\n"),
		each(kind, "psql output", "out.txt", "   name   |   value\n----------+----------\n", "(3 rows)\n", []spelling{lowerSnake}, " %1 | %2\n"),
	}
}

func furtherLanguages() []Layout {
	const kind = "further languages"
	return []Layout{
		each(kind, "R", "setup.R", "", "", env, "Sys.setenv(\"%1\" = \"%2\")\n", "Sys.setenv(%1 = '%2')\n"),
		each(kind, "Lua", "config.lua", "return {\n", "}\n", []spelling{lowerSnake, camel}, "  %1 = \"%2\",\n", "  [\"%1\"] = \"%2\",\n"),
		each(kind, "Rust constants", "config.rs", "", "", env, "pub const %1: &str = \"%2\";\n", "static %1: &'static str = \"%2\";\n"),
		each(kind, "Rust default", "main.rs", "", "", env, "let x = env::var(\"%1\").unwrap_or(\"%2\".to_string());\n", "let x = std::env::var(\"%1\").unwrap_or_else(|_| \"%2\".into());\n"),
		each(kind, "Go default", "main.go", "package main\n\n", "", env, "var _ = getEnv(\"%1\", \"%2\")\n", "os.Setenv(\"%1\", \"%2\")\n", "viper.SetDefault(\"%1\", \"%2\")\n"),
		each(kind, "Kotlin", "Config.kt", "object Config {\n", "}\n", anySpelling, "    const val %1 = \"%2\"\n", "    val x = System.getenv(\"%1\") ?: \"%2\"\n"),
		each(kind, "Java default", "Config.java", "", "", env, "String x = System.getenv().getOrDefault(\"%1\", \"%2\");\n", "System.setProperty(\"%1\", \"%2\");\n", "map.put(\"%1\", \"%2\");\n"),
		each(kind, "C# settings", "Program.cs", "", "", []spelling{pascal, upperSnake, dotNet}, "[\"%1\"] = \"%2\",\n", "{ \"%1\", \"%2\" },\n", "Environment.SetEnvironmentVariable(\"%1\", \"%2\");\n"),
		each(kind, "Objective-C", "Config.m", "", "", []spelling{pascal}, "NSString *const k%1 = @\"%2\";\n", "#define k%1 @\"%2\"\n"),
		each(kind, "Dart", "config.dart", "", "", []spelling{camel}, "const x = String.fromEnvironment('%1', defaultValue: '%2');\n", "static const String %1 = '%2';\n"),
		each(kind, "Clojure", "config.edn", "{", "}\n", []spelling{kebab}, ":%1 \"%2\"\n "),
		each(kind, "Groovy map", "config.groovy", "grails {\n", "}\n", []spelling{camel, dots}, "  %1 = '%2'\n"),
		each(kind, "Salt pillar", "aws.sls", "app:\n  config:\n", "", []spelling{lowerSnake}, "    - %1: %2\n", "    {%- set %1 = \"%2\" %}\n"),
		each(kind, "Chef attributes", "default.rb", "", "", []spelling{lowerSnake}, "default['app']['%1'] = '%2'\n", "node.default[:app][:%1] = \"%2\"\n", "override_attributes '%1' => '%2'\n"),
		each(kind, "Puppet", "site.pp", "class { 'app':\n", "}\n", []spelling{lowerSnake}, "  %1 => '%2',\n"),
		each(kind, "Nomad template", "job.nomad", "job \"app\" {\n  env {\n", "  }\n}\n", env, "    %1 = \"%2\"\n", "    \"%1\" = \"%2\"\n"),
		each(kind, "argparse defaults", "cli.py", "", "", []spelling{kebab}, "parser.add_argument('--%1', default='%2', help='%3')\n", "@click.option(\"--%1\", type=str, default=\"%2\")\n"),
		{Name: "notebook", Kind: kind, path: "notebook.ipynb", spell: []spelling{upperSnake, lowerSnake}, flat: func(f *file, fields []field) {
			var source list
			for _, x := range fields {
				source = append(source, fmt.Sprintf("%s = '%s'\n", x.name, x.value))
			}
			f.json(object{{"cells", list{object{{"cell_type", "code"}, {"execution_count", 1}, {"outputs", list{}}, {"source", source}}}}, {"nbformat", 4}})
		}},
		each(kind, "Vagrantfile", "Vagrantfile", "Vagrant.configure(\"2\") do |config|\n", "end\n", []spelling{upperSnake}, "  config.env[\"%1\"] = \"%2\"\n", "  ENV['%1'] ||= '%2'\n"),
	}
}
