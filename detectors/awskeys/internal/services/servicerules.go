package services

import (
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
)

// BedrockKey is the rule of long-term API keys of Bedrock.
var BedrockKey = &detectors.Rule{
	ID:       "aws-bedrock-api-key",
	Title:    "Amazon Bedrock API key",
	Keywords: []string{"ABSK"},
	Encoded:  []string{"ABSKQmVkcm9ja0FQSUtleS"},
	Help: `A long-term API key of Amazon Bedrock: ABSK and the base64 of an IAM user's name, the account and a secret. AWS_BEARER_TOKEN_BEDROCK holds such a key.

**Why it matters.** It invokes models at the account's cost, from anywhere, and its user often has more rights than that. It may never expire.

**What to do.** Deactivate it: ` + "`aws iam list-service-specific-credentials --service-name bedrock.amazonaws.com --user-name USER`" + ` names its id, ` + "`aws iam update-service-specific-credential --status Inactive --service-specific-credential-id ID --user-name USER`" + ` shuts it off. The report names user and account.

**How it is verified.** Not by stanch: STS does not know API keys, and to ask Bedrock is to use the key.

**What matches.** ABSK and 100 to 280 characters of base64 on their own. If they decode to USER-at-ACCOUNT:SECRET the confidence is high, else medium.`,
}

// BedrockSession is the rule of short-term API keys of Bedrock.
var BedrockSession = &detectors.Rule{
	ID:       "aws-bedrock-session-key",
	Title:    "Amazon Bedrock short-term API key",
	Keywords: []string{"bedrock-api-key-"},
	Anchors:  []string{"bedrock-api-key-"},
	Encoded:  []string{"bedrock-api-key-"},
	Help: `A short-term API key of Amazon Bedrock: bedrock-api-key- and the base64 of a presigned URL, session token included.

**Why it matters.** Until it expires it invokes models with the rights of the role that made it.

**What to do.** It expires after 12 hours at the latest and cannot be deactivated on its own: revoke the sessions of its role. The report says when it expires.

**How it is verified.** Not by stanch: it is not an access key. Its own date and lifetime say when it is over; then it is reported as expired.

**What matches.** bedrock-api-key- and 100 characters or more of base64. The key id and the token within are parts of it, not findings.`,
}

// SMTPPassword is the rule of SMTP passwords of SES.
var SMTPPassword = &detectors.Rule{
	ID:       "aws-ses-smtp-password",
	Title:    "Amazon SES SMTP password",
	Keywords: []string{"smtp", "SMTP", "Smtp", "AKIA"},
	Encoded:  []string{"smtp_pass", "SMTP_PASS", "SmtpPassw", "smtpPassw", "smtp_passwo"},
	Help: `A password for the SMTP interface of Amazon SES. Its user name is an access key id, and it is derived from that key's secret with a one-way function.

**Why it matters.** It sends mail in the name of the account's domains: spam, and phishing that passes every check.

**What to do.** Deactivate the access key that is its user name. The key of an SMTP user may have more rights than sending mail: look what its user may do.

**How it is verified.** Not by stanch: STS does not take SMTP passwords, and to log in to the mail server is to use it.

**What matches.** 44 characters of base64 whose first byte is 4 (or 2, of the old kind), that look random, and that stand within a few lines of an AKIA id or are called smtp-something.`,
}

// ServicePassword is the rule of service-specific passwords.
var ServicePassword = &detectors.Rule{
	ID:           "aws-service-password",
	Title:        "AWS service-specific password",
	Keywords:     []string{"-at-"},
	Anchors:      []string{"@git-codecommit."},
	DistantParts: [][]string{{ownerMark}, farOwnerNames},
	Encoded:      []string{"@git-codecommit."},
	Help: `A user name and a password that IAM made for one service: CodeCommit over HTTPS, or Amazon Keyspaces.

**Why it matters.** It reads and writes the repositories or the tables that its IAM user may, and never expires.

**What to do.** ` + "`aws iam list-service-specific-credentials --user-name USER`" + ` names its id, ` + "`aws iam update-service-specific-credential --status Inactive --service-specific-credential-id ID --user-name USER`" + ` shuts it off. The report names user and account.

**How it is verified.** Not by stanch: STS does not know these passwords.

**What matches.** A user name that ends in -at- and twelve digits, and after it 43 random characters of base64 and "=", within 56 bytes; within 300 in a text that names CodeCommit or calls it ServicePassword.`,
}

// PresignedURL is the rule of presigned requests.
var PresignedURL = &detectors.Rule{
	ID:       "aws-presigned-url",
	Title:    "AWS presigned URL",
	Keywords: []string{"AKIA", "ASIA"},
	Help: `A request that was signed in advance (S3 downloads, most often; RDS logins as well): whoever has the URL can make it until it expires.

**Why it matters.** It opens one thing, as the user or role that signed it. It holds the key id of the signer, and no secret key.

**What to do.** If it has not expired and opens something that is not public, deactivate the key that signed it or revoke the role's sessions: a presigned URL works no longer than its key.

**How it is verified.** Not by stanch: to ask is to make the request. Date and lifetime are part of the URL. Expired ones are ignored, with the reason. So is the id in them, if it stands nowhere else and has no secret.

**What matches.** X-Amz-Credential, X-Amz-Date, X-Amz-Expires and X-Amz-Signature of Signature Version 4; AWSAccessKeyId, Expires and Signature of Version 2.`,
}

