package awskeys

import (
	"strconv"

	"github.com/stanch-dev/stanch/detectors"
)

// body is the body of an id in Rule.Encoded.
const body = "################"

// Rules implements detectors.Detector.
func (Detector) Rules() []*detectors.Rule {
	return []*detectors.Rule{
		AccessKey, SessionKey, SecretKey, ServiceCredential,
		BedrockKey, BedrockSession, SMTPPassword, ServicePassword,
		PresignedURL, ECRToken, EKSToken, SSOToken, AppSyncKey, MWSToken, CloudFrontKey,
	}
}

// AccessKey is the rule of long-term keys.
var AccessKey = &detectors.Rule{
	ID:       "aws-access-key",
	Title:    "AWS access key",
	Keywords: []string{"AKIA"},
	Escaped:  []string{"AKIA"},
	Encoded:  []string{"AKIA" + body},
	Help: `A long-term access key of an IAM user or of the root user: an id that begins with AKIA, and its secret.

**Why it matters.** With its secret it is a login that needs no second factor and never expires. Who holds it is that user, from anywhere.

**What to do.** Deactivate it in IAM (it can be activated again), look in CloudTrail for what it did, replace it by a role or by a new key, then delete it. Removing it from the repository shuts nothing off: whoever cloned it has it. A key of the root user: deactivate, and do not replace.

**How it is verified.** ` + "`sts:GetCallerIdentity`" + `, signed with the key, says whether it is live and whose it is. A key that stands with the endpoint of another store (MinIO, Spaces, R2 …) is tagged and never sent.

**What matches.** AKIA and 16 capital letters or digits that stand on their own. Before and after may be no letter or digit, other than one that ends an escape sequence (a newline as \n, %3D, a terminal colour); an underscore may. An id within a run of base64 is no match.

**Its secret** is 40 characters of base64 that look like 30 random bytes: no SHA-1, no words, no text in base64. Ids and secrets of a text are paired by the names that they are assigned to (DEV_KEY_ID and DEV_SECRET), then by place, order, name and shape; the rules are numbered in detectors/awskeys/pair.go. AWS_SECRET_ACCESS_KEY and its like come first. A secret with the name of something else (JWT_SECRET, SALT, a token) is taken only if nothing else fits and it is within a few lines, with medium confidence; one that is called a hash or a commit never is. More than ` + strconv.Itoa(maxLines) + ` lines apart, only names of one group belong together. An id in a presigned URL or another signed request has its secret on its line or not at all. One id has at most ` + strconv.Itoa(maxCandidates) + ` candidates; each after the first is tried only if STS says that the id is live and the secret before it is not its own, and is reported only if it is proved.

**Parts in several texts.** An id without a secret, or whose secrets STS refused, looks for one in other texts of the repository or directory: secrets that stand alone and are called one. The signals, strongest first, are the same path in another version, the same commit, the same directory. A secret near an ARN of another account is passed over; names of different groups (DEV_…, PROD_…) go last. The rules are numbered in scanner/across.go. What STS proves is reported with high confidence; what it was not asked about with medium or low confidence, if no other secret fits the id as well, and no other id the secret.

**What is known offline.** The account, from ids issued since about March 2019; that the key is probably of the root user, from the form of rootkey.csv; that it is of the IAM user of a Terraform state or of a console download.`,
}

// SessionKey is the rule of temporary keys.
var SessionKey = &detectors.Rule{
	ID:           "aws-session-key",
	Title:        "AWS temporary access key",
	Keywords:     append([]string{"ASIA"}, tokenMarks...),
	Escaped:      append([]string{"ASIA"}, tokenMarks...),
	DistantParts: tokenMarks,
	Encoded:      []string{"ASIA" + body, "IQoJb3JpZ2lu", "AgoJb3JpZ2lu", "FwoGZXIvYXdz", "FQoGZXIvYXdz", "FQoDYXdzE"},
	Help: `A temporary access key with its session token, from AWS STS: an id that begins with ASIA, a secret and a token without which both are useless. Caches of the AWS CLI hold them, and logs.

**Why it matters.** Until it expires it is the role or the user that it was issued for.

**What to do.** It expires after 36 hours at the latest and cannot be deactivated on its own. If it has not expired, revoke the sessions of its role (IAM console: role, Revoke sessions) and look in CloudTrail for what it did. Find out where it was issued from: the next one may leak in the same way.

**How it is verified.** A token says when it was issued: one older than 36 hours is expired, and nothing is sent. Others are asked about with ` + "`sts:GetCallerIdentity`" + `.

**What matches.** ASIA ids, as AKIA ids in [aws-access-key](aws-access-key.md). A token is 100 characters or more of base64 that begin as session tokens do. A token that names another account than the id is not paired with it. A token without an id is reported if its clear part can be read. Secret and token may be in other texts than the id.`,
}

