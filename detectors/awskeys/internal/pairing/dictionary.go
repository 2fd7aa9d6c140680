package pairing

import "slices"

// The dictionaries. awsNames and secretNames are parts of names as plainName returns them;
// the other lists have words as splitWords returns them. "key" is in no list for secrets:
// ids are keys too.
var (
	awsNames = []string{
		"secretaccesskey", "awssecret", "awsseckey", "secretaccess", "s3secret", "s3asecret", "s3nsecret", "ec2secret",
		"awsaccesskeysecret", "awskeysecret", "amazonsecret",
	}
	secretNames = []string{"secret", "seckey", "シークレット", "密钥", "geheim"}
	// otherSpellings are the words for secret that SaysSecret does not know by "ec".
	otherSpellings = []string{"シークレット", "密钥", "geheim", "Geheim", "GEHEIM", "aws_sk", "AWS_SK", "aws-sk", "aws.sk", "awsSk", "AwsSk", "awsSK"}
	weakWords      = []string{"password", "passwd", "passwort", "pass", "pwd"}
	digestWords    = []string{"sha", "sha1", "sha256", "md5", "hash", "digest", "checksum", "fingerprint", "etag"}
	// notSecretWords end the names of values that are no secrets.
	notSecretWords = append([]string{"arn", "version", "name"}, digestWords...)
	// aspectWords behind a word for secret say that the value is something that a secret has.
	aspectWords = append([]string{"prefix", "suffix", "path", "manager", "rotation"}, notSecretWords...)
	otherWords  = []string{
		"commit", "revision", "rev", "integrity", "nonce", "uuid", "cookie", "csrf", "ciphertext", "sha", "hash",
	}
	tokenWords  = []string{"token", "signature"}
	idWords     = []string{"access", "key", "id", "user", "username", "login"}
	fillerNames = []string{"value", "string", "text"}
	// sendWords end the call that answers the question on the line above, in scripts of expect.
	sendWords = []string{"send", "sendline"}
	// fillerLabels are such labels in records: of "default", "ParameterValue", {"S": "…"}.
	fillerLabels = []string{
		"", "value", "values", "val", "string", "str", "text", "default", "defaults", "content", "contents", "data", "s", "current", "initial", "plaintext",
		"literal", "raw", "body",
	}
	// nameLabels are the words of labels of names: of "name", "ParameterKey", "output_key".
	nameLabels = []string{
		"name", "key", "id", "title", "label", "variable", "parameter", "param", "property", "setting", "field", "header", "attribute",
		"option", "path", "output", "input", "env", "var", "config", "item", "secret", "identifier", "arn", "resource", "dt",
	}
	// providerLabels are labels of the name of a service: "aws".
	providerLabels = slices.Concat(nameLabels, []string{"provider", "type", "kind", "service", "vendor", "platform", "cloud"})
	// descriptionLabels are words of labels of descriptions.
	descriptionLabels = []string{"description", "desc", "comment", "note", "help", "prompt", "doc", "summary", "hint", "display"}
	// smallWords do not tell one key from another.
	smallWords = []string{
		"the", "a", "an", "of", "for", "in", "is", "are", "was", "your", "our", "my", "this", "that", "with", "to", "and", "as", "on", "by", "from", "its", "their", "new", "ak", "sk",
	}
	// codeWords stand before a name in code, and are no part of it.
	codeWords = []string{
		"const", "let", "var", "val", "def", "export", "set", "setx", "env", "arg", "string", "str", "char", "public", "private", "protected", "internal", "static",
		"final", "readonly", "override", "declare", "local", "global", "define", "property", "auto", "return", "if", "echo", "insert", "into",
	}
	// commentMarks begin the lines of comments, and the headings of Markdown.
	commentMarks = []string{"#", "//", "--", "/*", ";"}
	// pairOptions are options whose argument is a name and its value, as in
	// kubectl create secret generic aws --from-literal=foo=…
	pairOptions = []string{"fromliteral", "buildarg", "setstring"}
	// htmlTags are around a value and its name in HTML.
	htmlTags  = []string{"td", "th", "tr", "code", "pre", "b", "i", "em", "strong", "span", "div", "p", "li", "dd", "dt", "br", "tt", "a", "kbd"}
	linkWords = []string{"is", "are", "was"}
	// groupless are parts of names that do not tell one key from another.
	groupless = []string{
		"credentials", "credential", "secrets", "username", "password", "security", "access", "secret", "amazon",
		"login", "export", "value", "string", "name", "user", "pass", "pwd", "aws", "key", "env", "set", "cred", "sec", "id",
	}
	// grouplessTokens are such parts in names of tokens only: a session_secret belongs to a
	// web server.
	grouplessTokens = []string{"session", "token"}
	// foreignWords say that a value without "secret" in its name is not of AWS. A name with
	// "secret" needs no such word: any group in it is foreign.
	foreignWords = slices.Concat(cloudWords, []string{
		"api", "app", "jwt", "session", "cookie", "csrf", "salt", "pepper", "hmac", "encryption", "encrypt", "signing", "webhook", "vault",
		"github", "gitlab", "bitbucket", "slack", "stripe", "azure", "google", "gcp", "firebase", "facebook", "twitter", "discord",
		"telegram", "twilio", "sendgrid", "mailgun", "mailchimp", "sentry", "datadog", "oauth", "auth", "bearer", "ldap", "okta", "auth0", "nextauth", "npm",
		"docker", "recaptcha", "db", "database", "mysql", "postgres", "redis", "mongo", "django", "flask", "rails", "laravel",
		"kafka", "rabbitmq", "elasticsearch", "grafana", "sonar", "sonarqube", "artifactory", "heroku", "circleci", "travis", "pypi", "paypal",
		"shopify", "linkedin", "dropbox", "mapbox", "algolia", "newrelic", "pagerduty", "jira", "atlassian", "keycloak", "saml", "oidc", "totp", "smtp",
		"rds", "alb", "elb", "ingress",
	})
	// purposeWords are such that an AWS_SIGNING_SECRET may be of AWS all the same.
	purposeWords = []string{"api", "app", "signing", "auth", "session", "vault", "smtp"}
	// storeWords are of services that keep secrets of all kinds: AWS Secrets Manager.
	storeWords = []string{"secretsmanager", "manager"}
	// cloudWords are of other clouds and stores, whose clients say "secret access key" too.
	cloudWords = []string{
		"minio", "wasabi", "linode", "vultr", "scw", "scaleway", "oss", "aliyun", "alibaba", "tencent", "cos", "ceph", "spaces", "digitalocean",
		"r2", "b2", "backblaze", "cloudflare", "ovh",
	}
	// clientWords are of the secrets of OAuth clients, which Cognito keeps too.
	clientWords = []string{"client", "cognito"}
	// notKeyWords say that a secret with AWS's name is none of its access keys: the client
	// secret of Cognito, the password of a database. An AWS_API_SECRET is one.
	notKeyWords = slices.Concat(storeWords, clientWords, slices.DeleteFunc(slices.Clone(foreignWords), func(w string) bool { return w == "api" || w == "app" }))
	// keyUsers have passwords or tokens, and no "secret key": an AWS_GITLAB_SECRET_KEY is the
	// key of AWS that GitLab uses.
	keyUsers = []string{
		"github", "gitlab", "bitbucket", "docker", "travis", "circleci", "elasticsearch", "db", "database", "mysql", "postgres", "redis", "mongo",
		"heroku", "grafana", "artifactory", "npm", "pypi", "jira",
	}
	// environmentWords end the keys of records that hold variables of an environment.
	environmentWords = []string{"env", "environment", "variables"}
	// keyServices are services of AWS whose keys are called after them: SES_SECRET_KEY. The
	// secrets of a function of Lambda are those of others.
	keyServices = []string{
		"s3", "s3a", "s3n", "ec2", "iam", "sts", "ses", "sns", "sqs", "dynamodb", "dynamo", "kinesis", "cloudwatch", "cloudfront", "route53",
		"rekognition", "polly", "textract", "transcribe", "ecr", "athena",
	}
	// uniqueServices are those of them whose secrets are keys of AWS, "key" or not.
	uniqueServices = []string{"ecr", "bedrock"}
	// awsServices are groups that are not foreign.
	awsServices = []string{
		"s3", "s3a", "s3n", "ec2", "iam", "sts", "ses", "sns", "sqs", "dynamodb", "dynamo", "cloudfront", "cloudwatch",
		"route53", "kinesis", "rekognition", "polly", "textract", "transcribe", "bedrock", "cognito", "rds", "ecr", "athena",
	}
)
