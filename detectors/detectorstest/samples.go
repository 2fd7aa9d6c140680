package detectorstest

import "time"

// Sample returns a text in which the built-in rule with the ID finds a credential
// that has not expired at now, or "" if the rule has no sample yet. Tests run each
// rule of the catalog on its sample, through every command.
func Sample(rule string, now time.Time) string {
	signed := now.Add(-time.Minute)
	const named = "-at-" + Account
	switch rule {
	case "aws-access-key":
		return Fill("aws_access_key_id = {AKIA1}\naws_secret_access_key = {secret1}\n")
	case "aws-session-key":
		return "AWS_ACCESS_KEY_ID=" + KeyID("ASIA", Account, 1) + "\nAWS_SECRET_ACCESS_KEY=" + SecretKey(1) +
			"\nAWS_SESSION_TOKEN=" + Token(Account, "eu-west-1", signed, 1) + "\n"
	case "aws-secret-key":
		return Fill("aws_secret_access_key = {secret1}\n")
	case "aws-service-credential-id":
		return Fill("id: {ACCA1}\n")
	case "aws-bedrock-api-key":
		return Fill("AWS_BEARER_TOKEN_BEDROCK={bedrock1}\n")
	case "aws-bedrock-session-key":
		return "Authorization: Bearer " + BedrockSession(signed, time.Hour, 1) + "\n"
	case "aws-ses-smtp-password":
		return Fill("SMTP_HOST=email-smtp.us-east-1.amazonaws.com\nSMTP_PASSWORD={smtp1}\n")
	case "aws-service-password":
		return "user=bob" + named + "\npassword=" + ServicePassword(1) + "\n"
	case "aws-presigned-url":
		return "curl '" + Presigned("https://b.s3.eu-west-1.amazonaws.com/k?x=y", "s3", signed, time.Hour, 1) + "'\n"
	case "aws-ecr-token":
		return "docker login -u AWS -p " + ECRToken(now.Add(time.Hour), 1) + " https://" + Account + ".dkr.ecr.eu-west-1.amazonaws.com\n"
	case "aws-eks-token":
		return "token: " + EKSToken(signed, 1) + "\n"
	case "aws-sso-token":
		return `{"startUrl": "https://d-123.awsapps.com/start", "accessToken": "` + SSOToken(1) + `", "expiresAt": "` +
			now.Add(time.Hour).UTC().Format(time.RFC3339) + "\"}\n"
	case "aws-appsync-key":
		return `"aws_appsync_apiKey": "` + AppSyncKey(1) + "\"\n"
	case "aws-mws-token":
		return Fill("MWSAuthToken={mws1}\n")
	case "aws-cloudfront-key":
		return "Key-Pair-Id: APKA" + KeyID("AKIA", Account, 1)[4:] + "\n" + PrivateKey(1) + "\n"
	}
	return ""
}
