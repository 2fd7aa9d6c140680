package awskeys

import (
	"strconv"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/candidates"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/pairing"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/services"
)

// Rules implements detectors.Detector.
func (Detector) Rules() []*detectors.Rule {
	return []*detectors.Rule{
		AccessKey, SessionKey, SecretKey, ServiceCredential,
		services.BedrockKey, services.BedrockSession, services.SMTPPassword, services.ServicePassword,
		services.PresignedURL, services.ECRToken, services.EKSToken, services.SSOToken, services.AppSyncKey, services.MWSToken, services.CloudFrontKey,
	}
}

// AccessKey is the rule of long-term keys.
var AccessKey = &detectors.Rule{
	ID:       "aws-access-key",
	Title:    "AWS access key",
	Keywords: []string{"AKIA"},
	Escaped:  []string{"AKIA"},
	Encoded:  []string{"AKIA" + keyformat.BodyPattern},
	Help: `A long-term access key of an IAM user or of the root user: an id that begins with AKIA, and its secret.

**Why it matters.** With its secret it is a login that needs no second factor and never expires. Whoever holds it is that user, from anywhere.

**What to do.** Deactivate it in IAM (it can be activated again), look in CloudTrail for what it did, replace it by a role or by a new key, then delete it. Removing it from the repository shuts nothing off: whoever cloned it has it. A key of the root user: deactivate, and do not replace.

**How it is verified.** ` + "`sts:GetCallerIdentity`" + `, signed with the key, says whether it is live and whose it is. A key that stands with the endpoint of another store (MinIO, Spaces, R2 …) is tagged and never sent.

**What matches.** AKIA and 16 capital letters or digits that stand on their own. Before and after may be no letter or digit, other than one that ends an escape sequence (a newline as \n, %3D, a terminal colour); an underscore may. An id within a run of base64 is no match.

**Its secret** is 40 characters of base64 that look like 30 random bytes: no SHA-1, no words, no text in base64. Ids and secrets of a text are paired by the names that they are assigned to (DEV_KEY_ID and DEV_SECRET), then by place, order, name and shape. AWS_SECRET_ACCESS_KEY and its like come first. The name of a value may stand on its line, in a field of its record (name: and value: of a list), in the key of a record around it (a variable of Terraform), in its row of a table or at the head of its column. A secret with the name of something else (UPLOADER_SECRET, a token) is taken only if nothing else fits and it is within a few lines, with medium confidence; so is a value whose own name says neither secret nor AWS (uploader_key). One that names another service (JWT_SECRET, aws_jwt_secret, secret below jwt:), and one that is called a hash or a commit, never is: the service that is named nearest before the word for secret has it. The three nearest secrets without any name are possible for an id that has none: STS is asked, and only a pair that it proves is reported. More than ` + strconv.Itoa(pairing.MaxLines) + ` lines apart, only names of one group belong together. An id in a presigned URL or another signed request has its secret on its line or not at all. One id has at most ` + strconv.Itoa(pairing.MaxCandidates) + ` candidates; each after the first is tried only if STS says that the id is live and the secret before it is not its own, and is reported only if it is proved.

**Parts in several texts.** An id without a secret, or whose secrets STS refused, looks for one in other texts of the repository or directory: secrets that stand alone and are called one. The signals, strongest first, are the same path in another version, the same commit, the same directory. A secret near an ARN of another account is passed over; names of different groups (DEV_…, PROD_…) go last. A pair that STS proves is reported with high confidence; one that it was not asked about with medium or low confidence, if no other secret fits the id as well, and no other id the secret.

**What is known offline.** The account, from ids issued since about March 2019; that the key is probably of the root user, from the form of rootkey.csv; that it is of the IAM user of a Terraform state or of a console download.`,
}

// SessionKey is the rule of temporary keys.
var SessionKey = &detectors.Rule{
	ID:           "aws-session-key",
	Title:        "AWS temporary access key",
	Keywords:     append([]string{"ASIA"}, candidates.TokenMarks...),
	Escaped:      append([]string{"ASIA"}, candidates.TokenMarks...),
	DistantParts: [][]string{candidates.TokenMarks},
	Encoded:      []string{"ASIA" + keyformat.BodyPattern, "IQoJb3JpZ2lu", "AgoJb3JpZ2lu", "FwoGZXIvYXdz", "FQoGZXIvYXdz", "FQoDYXdzE"},
	Help: `A temporary access key with its session token, from AWS STS: an id that begins with ASIA, a secret and a token without which both are useless. Caches of the AWS CLI hold them, and logs.

**Why it matters.** Until it expires it is the role or the user that it was issued for.

**What to do.** It expires after 36 hours at the latest and cannot be deactivated on its own. If it has not expired, revoke the sessions of its role (IAM console: role, Revoke sessions) and look in CloudTrail for what it did. Find out where it was issued from: the next one may leak in the same way.

**How it is verified.** A token says when it was issued: one older than 36 hours is expired, and nothing is sent. Others are asked about with ` + "`sts:GetCallerIdentity`" + `.

**What matches.** ASIA ids, as AKIA ids in [aws-access-key](aws-access-key.md). A token is 100 characters or more of base64 that begin as session tokens do. A token that names another account than the id is not paired with it. A token without an id is reported if its clear part can be read. Secret and token may be in other texts than the id.`,
}

