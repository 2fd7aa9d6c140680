package awskeys

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

// TestRecords: a secret alone is AWS's if its record says so, wherever the record holds the
// name.
func TestRecords(t *testing.T) {
	const (
		aws     = "aws-secret-key - {secret1} -"
		anybody = "aws-secret-key - {secret1} - ?"
	)
	long := strings.Repeat("of the uploader ", 100)
	for _, tt := range []struct{ name, text, want string }{
		{"opening", "variable \"aws_secret_key\" {\n  type = string\n\n  default = \"{secret1}\"\n}\n", aws},
		{"opening_far", "variable \"aws_secret_key\" {\n  description = \"" + long + "\"\n  default = \"{secret1}\"\n}\n", aws},
		{"opening_beyond_a_heredoc", "variable \"aws_secret_key\" {\n  description = <<EOT\nof the uploader\nEOT\n  default = \"{secret1}\"\n}\n", aws},
		{"opening_on_its_line", `{"awsSecretKey":{"S":"{secret1}"}}`, aws},
		{"opening_of_a_list", "aws_secret_keys:\n  - {secret1}\n", aws},
		{"opening_of_several", "aws_secret_key:\n  dev: x\n  prod: {secret1}\n", aws},
		{"field_above", `{"ParameterKey": "AwsSecretKey", "UsePrevious": false, "ParameterValue": "{secret1}"}`, aws},
		{"field_below", `[{"value": "{secret1}", "enabled": true, "key": "aws_secret_key"}]`, aws},
		{"field_in_yaml_below", "env:\n- value: {secret1}\n  name: AWS_SECRET_KEY\n- value: x\n  name: y\n", aws},
		{"field_of_the_next_record", "env:\n- value: {secret1}\n- name: AWS_SECRET_KEY\n  value: x\n", ""},
		{"field_of_the_record_before", "env:\n- name: AWS_SECRET_KEY\n  value: x\n- value: {secret1}\n", ""},
		{"nearer_word_of_another_field", `{"GITHUB_PAT":{"isSecret":true,"value":"{secret1}"}}`, ""},
		{"tags_without_indentation", "<x>\n<name>AWS_SECRET_KEY</name>\n<description>x</description>\n<defaultValue>{secret1}</defaultValue>\n</x>\n", aws},
		{"section", "[cloud.aws]\nsecretKey = {secret1}\n", aws},
		{"parent", "aws:\n  credentials:\n    secret_key: {secret1}\n", aws},
		{"parent_is_a_service", `{"ses":{"secretKey":"{secret1}"}}`, aws},
		{"provider", `{"provider":"aws","secret":"{secret1}"}`, aws},
		{"another_service_between", "aws:\n  github:\n    client_secret: {secret1}\n", anybody},
		{"rails", "aws:\n  region: x\n  secret_key_base: {secret1}\n", ""},
		{"environment", "aws:elasticbeanstalk:application:environment:\n  APP_SECRET: {secret1}\n", anybody},
		{"environment_of_a_resource", "resource \"aws_lambda_function\" \"x\" {\n  environment {\n    variables = {\n      SECRET_KEY = \"{secret1}\"\n    }\n  }\n}\n", anybody},
		{"resource", "resource \"aws_instance\" \"x\" {\n  user_data = <<EOF\nSECRET_KEY={secret1}\nEOF\n}\n", anybody},
		{"resource_named_so", "resource \"aws_ssm_parameter\" \"aws_secret_key\" {\n  value = \"{secret1}\"\n}\n", aws},
		{"environment_names_it", "aws:elasticbeanstalk:application:environment:\n  AWS_SECRET_KEY: {secret1}\n", aws},
		{"parent_closed", "aws:\n  region: x\napp:\n  secret: {secret1}\n", anybody},
		{"row", "| AWS_SECRET_KEY | of the uploader, a long one | {secret1} |", aws},
		{"row_of_values", "(5, 'AWS_SECRET_KEY', '{secret1}', 1)", aws},
		{"column", "user,aws_secret_key\nx,y\nalice,{secret1}\n", aws},
		{"arguments", `string(defaultValue: '{secret1}', description: 'x', name: 'AWS_SECRET_KEY')`, aws},
		{"argument_by_its_place", `@option("--aws-secret-key", type=str, default="{secret1}")`, aws},
		{"attributes", `<input value="{secret1}" type="hidden" name="aws_secret_key"/>`, aws},
		{"cells", "<tr>\n<td>AWS_SECRET_KEY</td>\n<td>of the uploader</td>\n<td>{secret1}</td>\n</tr>\n", aws},
		{"cells_of_another_row", "<tr>\n<td>AWS_SECRET_KEY</td>\n<td>x</td>\n</tr>\n<tr>\n<td>y</td>\n<td>{secret1}</td>\n</tr>\n", ""},
		{"elements_on_a_line", "<key>AWS_SECRET_KEY</key><string>{secret1}</string>", aws},
		{"label_of_no_meaning", `{"aws_secret_key": {"computed": "{secret1}", "note": "x"}}`, aws},
		{"serialized_by_php", `a:1:{s:14:"aws_secret_key";s:40:"{secret1}";}`, aws},
		{"secrets_manager", "resource \"aws_secretsmanager_secret_version\" \"x\" {\n  secret_string = \"{secret1}\"\n}\n", anybody},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var want []string
			if tt.want != "" {
				want = []string{tt.want}
			}
			detectorstest.Accept(t, Detector{}, tt.text, want...)
			if tt.want != "" && !(Detector{}).MayMatchNear([]byte(detectorstest.Fill(tt.text))) {
				t.Error("the prefilter rules it out")
			}
		})
	}
}

