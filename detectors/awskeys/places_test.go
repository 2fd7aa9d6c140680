package awskeys

import (
	"testing"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

// TestPlaces: a value has its name by its place, or far from it, with an id in the text or
// without.
func TestPlaces(t *testing.T) {
	const (
		first   = "aws-secret-key - {secret1} -"
		second  = "aws-secret-key - {secret2} -"
		anybody = "aws-secret-key - {secret1} - ?"
		pair    = "aws-access-key {AKIA1} {secret1} -"
		pair2   = "aws-access-key {AKIA2} {secret2} -"
	)
	for kind, rows := range map[string][]struct {
		text string
		want []string
	}{
		"insert": {
			{"INSERT INTO t (id, aws_secret_key) VALUES (1,'{secret1}')", []string{first}},
			{"INSERT INTO t (aws_secret_key, id) VALUES ('{secret1}', 1)", []string{first}},
			{"insert into t (id, name, aws_secret_key) values (1, 'x', '{secret1}'), (2, 'y', '{secret2}');", []string{first, second}},
			{"INSERT INTO [t] ([id], [created], [aws_secret_key])\nVALUES\n  (1, NOW(), N'{secret1}'),\n  (2, NOW(), N'{secret2}')\n", []string{first, second}},
			{"INSERT INTO `t` (\n  `id`,\n  `aws_secret_key`\n) VALUES (\n  1,\n  '{secret1}'\n);", []string{first}},
			{"INSERT INTO t (id, aws_key, aws_secret) VALUES (1,'{AKIA1}','{secret1}'),(2,'{AKIA2}','{secret2}')", []string{pair, pair2}},
			{"INSERT INTO t (aws_key, jwt_secret, aws_secret) VALUES ('{AKIA1}', '{secret2}', '{secret1}')", []string{pair, "aws-secret-key - {secret2} - ?"}},
			{"INSERT INTO t (value, name) VALUES ('{secret1}', 'aws_secret_key'), ('{secret2}', 'jwt')", []string{first}},
			{"INSERT INTO aws_keys (id, secret_key) VALUES (1, '{secret1}')", []string{first}},
			{"INSERT INTO t (aws_secret_key, etag) VALUES ('', '{secret1}')", nil},
			{"INSERT INTO t (id, aws_secret_key) VALUES (1, 'x', '{secret1}')", nil},
			{"COPY t (id, aws_secret_key) FROM stdin;\n1\t{secret1}\n2\t{secret2}\n\\.\n", []string{first, second}},
			{"COPY t (id, aws_key, aws_secret_key, note) FROM stdin;\n1\t{AKIA1}\t{secret1}\tx\n", []string{pair}},
		},
		"update": {
			{"UPDATE config SET value='{secret1}' WHERE name='aws_secret_key'", []string{first}},
			{"update t set value = '{secret1}', at = now() where app = 'x' and `key` = 'aws_secret_key';", []string{first}},
			{"UPDATE t\nSET value = '{secret1}'\nWHERE app = 'x'\n  AND name = 'aws_secret_key';", []string{first}},
			{"UPDATE [t] SET [value] = N'{secret1}' WHERE [key] = N'aws_secret_key'\nUPDATE [t] SET [value] = N'x' WHERE [key] = N'jwt'", []string{first}},
			{"UPDATE t SET value='{AKIA1}' WHERE name='aws_key';\nUPDATE t SET value='{secret1}' WHERE name='aws_secret';", []string{pair}},
			{"UPDATE t SET value='{secret1}' WHERE name='x'; UPDATE t SET value='x' WHERE name='aws_secret_key';", nil},
			{"The value is {secret1}, where the name = aws_secret_key.", nil},
		},
		"call": {
			{"config('AWS_SECRET_KEY', default='{secret1}')", []string{first}},
			{"x = config(\n    'AWS_SECRET_KEY',\n    default='{secret1}',\n)", []string{first}},
			{"parser.add_argument(\n    '--aws-secret-key',\n    type=str,\n    help='the secret',\n    default='{secret1}',\n)", []string{first}},
			{"parser.add_argument('-s',\n                    '--aws-secret-key',\n                    default='{secret1}')", []string{first}},
			{"@click.option(\n    \"--aws-secret-key\",\n    \"-s\",\n    default=\"{secret1}\",\n)", []string{first}},
			{"p.add_argument('--aws-key',\n               default='{AKIA1}')\np.add_argument('--aws-secret',\n               default='{secret1}')", []string{pair}},
			{"p.add_argument(\n    '--aws-secret-key',\n    default='',\n)\np.add_argument(\n    '--etag',\n    default='{secret1}',\n)", nil},
			{"upload(\n    aws_secret_key,\n    \"etag\",\n    \"{secret1}\",\n)", nil},
			{"it(\"checks the aws secret key\", () => {\n  expect(hash).toBe(\"{secret1}\");\n});", nil},
		},
		"constructor": {
			{"Aws::Credentials.new(ENV['K'],'{secret1}')", []string{first}},
			{"new BasicAWSCredentials(key, \"{secret1}\")", []string{first}},
			{"AwsBasicCredentials.create(\n    System.getenv(\"K\"),\n    \"{secret1}\")", []string{first}},
			{"new AWS.Credentials(process.env.K, '{secret1}', token)", []string{first}},
			{"new BasicAWSCredentials(\"{AKIA1}\", \"{secret1}\")", []string{pair}},
			{"f(new BasicAWSCredentials(\"{AKIA1}\", \"{secret1}\"), \"{secret3}\");", []string{pair, "aws-access-key {AKIA1} {secret3} - #1"}},
			{"put(new BasicAWSCredentials(\"{AKIA1}\",\"{secret1}\"), \"{secret3}\");\nput(new BasicAWSCredentials(\"{AKIA2}\",\"{secret2}\"), \"{secret4}\");", []string{
				pair, "aws-access-key {AKIA1} {secret3} - #1", "aws-access-key {AKIA1} {secret4} - #2",
				pair2, "aws-access-key {AKIA2} {secret4} - #1", "aws-access-key {AKIA2} {secret3} - #2",
			}},
			{"String basicSecret = \"{secret3}\";\nx = new BasicAWSCredentials(\"{AKIA1}\", \"{secret1}\");", []string{pair, "aws-access-key {AKIA1} {secret3} - #1", "aws-secret-key - {secret3} - ?"}},
			{"new GoogleCredentials(key, \"{secret1}\")", nil},
			{"verifyAwsCredentialsHash(name, \"{secret1}\")", nil},
			{"new AwsSessionCredentials(id, key, \"{secret1}\")", nil},
		},
		"property": {
			{"public string AwsSecretKey { get; set; } = \"{secret1}\";", []string{first}},
			{"    public static string? AwsAnalyticsSecretAccessKey { get; private set; } = @\"{secret1}\";", []string{first}},
			{"public string AwsKey { get; set; } = \"{AKIA1}\";\npublic string AwsSecret { get; set; } = \"{secret1}\";", []string{pair}},
			{"public string AwsSecretKey { get; set; }\npublic string Etag { get; set; } = \"{secret1}\";", nil},
			{"if (x) { aws_secret_key(); } etag = \"{secret1}\";", nil},
		},
		"scalar": {
			{"aws_secret_key: >-\n  {secret1}\n", []string{first}},
			{"config:\n  aws:\n    secret_key: |2-\n      {secret1}\n", []string{first}},
			{"aws_secret_keys:\n  - >-\n    {secret1}\n", []string{first}},
			{"aws_key: >-\n  {AKIA1}\naws_secret: >-\n  {secret1}\njwt: >-\n  {secret2}\n", []string{pair}},
			{"aws_secret_key: >-\n  x\netag: >-\n  {secret1}\n", nil},
		},
		"dialogue": {
			{"expect \"AWS Secret Access Key\"\nsend \"{secret1}\\r\"", []string{first}},
			{"expect -re \"AWS Secret Access Key .*\"\nsend -- \"{secret1}\\n\"", []string{first}},
			{"child.expect('AWS Secret Access Key')\nchild.sendline('{secret1}')", []string{first}},
			{"expect \"AWS Access Key ID*:\"\nsend \"{AKIA1}\\r\"\nexpect \"AWS Secret Access Key*:\"\nsend \"{secret1}\\r\"\nexpect \"jwt\"\nsend \"{secret2}\\r\"", []string{pair}},
			{"expect \"AWS Secret Access Key\"\nsend \"\\r\"\nexpect \"JWT\"\nsend \"{secret1}\\r\"", nil},
			{"// checks the aws secret key\nres.send(\"{secret1}\")", nil},
		},
		"cdata": {
			{"<awsSecretKey><![CDATA[{secret1}]]></awsSecretKey>", []string{first}},
			{"<aws>\n  <secretKey>\n    <![CDATA[{secret1}]]>\n  </secretKey>\n</aws>", []string{first}},
			{"<entry key=\"aws_secret_key\"><![CDATA[{secret1}]]></entry>", []string{first}},
			{"<aws>\n  <key><![CDATA[{AKIA1}]]></key>\n  <secret><![CDATA[{secret1}]]></secret>\n</aws>", []string{pair}},
			{"<x><awsSecretKey><![CDATA[x]]></awsSecretKey><etag><![CDATA[{secret1}]]></etag></x>", nil},
		},
		"element": {
			{"<property>\n  <name>aws.secret.key</name>\n  <description>of the user\n  who writes, a: b\n  </description>\n  <value>{secret1}</value>\n</property>", []string{first}},
			{"<property>\n<name>aws.secret.key</name>\n<description>of the user\n   who writes</description>\n<value>{secret1}</value>\n</property>", []string{first}},
			{"<dl>\n  <dt>AWS secret\n     key</dt>\n  <dd>{secret1}</dd>\n</dl>", []string{first}},
			{"<p>\n  <name>aws.key</name>\n  <description>of\nx</description>\n  <value>{AKIA1}</value>\n</p>\n<p>\n  <name>aws.secret</name>\n  <description>of\nx</description>\n  <value>{secret1}</value>\n</p>", []string{pair}},
			{"<p>\n  <name>aws.secret.key</name>\n  <value>x</value>\n</p>\n<p>\n  <name>etag</name>\n  <description>of\n  x</description>\n  <value>{secret1}</value>\n</p>", nil},
		},
		"name": {
			{"AWS_SK={secret1}", []string{first}},
			{"awsSk: '{secret1}'", []string{first}},
			{"aws_ak = {AKIA1}\naws_sk = {secret1}", []string{pair}},
			{"AWS_A_AK={AKIA1}\nAWS_B_AK={AKIA2}\nAWS_B_SK={secret2}\nAWS_A_SK={secret1}", []string{pair, pair2}},
			{"ECR_SECRET={secret1}", []string{first}},
			{"BEDROCK_SECRET={secret1}", []string{first}},
			{"bedrock_webhook_secret={secret1}", []string{anybody}},
			{"TASK_AWS_SKU={secret1}", nil},
		},
	} {
		t.Run(kind, func(t *testing.T) {
			for _, row := range rows {
				detectorstest.Accept(t, Detector{}, row.text, row.want...)
				if row.want != nil && !(Detector{}).MayMatchNear([]byte(detectorstest.Fill(row.text))) {
					t.Errorf("the prefilter rules out %q", row.text)
				}
			}
		})
	}
}
