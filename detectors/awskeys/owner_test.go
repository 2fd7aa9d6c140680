package awskeys

import (
	"testing"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

// verdicts are how Detect judges a secret: without any id in its text, and beside the id of
// an AWS_ACCESS_KEY_ID.
type verdicts struct{ alone, beside string }

const (
	aws     = "aws-secret-key" // the secret is AWS's
	anybody = "needs an id"    // it may be the secret of an id in another text
	nothing = ""
)

func verdictsOn(t *testing.T, secret string) (v verdicts) {
	t.Helper()
	of := detectorstest.Fill("{secret1}")
	for _, m := range (Detector{}).Detect(nil, []byte(detectorstest.Fill(secret))) {
		if m.Credential.Secret.Reveal() == of {
			if v.alone = aws; m.NeedsID {
				v.alone = anybody
			}
		}
	}
	if v.alone != nothing && !(Detector{}).MayMatchNear([]byte(detectorstest.Fill(secret))) {
		t.Errorf("the prefilter rules out %s", secret)
	}
	for _, m := range (Detector{}).Detect(nil, []byte(detectorstest.Fill("AWS_ACCESS_KEY_ID={AKIA1}\n"+secret))) {
		if m.Credential.ID != "" && m.Credential.Secret.Reveal() == of {
			v.beside = string(m.Confidence)
		}
	}
	return v
}

const (
	high   = string(detectors.High)
	medium = string(detectors.Medium)
)

// TestOwners: the name of AWS or of another service that is nearest before the word for
// secret says whose it is.
func TestOwners(t *testing.T) {
	for name, want := range map[string]verdicts{
		"AWS_SECRET_ACCESS_KEY":           {aws, high},
		"awsSecretAccessKey":              {aws, high},
		"AWS_SECRET_KEY":                  {aws, high},
		"AWS_PROD_SECRET_KEY":             {aws, high},
		"AWS_ACCESS_SECRET":               {aws, high},
		"AWS_API_SECRET":                  {aws, high},
		"aws_app_secret":                  {aws, high},
		"aws_uploads_secret":              {aws, high},
		"SES_SECRET_KEY":                  {aws, high},
		"s3_secret_key":                   {aws, high},
		"AWS_S3_SECRET_ACCESS_KEY":        {aws, high},
		"TF_VAR_aws_secret_key":           {aws, high},
		"cloud.aws.credentials.secretKey": {aws, high},
		"spring.cloud.aws.secret-key":     {aws, high},
		"secret_key_aws":                  {aws, high},
		"secretAws":                       {aws, high},
		"AWS_TOKEN":                       {nothing, high},
		"AWS_PASSWORD":                    {nothing, high},

		// Another service uses a key of AWS.
		"django_aws_secret_key":           {aws, high},
		"jwtAwsSecret":                    {aws, high},
		"travisAwsSecretKey":              {aws, high},
		"circleci_aws_secret_key":         {aws, high},
		"JENKINS_AWS_SECRET_ACCESS_KEY":   {aws, high},
		"github_aws_secret_access_key":    {aws, high},
		"DB_BACKUP_AWS_SECRET_KEY":        {aws, high},
		"AWS_DB_BACKUP_SECRET_ACCESS_KEY": {aws, high},
		"AWS_SECRET_KEY_DOCKER":           {aws, high},
		"AWS_SECRET_ACCESS_KEY_GITHUB":    {aws, high},
		"UPLOADER_AWS_SECRET":             {aws, high},
		"AWS_DOCKER_SECRET_KEY":           {aws, high},
		"AWS_GITLAB_SECRET_KEY":           {aws, high},
		"AWS_DB_BACKUP_SECRET_KEY":        {aws, high},
		"S3_POSTGRES_BACKUP_SECRET_KEY":   {aws, high},
		"SES_CLIENT_SECRET_KEY":           {aws, high},

		"ELASTICSEARCH_S3_CLIENT_DEFAULT_SECRET_KEY": {aws, high},

		// The secret of another service, kept for AWS or there.
		"AWS_DJANGO_SECRET_KEY":          {anybody, nothing},
		"aws_jwt_secret":                 {anybody, nothing},
		"AWS_WEBHOOK_SECRET":             {anybody, nothing},
		"aws.webhook.signing.key":        {nothing, nothing},
		"AWS_LDAP_BIND_PASSWORD":         {nothing, nothing},
		"AWS_DB_PASSWORD":                {nothing, nothing},
		"AWS_RDS_PASSWORD":               {nothing, nothing},
		"aws_stripe_secret_key":          {anybody, nothing},
		"S3_JWT_SECRET_KEY":              {anybody, nothing},
		"AWS_GITHUB_TOKEN":               {nothing, nothing},
		"AWS_GITHUB_SECRET":              {anybody, nothing},
		"awsGitHubSecret":                {anybody, nothing},
		"AWS_COOKIE_SECRET":              {anybody, nothing},
		"AWS_OAUTH_SECRET":               {anybody, nothing},
		"AWS_SLACK_SIGNING_SECRET":       {anybody, nothing},
		"AWS_ENCRYPTION_KEY":             {nothing, nothing},
		"AWS_SESSION_SALT":               {nothing, nothing},
		"aws_cognito_client_secret":      {anybody, nothing},
		"AWS_COGNITO_APP_CLIENT_SECRET":  {anybody, nothing},
		"aws_alb_ingress_secret":         {anybody, nothing},
		"AWS_MINIO_SECRET_ACCESS_KEY":    {anybody, nothing},
		"AWS_SECRET_ACCESS_KEY_MINIO":    {anybody, nothing},
		"aws_wasabi_secret_key":          {anybody, nothing},
		"jwt_secret_aws":                 {anybody, nothing},
		"R2_SECRET_ACCESS_KEY":           {anybody, nothing},
		"AWS_SECRETS_MANAGER_SECRET_KEY": {anybody, high},

		// It may be of AWS or not.
		"AWS_SIGNING_SECRET": {anybody, medium},
		"AWS_AUTH_SECRET":    {anybody, medium},
		"AWS_SESSION_SECRET": {anybody, medium},
		"AWS_VAULT_SECRET":   {anybody, medium},
		"AWS_SMTP_PASSWORD":  {nothing, medium},
		"AWS_SECRET_JWT":     {anybody, medium},
		"AWS_SECRET_STRIPE":  {anybody, medium},
		"AWS_SECRET_SALT":    {anybody, medium},
		"aws.password.salt":  {nothing, medium},
		"lambda_secret":      {anybody, medium},
		"UPLOADER_SECRET":    {anybody, medium},
		"uploader_key":       {nothing, medium},
		"license_key":        {nothing, medium},

		// Something that a secret has.
		"AWS_SECRET_ARN_SUFFIX":  {nothing, nothing},
		"AWS_SECRET_NAME":        {nothing, nothing},
		"AWS_SECRETS_MANAGER_ID": {nothing, nothing},
		"AWS_SECRET_SHA256":      {nothing, nothing},
		"AWS_SECRET_KEY_VERSION": {nothing, nothing},

		// No name of AWS.
		"jwt_secret":          {anybody, nothing},
		"webhook_signing_key": {nothing, nothing},
		"session_salt":        {nothing, nothing},
		"git_sha":             {nothing, nothing},
		"checksum":            {nothing, nothing},
		"github_token":        {nothing, nothing},
		"kafka_password":      {nothing, nothing},
		"django_secret_key":   {anybody, nothing},
		"secret_key":          {anybody, high},
		"my_secret":           {anybody, high},
		"password":            {nothing, high},
		"key":                 {nothing, high},
	} {
		if got := verdictsOn(t, name+"={secret1}\n"); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// TestOwnersAround: records, members, columns and comments say whose a secret is, too.
func TestOwnersAround(t *testing.T) {
	for secret, want := range map[string]verdicts{
		"jwt:\n  secret: {secret1}\n":                                      {anybody, nothing},
		`{"jwt": {"secret": "{secret1}"}}`:                                 {anybody, nothing},
		"app:\n  jwt:\n    secret: {secret1}\n":                            {anybody, nothing},
		"[github]\ntoken = {secret1}\n":                                    {nothing, nothing},
		"jwt {\n  secret = \"{secret1}\"\n}\n":                             {anybody, nothing},
		"<jwt>\n<secret>{secret1}</secret>\n</jwt>\n":                      {anybody, nothing},
		"c['jwt']['secret'] = '{secret1}'\n":                               {anybody, nothing},
		"$c->jwt->secret = '{secret1}';\n":                                 {anybody, nothing},
		"app:\n  secret: {secret1}\n":                                      {anybody, medium},
		"jwt:\n  aws:\n    secret_key: {secret1}\n":                        {aws, high},
		"aws:\n  jwt:\n    secret: {secret1}\n":                            {anybody, nothing},
		"aws:\n  alb:\n    ingress:\n      secret: {secret1}\n":            {anybody, nothing},
		`{"aws":{"api":{"secret":"{secret1}"}}}`:                           {anybody, medium},
		"lambda:\n  secret: {secret1}\n":                                   {anybody, high},
		"aws_secrets:\n  stripe: {secret1}\n":                              {anybody, medium},
		"aws_secret_access_keys:\n  github: {secret1}\n":                   {aws, high},
		"string JwtSecret { get; set; } = \"{secret1}\";\n":                {anybody, nothing},
		"string AwsSecret { get; set; } = \"{secret1}\";\n":                {aws, high},
		"| license key | {secret1} |\n":                                    {nothing, medium},
		"salt = b\"{secret1}\"\n":                                          {nothing, nothing},
		"Authorization: Bearer {secret1}\n":                                {nothing, nothing},
		"x = '{secret1}' # github_token\n":                                 {nothing, medium},
		"x = '{secret1}' # github\n":                                       {nothing, high},
		"UPDATE t SET value='{secret1}' WHERE name='jwt_secret';\n":        {anybody, nothing},
		"echo {secret1} > git_sha\n":                                       {nothing, medium},
		"# GitHub token\nx = {secret1}\n":                                  {nothing, medium},
		"# Django\nSECRET_KEY = {secret1}\n":                               {anybody, medium},
		"# ---\nSECRET_KEY = {secret1}\n":                                  {anybody, high},
		"# of the uploader\nSECRET_KEY = {secret1}\n":                      {anybody, high},
		"kubectl create secret generic aws --from-literal=foo={secret1}\n": {nothing, medium},
		"kubectl create secret generic aws --from-literal foo={secret1}\n": {nothing, medium},
	} {
		if got := verdictsOn(t, secret); got != want {
			t.Errorf("%s: %v, want %v", secret, got, want)
		}
	}
}

// TestOwnersShared: an id and a secret of the record of one service belong together.
func TestOwnersShared(t *testing.T) {
	for _, text := range []string{
		"docker:\n  access_key: {AKIA1}\n  secret_key: {secret1}\n",
		"[docker]\n\naccess_key = {AKIA1}\n\nsecret = {secret1}\n",
		"database:\n  access_key: {AKIA1}\n  backup:\n    secret: {secret1}\n",
		"const-string v0, \"{AKIA1}\"\nconst-string v1, \"{secret1}\"\n",
		"<input name=\"accessKey\" value=\"{AKIA1}\">\n<input name=\"dbHost\" value=\"x\">\n<input name=\"secretKey\" value=\"{secret1}\">\n",
		"github:\n  aws:\n    access_key: {AKIA1}\n  secret: {secret1}\n",
		"github:\n- name: AWS_ID\n  value: {AKIA1}\n- name: SECRET\n  value: {secret1}\n",
		"GITHUB_AWS_KEY_ID={AKIA1}\ngithub:\n  secret: {secret1}\n",
		"class DockerTest:\n    ID = \"{AKIA1}\"\n    def test(self):\n        secret = \"{secret1}\"\n",
	} {
		comparePairs(t, text, "{AKIA1} {secret1} high")
	}
	comparePairs(t, "access_key_id,jwt_secret_key\n{AKIA1},{secret1}\n", "{AKIA1} high")
}