// TestNames reaches each name that says AWS's secret: alone, in every spelling, it passes the
// prefilter and is reported.
func TestNames(t *testing.T) {
	for _, words := range [][]string{
		{"aws", "secret", "access", "key"}, {"secret", "access", "key"}, {"secret", "access"}, {"aws", "secret"}, {"aws", "sec", "key"}, {"aws", "prod", "sec", "key"},
		{"aws", "access", "secret"}, {"aws", "prod", "secret", "key"}, {"aws", "api", "secret"}, {"aws", "ses", "secret"}, {"prod", "aws", "secret"},
		{"aws", "access", "key", "secret"}, {"aws", "key", "secret"}, {"amazon", "secret"}, {"amazon", "uploads", "secret", "key"},
		{"s3", "secret"}, {"s3a", "secret", "key"}, {"s3n", "secret"}, {"ec2", "secret"}, {"ses", "secret", "key"}, {"sns", "secret", "key"}, {"sqs", "secret", "access", "key"},
		{"dynamodb", "secret", "key"}, {"cloud", "aws", "credentials", "secret", "key"}, {"aws", "シークレット"}, {"aws", "密钥"}, {"aws", "geheim"},
	} {
		title := make([]string, len(words))
		for i, w := range words {
			first, size := utf8.DecodeRuneInString(w)
			title[i] = strings.ToUpper(string(first)) + w[size:]
		}
		for _, name := range []string{
			strings.Join(words, "_"), strings.ToUpper(strings.Join(words, "_")), strings.Join(words, "-"), strings.Join(words, "."),
			words[0] + strings.Join(title[1:], ""), strings.Join(title, ""), strings.Join(title, "-"),
		} {
			reaches(t, fmt.Sprintf("%s = \"{secret1}\"\n", name))
		}
		if len(words) < 5 {
			reaches(t, strings.Join(title, " ")+": {secret1}\n")
		}
	}
	for _, gap := range []string{
		`ENV["AWS_SECRET_KEY"] ||= "{secret1}"`, `ENV.fetch("AWS_SECRET_KEY", "{secret1}")`, `process.env.AWS_SECRET_KEY || '{secret1}'`,
		`$ENV{AWS_SECRET_KEY} = "{secret1}";`, `{{ aws_secret_key | default("{secret1}") }}`, `${AWS_SECRET_KEY:-{secret1}}`,
		`| AWS_SECRET_KEY | {secret1} |`, `aws["secret_key"] = "{secret1}"`, `<add key="Aws:SecretKey" value="{secret1}" />`, `"/prod/aws/secret_key": "{secret1}"`,
	} {
		reaches(t, gap)
	}
}

func reaches(t *testing.T, text string) {
	t.Helper()
	detectorstest.Accept(t, Detector{}, text, "aws-secret-key - {secret1} -")
	if !(Detector{}).MayMatchNear([]byte(detectorstest.Fill(text))) {
		t.Errorf("the prefilter rules out %q", text)
	}
}

