package layouttest

import (
	"fmt"
	"strings"
)

// Layouts of the tools that set clouds up: Terraform, CloudFormation, the AWS CLI, Azure.

func terraform() []Layout {
	return []Layout{
		{Name: "Terraform variables", Kind: "Terraform", path: "variables.tf", spell: []spelling{lowerSnake, lowerSnake, upperSnake, kebab}, flat: terraformVariables},
		{Name: "Terraform tfvars", Kind: "Terraform", path: "prod.auto.tfvars", spell: []spelling{lowerSnake, upperSnake}, flat: terraformAssignments},
		{Name: "Terraform locals", Kind: "Terraform", path: "main.tf", spell: []spelling{lowerSnake}, flat: func(f *file, fields []field) {
			f.printf("locals {\n")
			f.assignments(fields, "  ", `%s = "%s"`)
			f.printf("}\n")
		}},
		{Name: "Terraform outputs as text", Kind: "Terraform", path: "apply.log", spell: []spelling{lowerSnake}, flat: func(f *file, fields []field) {
			f.printf("Apply complete! Resources: %d added, 0 changed, 0 destroyed.\n\nOutputs:\n\n", f.IntN(30))
			f.assignments(fields, "", pick(f, `%s = "%s"`, `%s = %s`))
		}},
		{Name: "Terraform outputs as JSON", Kind: "Terraform", path: "outputs.json", spell: []spelling{lowerSnake, kebab}, flat: func(f *file, fields []field) {
			f.json(byName(fields, func(x field) any {
				return object{{"sensitive", x.secret}, {"type", "string"}, {"value", x.value}}
			}))
		}},
		{Name: "Terraform outputs in a state", Kind: "Terraform", path: "terraform.tfstate", spell: []spelling{lowerSnake}, flat: func(f *file, fields []field) {
			f.json(object{{"version", 4}, {"terraform_version", "1.9.5"}, {"serial", f.IntN(100)}, {"lineage", f.plainValue("request id")},
				{"outputs", byName(fields, func(x field) any {
					o := object{{"value", x.value}, {"type", "string"}}
					if x.secret {
						o = append(o, member{"sensitive", true})
					}
					return o
				})}, {"resources", list{}}})
		}},
	}
}

func terraformVariables(f *file, fields []field) {
	typed, described := f.IntN(4) > 0, f.IntN(3) > 0
	for i, x := range fields {
		lines := []string{fmt.Sprintf(`default = "%s"`, x.value)}
		if typed {
			lines = append(lines, "type = string")
		}
		if described && x.about != "" {
			lines = append(lines, fmt.Sprintf(`description = "%s"`, x.about))
		}
		if x.secret && f.oneIn(2) {
			lines = append(lines, "sensitive = true")
		}
		shuffle(f, lines)
		if i > 0 && f.IntN(5) > 0 {
			f.printf("\n")
		}
		f.printf("variable \"%s\" {\n", x.name)
		for _, l := range lines {
			if name, value, ok := strings.Cut(l, " = "); ok && f.oneIn(2) {
				l = fmt.Sprintf("%-11s = %s", name, value)
			}
			f.printf("  %s\n", l)
		}
		f.printf("}\n")
	}
}

func terraformAssignments(f *file, fields []field) { f.assignments(fields, "", `%s = "%s"`) }

// assignments writes a line for each field, some below a comment. Formats with spaces may
// be aligned.
func (f *file) assignments(fields []field, pad, format string) {
	width := 0
	if strings.HasPrefix(format, "%s = ") && f.oneIn(2) {
		for _, x := range fields {
			width = max(width, len(x.name))
		}
	}
	for _, x := range fields {
		if x.about != "" && f.oneIn(4) {
			f.printf("%s# %s\n", pad, x.about)
		}
		f.printf(pad+format+"\n", fmt.Sprintf("%-*s", width, x.name), x.value)
	}
}