// SecretKey is the rule of secret keys without an id.
var SecretKey = &detectors.Rule{
	ID:    "aws-secret-key",
	Title: "AWS secret access key",
	Keywords: []string{
		"ecret", "ECRET", "シークレット", "密钥", "geheim", "Geheim", "GEHEIM", "redential",
		"aws_sk", "AWS_SK", "aws-sk", "aws.sk", "awsSk", "AwsSk", "awsSK",
		"eckey", "ECKEY", "ecKey", "ec_key", "EC_KEY", "ec-key", "EC-KEY", "ec.key", "ec key", "ec Key", "EC KEY", "EC Key",
	},
	Escaped: []string{"ecret", "ECRET"},
	Encoded: []string{
		"ecret_acc", "ECRET_ACC", "ecretAccess", "ecretaccess", "ecret-acc", "ecret.acc", "ecret acc",
		"ws_secret", "WS_SECRET", "wsSecretK", "wsSecretA", "ws-secret", "ws.secret", "awssecret", "AWSSECRET",
		"s3_secret", "S3_SECRET", "s3SecretK", "s3SecretA", "3a.secret", "s3.secret", "ec2_secret", "EC2_SECRET",
		"key_secret", "KEY_SECRET", "KeySecret", "amazon_secret", "AMAZON_SECRET", "amazonSecret",
		// Thanks to its name, an id is found even if a line break cuts it.
		"ccess_key", "CCESS_KEY", "ccess-key", "ccessKeyI",
		// A secret of Kubernetes holds values in base64, and may be in base64 itself.
		"kind: Secret", `kind":"Secret`, `kind": "Secret`,
	},
	Help: `The secret half of an access key, by its name and its shape, without an id in its text or close to it.

**Why it matters.** Without the key id it opens nothing, but ids are no secrets: they are in logs, in presigned URLs and in CloudTrail.

**What to do.** Treat it as leaked. Find the key that it belongs to, deactivate it and replace it.

**How it is verified.** Not on its own: STS needs the id as well. If an id of the same repository fits, they are verified together.

**What matches.** 40 characters of base64 that look random (entropy of 4.25 bits, a digit, changes of class; no hash, no words, no text), called aws_secret_access_key, awsSecretKey, secretAccess…, s3_secret or alike: AWS's name, or that of one of its services, and a word for secret, wherever both stand in the full name (AWS_PROD_SECRET, secret_key below aws:), unless another service is named between them (AWS_JWT_SECRET). The name stands on their line, in the record or the row around them, at the head of their column, or alone on the line above; the second argument of a function that makes credentials of AWS (BasicAWSCredentials) needs none. In a file that holds nothing else, the name of the file is the name of the secret. A value called only secret or SECRET_KEY may be anybody's and is reported only as the secret of an id in another text. A secret that stands with the id of another store (GOOG…, DO00…, LTAI…, any AccessKeyId that is none of AWS) or with its endpoint is tagged and ignored.`,
}

// ServiceCredential is the rule of ids that name credentials but cannot sign.
var ServiceCredential = &detectors.Rule{
	ID:       "aws-service-credential-id",
	Title:    "AWS service credential id",
	Keywords: []string{"ABIA", "ACCA"},
	Escaped:  []string{"ABIA", "ACCA"},
	Encoded:  []string{"ABIA" + keyformat.BodyPattern, "ACCA" + keyformat.BodyPattern},
	Help: `The id of an STS bearer token (ABIA) or of a service-specific credential (ACCA), as CodeCommit, Keyspaces and Bedrock use them.

**Why it matters.** The id alone opens nothing. It says that a password or an API key exists, perhaps nearby.

**What to do.** Look for the password or the API key that belongs to it. With an ACCA id, ` + "`aws iam update-service-specific-credential --service-specific-credential-id ID --status Inactive --user-name USER`" + ` deactivates it.

**How it is verified.** Not at all: these ids sign nothing, and are never sent.

**What matches.** ABIA or ACCA and 16 capital letters or digits that stand on their own. The ids of users, roles, groups, policies, certificates and public keys (AIDA, AROA, AGPA, ANPA, ASCA, APKA …) are names, not credentials: they are never reported, and say which account a secret near them belongs to.`,
}
