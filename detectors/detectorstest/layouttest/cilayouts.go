package layouttest

import "fmt"

// Layouts of CI services and of HTTP clients.

func continuousIntegration() []Layout {
	return []Layout{
		{Name: "GitLab variables, API", Kind: "CI", path: "variables.json", spell: env, flat: func(f *file, fields []field) {
			f.json(f.records(fields, func(x field) object {
				o := object{{"variable_type", "env_var"}, {"key", x.name}, {"value", x.value}, {"protected", f.oneIn(2)}, {"masked", x.secret}, {"raw", false}, {"environment_scope", "*"}}
				if x.about != "" {
					o = append(o, member{"description", x.about})
				}
				shuffle(f, o[3:])
				return o
			}))
		}},
		{Name: "GitLab variables, pipeline", Kind: "CI", path: ".gitlab-ci.yml", spell: env, flat: func(f *file, fields []field) {
			f.yaml(object{{"stages", list{"build", "deploy"}}, {"variables", byName(fields, func(x field) any {
				if x.about == "" {
					return x.value
				}
				if f.oneIn(2) {
					return object{{"description", x.about}, {"value", x.value}}
				}
				return object{{"value", x.value}, {"description", x.about}}
			})}})
		}},
		{Name: "Jenkins parameters", Kind: "CI", path: "config.xml", spell: anySpelling, flat: func(f *file, fields []field) {
			f.printf("<?xml version='1.1' encoding='UTF-8'?>\n<project>\n  <properties>\n    <hudson.model.ParametersDefinitionProperty>\n      <parameterDefinitions>\n")
			for _, x := range fields {
				f.printf("        <hudson.model.StringParameterDefinition>\n          <name>%s</name>\n", x.name)
				if x.about != "" {
					f.printf("          <description>%s</description>\n", x.about)
				}
				f.printf("          <defaultValue>%s</defaultValue>\n          <trim>false</trim>\n        </hudson.model.StringParameterDefinition>\n", x.value)
			}
			f.printf("      </parameterDefinitions>\n    </hudson.model.ParametersDefinitionProperty>\n  </properties>\n</project>\n")
		}},
		{Name: "Jenkins credentials", Kind: "CI", path: "credentials.xml", names: []names{{"access key", "secret key", false}}, unnamed: true,
			sections: func(f *file, sections []section) {
				f.printf("<list>\n")
				for i, s := range sections {
					k := f.keys[i]
					f.printf("  <com.cloudbees.jenkins.plugins.awscredentials.AWSCredentialsImpl>\n    <scope>GLOBAL</scope>\n    <id>%s</id>\n    <description>%s</description>\n    <accessKey>%s</accessKey>\n    <secretKey>%s</secretKey>\n    <iamRoleArn></iamRoleArn>\n  </com.cloudbees.jenkins.plugins.awscredentials.AWSCredentialsImpl>\n", s.label, f.words(f.IntN(9)), k.ID, k.Secret)
				}
				f.printf("</list>\n")
			}},
		{Name: "workflow inputs", Kind: "CI", path: ".github/workflows/deploy.yml", spell: []spelling{lowerSnake, kebab, upperSnake}, flat: func(f *file, fields []field) {
			f.printf("name: deploy\n\n")
			f.yaml(object{{"on", object{{"workflow_dispatch", object{{"inputs", byName(fields, func(x field) any {
				o := object{{"required", f.oneIn(2)}, {"default", x.value}}
				if x.about != "" {
					o = append(o, member{"description", x.about})
				}
				if f.oneIn(2) {
					o = append(o, member{"type", "string"})
				}
				shuffle(f, o)
				return o
			})}}}}}, {"jobs", object{{"deploy", object{{"runs-on", "ubuntu-latest"}, {"steps", list{object{{"uses", "actions/checkout@v4"}}}}}}}}})
		}},
		{Name: "workflow environment", Kind: "CI", path: ".github/workflows/build.yml", spell: env, flat: func(f *file, fields []field) {
			f.yaml(object{{"on", "push"}, {"jobs", object{{"build", object{{"runs-on", "ubuntu-latest"}, {"env", byName(fields, plain)}, {"steps", list{object{{"run", "make"}}}}}}}}})
		}},
		{Name: "Travis global list", Kind: "CI", path: ".travis.yml", spell: env, flat: func(f *file, fields []field) {
			var l list
			for _, x := range fields {
				l = append(l, x.name+"="+x.value)
			}
			f.yaml(object{{"language", "go"}, {"env", object{{"global", l}}}})
		}},
	}
}

