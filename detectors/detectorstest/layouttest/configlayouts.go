package layouttest

// Layouts of configuration, of containers and of the tools that deploy them.

// nested names say nothing of AWS; the keys above them do.
var nestedNames = []names{
	{"access key id", "secret access key", true},
	{"access key", "secret key", true},
	{"key", "secret", true},
	{"key id", "secret", true},
}

// nest renders each section as an object below keys that name AWS and the account.
func (f *file) nest(sections []section) object {
	var o object
	above := pick(f, "aws", "aws", "AWS", "ses", "s3")
	if above == "s3" && f.shape == Secret {
		above = "aws"
	}
	outside := f.oneIn(2)
	for _, s := range sections {
		inner := byName(s.fields, plain)
		if f.oneIn(3) {
			inner = object{{"credentials", inner}}
		}
		switch {
		case len(sections) == 1:
			o = append(o, member{above, inner})
		case outside:
			o = append(o, member{s.label, object{{above, inner}}})
		default:
			o = append(o, member{s.label, inner})
		}
	}
	if len(sections) > 1 && !outside {
		o = object{{above, o}}
	}
	for _, x := range f.otherFields(camel, f.IntN(3)) {
		o = append(o, member{x.name, x.value})
	}
	return o
}

func configuration() []Layout {
	return []Layout{
		{Name: "dotenv", Kind: "configuration", path: ".env", spell: env, flat: func(f *file, fields []field) {
			f.assignments(fields, "", pick(f, "%s=%s", `%s="%s"`, "export %s=%s"))
		}},
		{Name: "Java properties", Kind: "configuration", path: "application.properties", spell: []spelling{dots, camelAfterDot, camel}, flat: func(f *file, fields []field) {
			f.assignments(fields, "", pick(f, "%s=%s", "%s = %s", "%s: %s"))
		}},
		{Name: "Spring YAML", Kind: "configuration", path: "application.yml", spell: []spelling{camel, kebab}, names: []names{{"access key", "secret key", true}},
			sections: func(f *file, sections []section) {
				var o object
				for _, s := range sections {
					credentials := object{{"credentials", byName(s.fields, plain)}}
					if f.oneIn(2) {
						credentials = append(credentials, member{"region", object{{"static", pick(f, regions...)}}})
					}
					o = append(o, member{s.label, object{{"cloud", object{{"aws", credentials}}}}})
				}
				if len(sections) == 1 {
					o = o[0].value.(object)
				}
				f.yaml(o)
			}},
		{Name: "nested YAML", Kind: "configuration", path: "config.yml", names: nestedNames, sections: func(f *file, sections []section) { f.yaml(f.nest(sections)) }},
		{Name: "nested JSON", Kind: "configuration", path: "config.json", names: nestedNames, sections: func(f *file, sections []section) { f.json(f.nest(sections)) }},
		{Name: "nested TOML", Kind: "configuration", path: "config.toml", names: nestedNames, sections: func(f *file, sections []section) {
			above := pick(f, "aws", "cloud.aws", "storage.aws")
			for _, s := range sections {
				if len(sections) == 1 {
					f.printf("[%s]\n", above)
				} else {
					f.printf("[%s.%s]\n", above, s.label)
				}
				f.assignments(s.fields, "", `%s = "%s"`)
				f.printf("\n")
			}
		}},
		{Name: "INI with profiles", Kind: "configuration", path: ".aws/credentials", spell: []spelling{lowerSnake}, names: []names{{"aws access key id", "aws secret access key", true}},
			sections: func(f *file, sections []section) {
				for _, s := range sections {
					f.printf("[%s%s]\n", pick(f, "", "profile "), s.label)
					f.assignments(s.fields, "", pick(f, "%s = %s", "%s=%s"))
					f.printf("%s", pick(f, "", "\n"))
				}
			}},
		{Name: "INI, nested names", Kind: "configuration", path: "settings.ini", names: nestedNames, sections: func(f *file, sections []section) {
			for _, s := range sections {
				if len(sections) == 1 {
					f.printf("[aws]\n")
				} else {
					f.printf("[aws%s%s]\n", pick(f, ":", "-", ".", " "), s.label)
				}
				f.assignments(s.fields, "", pick(f, "%s = %s", "%s=%s"))
				f.printf("\n")
			}
		}},
		{Name: "flat YAML", Kind: "configuration", path: "settings.yml", spell: []spelling{upperSnake, lowerSnake, camel, kebab}, flat: func(f *file, fields []field) {
			f.yaml(object{{pick(f, "settings", "app", "env"), byName(fields, plain)}})
		}},
		{Name: "flat JSON", Kind: "configuration", path: "settings.json", spell: []spelling{upperSnake, lowerSnake, camel, kebab}, flat: func(f *file, fields []field) { f.json(byName(fields, plain)) }},
		{Name: "list of names and values, JSON", Kind: "configuration", path: "config.json", flat: func(f *file, fields []field) {
			name, value := pick(f, "name", "key", "id", "variable"), pick(f, "value", "val", "content", "data")
			f.json(object{{"settings", f.records(fields, func(x field) object {
				o := f.nameValue(x, name, value)
				if x.about != "" {
					o = append(o, member{pick(f, "description", "comment"), x.about})
				}
				return o
			})}})
		}},
	}
}