// ECRToken is the rule of authorization tokens of ECR.
var ECRToken = &detectors.Rule{
	ID:       "aws-ecr-token",
	Title:    "Amazon ECR authorization token",
	Keywords: []string{"QVdTOmV5SndZWGxz", "eyJwYXlsb2FkIjoi"},
	Anchors:  []string{"QVdTOmV5SndZWGxz", "eyJwYXlsb2FkIjoi"},
	Encoded:  []string{"QVdTOmV5SndZWGxz", "eyJwYXlsb2FkIjoi"},
	Help: `The login of docker to Amazon ECR: the password of the user AWS, alone or as the auth of a config.json.

**Why it matters.** For 12 hours it pulls, and perhaps pushes, images of the account.

**What to do.** It expires by itself. Until then, revoke the sessions of the role that asked for it, or deactivate the key.

**How it is verified.** Not by stanch: only the registry knows it. Its expiration is part of it; then it is reported as expired.

**What matches.** Base64 of a JSON object with payload, datakey and expiration, or of "AWS:" and such a string. Account and region are those of the nearest dkr.ecr host.`,
}

// EKSToken is the rule of tokens for Kubernetes.
var EKSToken = &detectors.Rule{
	ID:       "aws-eks-token",
	Title:    "Amazon EKS token",
	Keywords: []string{"k8s-aws-v1."},
	Anchors:  []string{"s-v1.aHR0cHM6"},
	Encoded:  []string{"s-v1.aHR0cHM6"},
	Help: `A login to the Kubernetes API of an EKS cluster: k8s-aws-v1. and the base64 of a presigned call of sts:GetCallerIdentity.

**Why it matters.** For 15 minutes it is the user or role that signed it, at any cluster that lets it in.

**What to do.** It expires by itself. Find out where it was printed: the next one may leak in the same way.

**How it is verified.** Not by stanch. Its date is part of it; 15 minutes later it is reported as expired.

**What matches.** k8s-aws-v1. and the base64 of a URL with X-Amz-Credential. The key id within is a part of it, not a finding.`,
}

// SSOToken is the rule of tokens of IAM Identity Center.
var SSOToken = &detectors.Rule{
	ID:       "aws-sso-token",
	Title:    "AWS IAM Identity Center token",
	Keywords: []string{"aoaAAAAA", "aorAAAAA"},
	// awskeys sees the head of a token, unless a character of base64url alone is near it.
	Anchors: []string{`: "` + SSOAccess, `: "` + SSORefresh},
	Encoded: []string{`: "` + SSOAccess, `: "` + SSORefresh},
	Help: `An access token (aoaAAAAA…) or a refresh token (aorAAAAA…) of IAM Identity Center, as ~/.aws/sso/cache holds them, and as Builder ID tools do.

**Why it matters.** The access token fetches credentials for every account and role of its user, for hours; the refresh token gets new access tokens for as long as the session lasts, up to 90 days.

**What to do.** End the session: ` + "`aws sso logout`" + ` on the machine that it is from, or delete the user's active sessions in Identity Center.

**How it is verified.** Not by stanch: STS does not know these tokens. If expiresAt stands with an access token and is past, it is reported as expired.

**What matches.** aoaAAAAA or aorAAAAA and 60 characters or more of base64.`,
}

// AppSyncKey is the rule of API keys of AppSync.
var AppSyncKey = &detectors.Rule{
	ID:           "aws-appsync-key",
	Title:        "AWS AppSync API key",
	Keywords:     []string{"da2-"},
	Anchors:      appSyncNames,
	DistantParts: [][]string{appSyncNames, {appSyncHead}},
	Encoded:      []string{"appsync-api", "appsync_api", "APPSYNC_API"},
	Help: `An API key of an AWS AppSync GraphQL API: da2- and 26 characters.

**Why it matters.** It makes every query that the API allows with a key. Many such keys are meant to be public, as a part of a web page; others are not.

**What to do.** If it is not meant to be public, delete it (` + "`aws appsync delete-api-key --api-id API --id KEY`" + `) and make a new one, or use another way to authenticate.

**How it is verified.** Not by stanch: only the API knows it.

**What matches.** da2- and 26 small letters and digits, in a text that names AppSync or a GraphQL API key.`,
}

// MWSToken is the rule of authorization tokens of the Marketplace Web Service.
var MWSToken = &detectors.Rule{
	ID:       "aws-mws-token",
	Title:    "Amazon MWS authorization token",
	Keywords: []string{"amzn.mws."},
	Anchors:  []string{"amzn.mws.##"},
	Encoded:  []string{"amzn.mws."},
	Help: `A token with which a seller lets a developer use the Amazon Marketplace Web Service.

**Why it matters.** MWS was shut down on 2024-03-31. The token opens nothing any more; it says whose seller account it was.

**What to do.** Remove it. The seller can revoke it in Seller Central.

**How it is verified.** Not by stanch: there is no service left to ask.

**What matches.** amzn.mws. and a UUID in small letters.`,
}

// CloudFrontKey is the rule of private keys of CloudFront.
var CloudFrontKey = &detectors.Rule{
	ID:           "aws-cloudfront-key",
	Title:        "Amazon CloudFront private key",
	Keywords:     []string{"APKA"},
	Encoded:      []string{"APKA" + keyformat.BodyPattern},
	DistantParts: [][]string{{cloudFrontHead}, {"PRIVATE KEY-----"}},
	Help: `The private key of a CloudFront key pair: the content of pk-APKA….pem, or a PEM block beside an APKA id.

**Why it matters.** It signs URLs and cookies for everything that its distributions keep private, with any lifetime.

**What to do.** Make a new key, add it to the key group of the distributions, then remove this one. If it is of the old kind, which root users make, deactivate it under Security credentials.

**How it is verified.** Not by stanch: STS does not know key pairs.

**What matches.** A private key in PEM, in a text that holds an APKA id.`,
}