// TestOtherStoreBeside: an id that is none of AWS makes its secret another store's, unless
// the name of the secret says AWS.
func TestOtherStoreBeside(t *testing.T) {
	id := "Y4" + detectorstest.KeyID("AKIA", detectorstest.Account, 3)[2:]
	for _, tt := range []struct {
		name, text string
		other      bool
	}{
		{"json", `{"AccessKeyId": "{id}", "SecretAccessKey": "{secret1}"}`, true},
		{"xml", "<AccessKeyId>{id}</AccessKeyId>\n<SecretAccessKey>{secret1}</SecretAccessKey>", true},
		{"endpoint_of_an_unknown_store", "access_key_id = {id}\nsecret_access_key = {secret1}\nendpoint = https://ceph.example.com\n", true},
		{"behind", "SecretAccessKey={secret1}\nAccessKeyId={id}\n", true},
		{"alone", "secret_access_key: {secret1}\n", false},
		{"masked", "access_key_id: AKIA****************\nsecret_access_key: {secret1}\n", false},
		{"says_aws", "AWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={secret1}\n", false},
		{"local_endpoint", "AWS_ACCESS_KEY_ID=minioadmin\nAWS_SECRET_ACCESS_KEY={secret1}\nAWS_ENDPOINT_URL=http://localhost:9000\n", true},
		{"local_endpoint_in_a_call", `client("s3", endpoint_url="http://localhost:4566", aws_access_key_id="test", aws_secret_access_key="{secret1}")`, true},
		{"local_endpoint_and_no_id", "AWS_SECRET_ACCESS_KEY={secret1}\nAWS_ENDPOINT_URL=http://localhost:9000\n", false},
		{"local_id_and_no_endpoint", "AWS_ACCESS_KEY_ID=test\nAWS_SECRET_ACCESS_KEY={secret1}\n", false},
		{"local_endpoint_and_a_masked_id", "AWS_ACCESS_KEY_ID=AKIA****\nAWS_SECRET_ACCESS_KEY={secret1}\nAWS_ENDPOINT_URL=http://localhost:9000\n", false},
		{"below_aws", "AWS:\n  accessKey: {id}\n  secretKey: {secret1}\n", false},
		{"another_stanza", "AccessKeyId={id}\n\nSecretAccessKey={secret1}\n", false},
		{"no_value", "AccessKeyId=$ACCESS_KEY_ID\nSecretAccessKey={secret1}\n", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := detectorstest.Fill(strings.ReplaceAll(tt.text, "{id}", id))
			m := Detector{}.Detect(nil, []byte(text))
			if len(m) != 1 || (OtherStore(&m[0]) != "") != tt.other {
				t.Errorf("%d matches, of another store: %v", len(m), !tt.other)
			}
		})
	}
}

// TestNamesGrow: finding the names of values takes memory in proportion to the text, however
// it is nested, and however long its names and rows are.
func TestNamesGrow(t *testing.T) {
	for name, make := range map[string]func(n int) string{
		"nested": func(n int) string {
			return strings.Repeat(`{"a":`, n) + `"{secret1}","b":"{AKIA1}"` + strings.Repeat("}", n)
		},
		"indents": func(n int) string { return nestedLines(n/100) + "secret: {secret1}\nid: {AKIA1}\n" },
		"columns": func(n int) string {
			return strings.Repeat("secret,", n) + "id\n" + strings.Repeat("{secret1},", n/10) + "{AKIA1}\n"
		},
		"name": func(n int) string { return strings.Repeat("secret_", 10*n) + "={secret1}\nid={AKIA1}\n" },
		"inserted": func(n int) string {
			return "INSERT INTO t (a, aws_secret) VALUES (" + strings.Repeat("1, '{secret1}'), (", n/10) + "1, '{AKIA1}')"
		},
		"arguments": func(n int) string { return "f(" + strings.Repeat("(x,\n", n) + "'{secret1}', '{AKIA1}'" },
		"records": func(n int) string {
			return strings.Repeat("- name: aws_secret\n  value: {secret1}\n", n/10) + "{AKIA1}\n"
		},
	} {
		t.Run(name, func(t *testing.T) {
			cost := func(n int) uint64 {
				text := []byte(detectorstest.Fill(make(n)))
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				Detector{}.Detect(nil, text)
				runtime.ReadMemStats(&after)
				return after.TotalAlloc - before.TotalAlloc
			}
			cost(10_000) // compiles patterns
			if small, large := cost(2_500), cost(10_000); large > 6*small+1<<18 {
				t.Errorf("%d bytes for 4 times the text, %d before", large, small)
			}
		})
	}
}

func nestedLines(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}