// camelAfterDot spells a name as Spring does: "aws.secretKey".
func camelAfterDot(words ...string) string {
	if len(words) < 3 {
		return dots(words...)
	}
	return words[0] + "." + camel(words[1:]...)
}

func containers() []Layout {
	return []Layout{
		{Name: "Kubernetes environment", Kind: "containers", path: "deployment.yaml", spell: env, flat: func(f *file, fields []field) {
			f.yaml(object{{"apiVersion", "apps/v1"}, {"kind", "Deployment"}, {"spec", object{{"template", object{{"spec", object{{"containers", list{object{{"name", f.word()}, {"image", "app-1"},
				{"env", f.records(fields, func(x field) object { return f.nameValue(x, "name", "value") })}}}}}}}}}}})
		}},
		{Name: "Kubernetes Secret, stringData", Kind: "containers", path: "secret.yaml", spell: []spelling{upperSnake, lowerSnake, camel, kebab}, flat: func(f *file, fields []field) {
			f.yaml(object{{"apiVersion", "v1"}, {"kind", "Secret"}, {"metadata", object{{"name", f.word()}}}, {"type", "Opaque"}, {"stringData", byName(fields, plain)}})
		}},
		{Name: "Helm values", Kind: "containers", path: "values.yaml", spell: []spelling{camel}, names: nestedNames, sections: func(f *file, sections []section) {
			f.yaml(object{{"replicaCount", 2}, {"image", object{{"repository", f.word()}, {"tag", "1.2.3"}}}, {"config", f.nest(sections)}})
		}},
		{Name: "Compose list", Kind: "containers", path: "docker-compose.yml", spell: env, flat: func(f *file, fields []field) {
			var l list
			for _, x := range fields {
				l = append(l, x.name+"="+x.value)
			}
			f.yaml(object{{"services", object{{f.word(), object{{"image", "app"}, {"environment", l}}}}}})
		}},
		{Name: "Compose map", Kind: "containers", path: "docker-compose.yml", spell: env, flat: func(f *file, fields []field) {
			f.yaml(object{{"services", object{{f.word(), object{{"image", "app"}, {"environment", byName(fields, plain)}}}}}})
		}},
		{Name: "Dockerfile", Kind: "containers", path: "Dockerfile", spell: env, flat: func(f *file, fields []field) {
			f.printf("FROM alpine\n")
			for _, x := range fields {
				f.printf("%s %s%s%s\n", pick(f, "ENV", "ARG"), x.name, "=", x.value)
			}
			f.printf("CMD [\"app\"]\n")
		}},
		{Name: "Ansible variables", Kind: "containers", path: "group_vars/all.yml", spell: []spelling{lowerSnake}, flat: func(f *file, fields []field) {
			f.printf("---\n")
			for _, x := range fields {
				if x.about != "" && f.oneIn(3) {
					f.printf("# %s\n", x.about)
				}
				f.printf("%s: %s\n", x.name, pick(f, x.value, `"`+x.value+`"`))
			}
		}},
	}
}