// SecretKey is the rule of secret keys without an id.
var SecretKey = &detectors.Rule{
	ID:       "aws-secret-key",
	Title:    "AWS secret access key",
	Keywords: []string{"ecret", "ECRET"},
	Escaped:  []string{"ecret", "ECRET"},
	Encoded: []string{
		"ecret_acc", "ECRET_ACC", "ecretAccess", "ecretaccess", "ecret-acc", "ecret.acc", "ecret acc",
		"ws_secret", "WS_SECRET", "wsSecretK", "wsSecretA", "ws-secret", "ws.secret", "awssecret", "AWSSECRET",
		"s3_secret", "S3_SECRET", "s3SecretK", "s3SecretA", "3a.secret", "s3.secret", "ec2_secret", "EC2_SECRET",
		"key_secret", "KEY_SECRET", "KeySecret", "amazon_secret", "AMAZON_SECRET", "amazonSecret",
		// An id next to its name is found even if a line break cuts it.
		"ccess_key", "CCESS_KEY", "ccess-key", "ccessKeyI",
		// Of Kubernetes: what it holds is in base64 once more.
		"kind: Secret", `kind":"Secret`, `kind": "Secret`,
	},
	Help: `The secret half of an access key, by its name and its shape, without an id in its text or close to it.

**Why it matters.** Without the key id it opens nothing, but ids are no secrets: they are in logs, in presigned URLs and in CloudTrail.

**What to do.** Treat it as leaked. Find the key that it belongs to, deactivate it and replace it.

**How it is verified.** Not on its own: STS needs the id as well. If an id of the same repository fits, they are verified together.

**What matches.** 40 characters of base64 that look random (entropy of 4.25 bits, a digit, changes of class; no hash, no words, no text), called aws_secret_access_key, awsSecretKey, secretAccess…, s3_secret or alike, before them on their line or alone on the line above. What is called only secret or SECRET_KEY may be anybody's and is reported only as the secret of an id in another text. A secret that stands with the id of another store (GOOG…, DO00…, LTAI…) is tagged.`,
}

// ServiceCredential is the rule of ids that name credentials but cannot sign.
var ServiceCredential = &detectors.Rule{
	ID:       "aws-service-credential-id",
	Title:    "AWS service credential id",
	Keywords: []string{"ABIA", "ACCA"},
	Escaped:  []string{"ABIA", "ACCA"},
	Encoded:  []string{"ABIA" + body, "ACCA" + body},
	Help: `The id of an STS bearer token (ABIA) or of a service-specific credential (ACCA), as CodeCommit, Keyspaces and Bedrock use them.

**Why it matters.** The id alone opens nothing. It says that a password or an API key exists, perhaps close by.

**What to do.** Look for the password or the API key that belongs to it. With an ACCA id, ` + "`aws iam update-service-specific-credential --service-specific-credential-id ID --status Inactive --user-name USER`" + ` deactivates it.

**How it is verified.** Not at all: these ids sign nothing, and are never sent.

**What matches.** ABIA or ACCA and 16 capital letters or digits that stand on their own. The ids of users, roles, groups, policies, certificates and public keys (AIDA, AROA, AGPA, ANPA, ASCA, APKA …) are names, not credentials: they are never reported, and say which account a secret near them belongs to.`,
}

// BedrockKey is the rule of long-term API keys of Bedrock.
var BedrockKey = &detectors.Rule{
	ID:       "aws-bedrock-api-key",
	Title:    "Amazon Bedrock API key",
	Keywords: []string{"ABSK"},
	Encoded:  []string{"ABSKQmVkcm9ja0FQSUtleS"},
	Help: `A long-term API key of Amazon Bedrock: ABSK and the base64 of an IAM user's name, the account and a secret. It is what AWS_BEARER_TOKEN_BEDROCK holds.

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

**How it is verified.** Not by stanch: it is no access key. Its own date and lifetime say when it is over; then it is reported as expired.

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
	ID:       "aws-service-password",
	Title:    "AWS service-specific password",
	Keywords: []string{"-at-"},
	Anchors:  []string{"@git-codecommit."},
	Encoded:  []string{"@git-codecommit."},
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

**What to do.** If it has not expired and what it opens is not public, deactivate the key that signed it or revoke the role's sessions: a presigned URL works no longer than its key.

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
	Help: `What docker logs in to Amazon ECR with: the password of the user AWS, alone or as the auth of a config.json.

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
	// Most are seen as tokens are; these, if a character of base64url is near the head.
	Anchors: []string{`: "` + ssoAccess, `: "` + ssoRefresh},
	Encoded: []string{`: "` + ssoAccess, `: "` + ssoRefresh},
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
	DistantParts: appSyncNames,
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
	Encoded:      []string{"APKA" + body},
	DistantParts: []string{"APKA", "PRIVATE KEY-----"},
	Help: `The private key of a CloudFront key pair: what pk-APKA….pem holds, or a PEM block beside an APKA id.

**Why it matters.** It signs URLs and cookies for everything that its distributions keep private, with any lifetime.

**What to do.** Make a new key, add it to the key group of the distributions, then remove this one. Of the old kind, which root users make: deactivate it under Security credentials.

**How it is verified.** Not by stanch: STS does not know key pairs.

**What matches.** A private key in PEM, in a text that holds an APKA id.`,
}