func cloudformation() []Layout {
	return []Layout{
		{Name: "CloudFormation parameters file", Kind: "CloudFormation", path: "parameters.json", spell: []spelling{pascal}, flat: func(f *file, fields []field) {
			previous := f.oneIn(3)
			f.json(f.records(fields, func(x field) object {
				o := object{{"ParameterKey", x.name}, {"ParameterValue", x.value}}
				if previous {
					o = append(o, member{"UsePreviousValue", false})
				}
				return o
			}))
		}},
		{Name: "CloudFormation template defaults, YAML", Kind: "CloudFormation", path: "template.yaml", spell: []spelling{pascal}, flat: func(f *file, fields []field) {
			f.printf("AWSTemplateFormatVersion: '2010-09-09'\n")
			f.yaml(object{{"Parameters", f.templateParameters(fields)}, {"Resources", object{{"Bucket", object{{"Type", "AWS::S3::Bucket"}}}}}})
		}},
		{Name: "CloudFormation template defaults, JSON", Kind: "CloudFormation", path: "template.json", spell: []spelling{pascal}, flat: func(f *file, fields []field) {
			f.json(object{{"AWSTemplateFormatVersion", "2010-09-09"}, {"Parameters", f.templateParameters(fields)}, {"Resources", object{}}})
		}},
		{Name: "CloudFormation describe-stacks", Kind: "CloudFormation", path: "stacks.json", spell: []spelling{pascal}, flat: func(f *file, fields []field) {
			exported := f.oneIn(3)
			outputs := f.records(fields, func(x field) object {
				o := object{{"OutputKey", x.name}, {"OutputValue", x.value}}.with("Description", x.about)
				if exported {
					o = o.with("ExportName", "stack-"+x.name)
				}
				return o
			})
			f.json(object{{"Stacks", list{object{{"StackId", "arn:aws:cloudformation:us-east-1:" + f.keys[0].Account + ":stack/x/" + f.plainValue("request id")},
				{"StackName", f.word()}, {"CreationTime", "2024-03-01T10:00:00.000Z"}, {"Outputs", outputs}, {"Tags", list{}}}}}})
		}},
	}
}

func (f *file) templateParameters(fields []field) object {
	hidden, first := f.oneIn(2), f.oneIn(2)
	return byName(fields, func(x field) any {
		o := object{{"Type", "String"}}.with("Description", x.about)
		if hidden && x.secret {
			o = append(o, member{"NoEcho", true})
		}
		if d := (object{{"Default", x.value}}); first {
			o = append(d, o...)
		} else {
			o = append(o, d...)
		}
		return o
	})
}