func httpClients() []Layout {
	return []Layout{
		{Name: "Postman environment", Kind: "HTTP clients", path: "prod.postman_environment.json", spell: anySpelling, flat: func(f *file, fields []field) {
			f.json(object{{"id", f.plainValue("request id")}, {"name", f.word()}, {"values", f.records(fields, func(x field) object {
				kind := "default"
				if x.secret {
					kind = "secret"
				}
				o := object{{"key", x.name}, {"value", x.value}, {"type", kind}, {"enabled", true}}
				if f.oneIn(3) {
					o[2], o[3] = o[3], o[2]
				}
				return o
			})}, {"_postman_variable_scope", "environment"}})
		}},
		{Name: "Postman collection, AWS signature", Kind: "HTTP clients", path: "api.postman_collection.json", unnamed: true, names: []names{{"access key", "secret key", false}},
			sections: func(f *file, sections []section) {
				var items list
				for i, s := range sections {
					auth := list{}
					for _, x := range [][2]string{{"accessKey", f.keys[i].ID}, {"secretKey", f.keys[i].Secret}, {"region", pick(f, regions...)}, {"service", "execute-api"}} {
						auth = append(auth, object{{"key", x[0]}, {"value", x[1]}, {"type", "string"}})
					}
					shuffle(f, auth)
					items = append(items, object{{"name", s.label}, {"request", object{{"auth", object{{"type", "awsv4"}, {"awsv4", auth}}}, {"method", "GET"}, {"header", list{}},
						{"url", object{{"raw", f.plainValue("base url")}}}}}})
				}
				f.json(object{{"info", object{{"name", f.word()}}}, {"item", items}})
			}},
		{Name: "HAR headers", Kind: "HTTP clients", path: "session.har", spell: []spelling{headerName}, flat: func(f *file, fields []field) {
			headers := f.records(fields, func(x field) object { return object{{"name", x.name}, {"value", x.value}} })
			f.json(object{{"log", object{{"version", "1.2"}, {"entries", list{object{{"startedDateTime", "2024-05-01T10:00:00.000Z"}, {"request", object{{"method", "POST"},
				{"url", f.plainValue("base url")}, {"headers", append(list{object{{"name", "Accept"}, {"value", "*/*"}}}, headers...)}, {"queryString", list{}}}}}}}}}})
		}},
		{Name: "HAR form parameters", Kind: "HTTP clients", path: "form.har", spell: anySpelling, flat: func(f *file, fields []field) {
			params := f.records(fields, func(x field) object { return f.nameValue(x, "name", "value") })
			f.json(object{{"log", object{{"entries", list{object{{"request", object{{"postData", object{{"mimeType", "application/x-www-form-urlencoded"}, {"params", params}}}}}}}}}}})
		}},
		{Name: "Insomnia environment", Kind: "HTTP clients", path: "insomnia.yaml", spell: anySpelling, flat: func(f *file, fields []field) {
			f.yaml(object{{"_type", "export"}, {"resources", list{object{{"_id", "env_" + f.characters("0123456789abcdef", 32)}, {"name", f.word()}, {"data", byName(fields, plain)}}}}})
		}},
		{Name: "HTTP request file", Kind: "HTTP clients", path: "api.http", spell: []spelling{headerName}, flat: func(f *file, fields []field) {
			f.printf("POST %s HTTP/1.1\nHost: example.com\n", f.plainValue("base url"))
			for _, x := range fields {
				f.printf("%s: %s\n", x.name, x.value)
			}
			f.printf("\n{\"n\": %s}\n", fmt.Sprint(f.IntN(100)))
		}},
	}
}

// headerName spells a name as a header of HTTP: "X-Aws-Secret-Key".
func headerName(words ...string) string {
	s := "X"
	for _, w := range words {
		s += "-" + pascal(w)
	}
	return s
}