func awsJSON() []Layout {
	return []Layout{
		{Name: "SSM get-parameters", Kind: "AWS CLI", path: "parameters.json", spell: []spelling{kebab, lowerSnake, upperSnake, camel}, flat: func(f *file, fields []field) {
			prefix := pick(f, "", "/app/", "/"+f.word()+"/"+f.word()+"/")
			f.json(object{{"Parameters", f.records(fields, func(x field) object {
				kind := "String"
				if x.secret {
					kind = "SecureString"
				}
				return object{{"Name", prefix + x.name}, {"Type", kind}, {"Value", x.value}, {"Version", 1 + f.IntN(9)}, {"LastModifiedDate", "2024-05-01T12:00:00.123000+00:00"},
					{"ARN", "arn:aws:ssm:us-east-1:" + f.keys[0].Account + ":parameter" + prefix + x.name}, {"DataType", "text"}}
			})}})
		}},
		{Name: "DynamoDB item", Kind: "AWS CLI", path: "item.json", spell: []spelling{lowerSnake, camel}, flat: func(f *file, fields []field) {
			f.json(object{{"Item", byName(fields, func(x field) any { return object{{"S", x.value}} })}})
		}},
		{Name: "DynamoDB scan", Kind: "AWS CLI", path: "scan.json", sections: func(f *file, sections []section) {
			var items list
			for _, s := range sections {
				items = append(items, append(object{{"name", object{{"S", s.label}}}}, byName(s.fields, func(x field) any { return object{{"S", x.value}} })...))
			}
			f.json(object{{"Items", items}, {"Count", len(items)}, {"ScannedCount", len(items)}})
		}, names: []names{{"aws access key id", "aws secret access key", true}, {"access key", "secret key", false}}},
		{Name: "Secrets Manager secret string", Kind: "AWS CLI", path: "secret.json", spell: anySpelling, flat: func(f *file, fields []field) {
			inner := &file{Rand: f.Rand, layout: f.layout}
			inner.jsonValue(byName(fields, plain), "", "", f.oneIn(2))
			f.json(object{{"ARN", "arn:aws:secretsmanager:us-east-1:" + f.keys[0].Account + ":secret:app-AbCdEf"}, {"Name", "app"}, {"VersionId", f.plainValue("request id")},
				{"SecretString", inner.String()}, {"VersionStages", list{"AWSCURRENT"}}})
		}},
		{Name: "ECS task definition", Kind: "AWS CLI", path: "task-definition.json", spell: env, flat: func(f *file, fields []field) {
			f.json(object{{"family", f.word()}, {"containerDefinitions", list{object{{"name", f.word()}, {"image", "app:latest"}, {"cpu", 256}, {"essential", true},
				{"environment", f.records(fields, func(x field) object { return f.nameValue(x, "name", "value") })}}}}})
		}},
		{Name: "Lambda function configuration", Kind: "AWS CLI", path: "function.json", spell: env, flat: func(f *file, fields []field) {
			f.json(object{{"FunctionName", f.word()}, {"Runtime", "python3.12"}, {"Environment", object{{"Variables", byName(fields, plain)}}}})
		}},
	}
}

// nameValue renders a field as a record of two members, whose order is drawn.
func (f *file) nameValue(x field, name, value string) object {
	if f.oneIn(5) {
		return object{{value, x.value}, {name, x.name}}
	}
	return object{{name, x.name}, {value, x.value}}
}

func azure() []Layout {
	return []Layout{
		{Name: "ARM parameters file", Kind: "Azure", path: "azuredeploy.parameters.json", spell: []spelling{camel}, flat: func(f *file, fields []field) {
			f.json(object{{"$schema", "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#"}, {"contentVersion", "1.0.0.0"},
				{"parameters", byName(fields, func(x field) any { return object{{"value", x.value}} })}})
		}},
		{Name: "ARM template defaults", Kind: "Azure", path: "azuredeploy.json", spell: []spelling{camel}, flat: func(f *file, fields []field) {
			f.json(object{{"contentVersion", "1.0.0.0"}, {"parameters", byName(fields, func(x field) any {
				o := object{{"type", pick(f, "string", "securestring")}, {"defaultValue", x.value}}
				if x.about != "" {
					o = append(o, member{"metadata", object{{"description", x.about}}})
				}
				return o
			})}, {"resources", list{}}})
		}},
		{Name: "Azure app settings", Kind: "Azure", path: "appsettings.json", spell: env, flat: func(f *file, fields []field) {
			f.json(f.records(fields, func(x field) object {
				return object{{"name", x.name}, {"slotSetting", false}, {"value", x.value}}
			}))
		}},
		{Name: "Azure DevOps variables, YAML", Kind: "Azure", path: "azure-pipelines.yml", spell: anySpelling, flat: func(f *file, fields []field) {
			f.printf("trigger:\n- main\n\n")
			f.yaml(object{{"variables", f.records(fields, func(x field) object { return f.nameValue(x, "name", "value") })}})
		}},
		{Name: "Azure DevOps variable group, JSON", Kind: "Azure", path: "group.json", spell: anySpelling, flat: func(f *file, fields []field) {
			f.json(object{{"id", f.IntN(100)}, {"name", f.word()}, {"type", "Vsts"}, {"variables", byName(fields, func(x field) any {
				o := object{{"isSecret", nil}, {"value", x.value}}
				if x.secret {
					o[0].value = false
				} else {
					o = o[1:]
				}
				return o
			})}})
		}},
	}
}
