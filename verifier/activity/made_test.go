package activity_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/verifier/activity"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestMade: each call makes a thing with a name, and comes with the commands. The forms of
// the events are those of CloudTrail.
func TestMade(t *testing.T) {
	policy := "arn:aws:iam::aws:policy/AdministratorAccess"
	for _, tt := range []struct {
		service, name     string
		request, response object
		want              string
		access            bool
		look, remove      string
	}{
		{"iam", "CreateUser", object{"userName": "mallory"}, nil, "user mallory", true,
			"aws iam list-access-keys --user-name mallory", "aws iam delete-user --user-name mallory"},
		{"iam", "CreateAccessKey", nil, object{"accessKey": object{"accessKeyId": "AK1", "userName": "mallory", "status": "Active"}}, "access key AK1 of mallory", true,
			"aws iam get-access-key-last-used --access-key-id AK1", "aws iam update-access-key --access-key-id AK1 --user-name mallory --status Inactive"},
		{"iam", "CreateAccessKey", nil, object{"accessKey": object{"accessKeyId": "AK1"}}, "access key AK1 of deploy", true, // of the caller
			"aws iam get-access-key-last-used --access-key-id AK1", "aws iam update-access-key --access-key-id AK1 --user-name deploy --status Inactive"},
		{"iam", "UpdateAccessKey", object{"accessKeyId": "AK1", "status": "Active", "userName": "deploy"}, nil, "access key AK1 of deploy", true,
			"aws iam get-access-key-last-used --access-key-id AK1", "aws iam update-access-key --access-key-id AK1 --user-name deploy --status Inactive"},
		{"iam", "UpdateAccessKey", object{"accessKeyId": "AK1", "status": "Inactive", "userName": "deploy"}, nil, "", false, "", ""},
		{"iam", "CreateLoginProfile", object{"userName": "mallory", "passwordResetRequired": false}, nil, "console password of mallory", true,
			"aws iam get-login-profile --user-name mallory", "aws iam delete-login-profile --user-name mallory"},
		{"iam", "CreateServiceSpecificCredential", object{"userName": "deploy", "serviceName": "bedrock.amazonaws.com"},
			object{"serviceSpecificCredential": object{"serviceSpecificCredentialId": "ACCA1", "userName": "deploy"}}, "service credential ACCA1 of deploy", true,
			"aws iam list-service-specific-credentials --user-name deploy", "aws iam update-service-specific-credential --service-specific-credential-id ACCA1 --user-name deploy --status Inactive"},
		{"iam", "UploadSSHPublicKey", object{"userName": "deploy"}, object{"sSHPublicKey": object{"sSHPublicKeyId": "APKA1"}}, "SSH key APKA1 of deploy", true,
			"aws iam list-ssh-public-keys --user-name deploy", "aws iam update-ssh-public-key --ssh-public-key-id APKA1 --user-name deploy --status Inactive"},
		{"iam", "UpdateAssumeRolePolicy", object{"roleName": "admin", "policyDocument": "{}"}, nil, "trust policy of a role of admin", true, "aws iam get-role --role-name admin", ""},
		{"iam", "AttachUserPolicy", object{"userName": "mallory", "policyArn": policy}, nil, "policy attached to a user " + policy + " of mallory", true,
			"aws iam list-attached-user-policies --user-name mallory", "aws iam detach-user-policy --user-name mallory --policy-arn " + policy},
		{"iam", "CreatePolicyVersion", object{"policyArn": policy, "setAsDefault": true}, object{"policyVersion": object{"versionId": "v2"}}, "policy version v2 of " + policy, true,
			"aws iam get-policy-version --policy-arn " + policy + " --version-id v2", "aws iam delete-policy-version --policy-arn " + policy + " --version-id v2"},
		{"iam", "CreateOpenIDConnectProvider", object{"url": "https://x"}, object{"openIDConnectProviderArn": "arn:aws:iam::1:oidc-provider/x"}, "identity provider arn:aws:iam::1:oidc-provider/x", true,
			"aws iam get-open-id-connect-provider --open-id-connect-provider-arn arn:aws:iam::1:oidc-provider/x", "aws iam delete-open-id-connect-provider --open-id-connect-provider-arn arn:aws:iam::1:oidc-provider/x"},
		{"lambda", "CreateFunction20150331", object{"functionName": "miner"}, nil, "function miner", false,
			"aws lambda get-function --function-name miner --region us-east-1", "aws lambda delete-function --function-name miner --region us-east-1"},
		{"lambda", "UpdateFunctionCode20150331v2", object{"functionName": "pay"}, nil, "code of a function of pay", true,
			"aws lambda get-function --function-name pay --region us-east-1", ""},
		{"lambda", "AddPermission20150331v2", object{"functionName": "pay", "statementId": "in"}, nil, "access from other accounts in of pay", true,
			"aws lambda get-policy --function-name pay --region us-east-1", "aws lambda remove-permission --function-name pay --statement-id in --region us-east-1"},
		{"ec2", "ModifySnapshotAttribute", object{"snapshotId": "snap-1", "createVolumePermission": object{"add": object{"items": []any{object{"userId": "1"}}}}}, nil, "access from other accounts of snap-1", true,
			"aws ec2 describe-snapshot-attribute --snapshot-id snap-1 --attribute createVolumePermission --region us-east-1",
			"aws ec2 reset-snapshot-attribute --snapshot-id snap-1 --attribute createVolumePermission --region us-east-1"},
		{"s3", "PutBucketPolicy", object{"bucketName": "data", "bucketPolicy": object{}}, nil, "access from other accounts of data", true,
			"aws s3api get-bucket-policy --bucket data", "aws s3api delete-bucket-policy --bucket data"},
		{"ec2", "RunInstances", nil, object{"instancesSet": object{"items": []any{object{"instanceId": "i-1"}}}}, "instance i-1", false,
			"aws ec2 describe-instances --instance-ids i-1 --region us-east-1", "aws ec2 terminate-instances --instance-ids i-1 --region us-east-1"},
		{"iam", "ChangePassword", nil, nil, "console password of deploy", true, "aws iam get-login-profile --user-name deploy", "aws iam delete-login-profile --user-name deploy"},
		{"rolesanywhere", "UpdateTrustAnchor", object{"trustAnchorId": "t-1"}, nil, "identity provider t-1", true,
			"aws rolesanywhere get-trust-anchor --trust-anchor-id t-1 --region us-east-1", "aws rolesanywhere disable-trust-anchor --trust-anchor-id t-1 --region us-east-1"},
		{"ssm", "CreateAssociation", object{"name": "AWS-RunShellScript"}, object{"associationDescription": object{"associationId": "a-1"}}, "command that instances repeat a-1 of AWS-RunShellScript", true,
			"aws ssm describe-association --association-id a-1 --region us-east-1", "aws ssm delete-association --association-id a-1 --region us-east-1"},
		{"ec2", "ModifyInstanceAttribute", object{"instanceId": "i-1", "userData": "<sensitiveDataRemoved>"}, nil, "start script of an instance of i-1", true,
			"aws ec2 describe-instance-attribute --attribute userData --instance-id i-1 --region us-east-1", ""},
		{"ec2", "ModifyInstanceAttribute", object{"instanceId": "i-1", "disableApiTermination": object{"value": true}}, nil, "", false, "", ""},
		{"rds", "ModifyDBInstance", object{"dBInstanceIdentifier": "db", "masterUserPassword": "****"}, nil, "password of a database of db", true,
			"aws rds describe-db-instances --db-instance-identifier db --region us-east-1", ""},
		{"rds", "ModifyDBInstance", object{"dBInstanceIdentifier": "db", "allocatedStorage": 20}, nil, "", false, "", ""},
		{"eks", "AssociateAccessPolicy", object{"name": "prod", "principalArn": "arn:aws:iam::1:user/x"}, nil, "access to a cluster arn:aws:iam::1:user/x of prod", true,
			"aws eks list-associated-access-policies --cluster-name prod --principal-arn arn:aws:iam::1:user/x --region us-east-1", "aws eks delete-access-entry --cluster-name prod --principal-arn arn:aws:iam::1:user/x --region us-east-1"},
		{"ram", "CreateResourceShare", nil, object{"resourceShare": object{"resourceShareArn": "arn:aws:ram:us-east-1:1:resource-share/x"}}, "access from other accounts of arn:aws:ram:us-east-1:1:resource-share/x", true,
			"aws ram get-resource-shares --resource-owner SELF --resource-share-arns arn:aws:ram:us-east-1:1:resource-share/x --region us-east-1",
			"aws ram delete-resource-share --resource-share-arn arn:aws:ram:us-east-1:1:resource-share/x --region us-east-1"},
		{"ec2", "CreateKeyPair", object{"keyName": "file:///root/.aws/credentials"}, nil, "key pair file:///root/.aws/credentials", true, // which the AWS CLI would read
			"aws ec2 describe-key-pairs --key-names NAME --region us-east-1", "aws ec2 delete-key-pair --key-name NAME --region us-east-1"},

		// A thing with a role acts with its rights.
		{"ec2", "RunInstances", object{"iamInstanceProfile": object{"name": "admin"}}, object{"instancesSet": object{"items": []any{object{"instanceId": "i-1"}}}}, "instance i-1 with admin", true,
			"aws ec2 describe-instances --instance-ids i-1 --region us-east-1", "aws ec2 terminate-instances --instance-ids i-1 --region us-east-1"},
		{"lambda", "CreateFunction20150331", object{"functionName": "tick", "role": "arn:aws:iam::222233334444:role/admin"}, nil, "function tick with arn:aws:iam::222233334444:role/admin", true,
			"aws lambda get-function --function-name tick --region us-east-1", "aws lambda delete-function --function-name tick --region us-east-1"},
		{"ec2", "RunInstances", object{"launchTemplate": object{"launchTemplateId": "lt-1"}}, object{"instancesSet": object{"items": []any{
			object{"instanceId": "i-1", "iamInstanceProfile": object{"arn": "arn:aws:iam::222233334444:instance-profile/web"}}}}}, "instance i-1 with arn:aws:iam::222233334444:instance-profile/web", true,
			"aws ec2 describe-instances --instance-ids i-1 --region us-east-1", "aws ec2 terminate-instances --instance-ids i-1 --region us-east-1"},
		{"cognito-identity", "SetIdentityPoolRoles", object{"identityPoolId": "us-east-1:1", "roles": object{"unauthenticated": "arn:aws:iam::222233334444:role/web"}}, nil,
			"identity provider us-east-1:1 with arn:aws:iam::222233334444:role/web", true, "aws cognito-identity get-identity-pool-roles --identity-pool-id us-east-1:1 --region us-east-1", ""},
		{"scheduler", "CreateSchedule", object{"name": "tick", "target": object{"roleArn": "arn:aws:iam::222233334444:role/admin"}}, nil,
			"result of scheduler:CreateSchedule with arn:aws:iam::222233334444:role/admin", true,
			"aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventId,AttributeValue=event-0 --region us-east-1", ""},
		{"autoscaling", "CreateAutoScalingGroup", object{"autoScalingGroupName": "web", "serviceLinkedRoleARN": "arn:aws:iam::222233334444:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"}, nil,
			"auto scaling group web", false, "aws autoscaling describe-auto-scaling-groups --auto-scaling-group-names web --region us-east-1",
			"aws autoscaling delete-auto-scaling-group --force-delete --auto-scaling-group-name web --region us-east-1"},

		// A thing that makes others, and a shell that goes on when the key is off.
		{"cloudformation", "CreateStack", object{"stackName": "s"}, nil, "stack, with all that it made s", true,
			"aws cloudformation describe-stack-resources --stack-name s --region us-east-1", "aws cloudformation delete-stack --stack-name s --region us-east-1"},
		{"cloudcontrolapi", "CreateResource", object{"typeName": "AWS::IAM::User"}, object{"progressEvent": object{"identifier": "mallory"}}, "resource mallory of AWS::IAM::User", true,
			"aws cloudcontrol get-resource --type-name AWS::IAM::User --identifier mallory --region us-east-1", "aws cloudcontrol delete-resource --type-name AWS::IAM::User --identifier mallory --region us-east-1"},
		{"ssm", "StartSession", object{"target": "i-1"}, object{"sessionId": "deploy-0a"}, "shell on an instance deploy-0a of i-1", true,
			"aws ssm describe-sessions --state Active --filters key=SessionId,value=deploy-0a --region us-east-1", "aws ssm terminate-session --session-id deploy-0a --region us-east-1"},
		{"iam", "UpdateUser", object{"userName": "mallory", "newUserName": "backup"}, nil, "user backup", true, "aws iam list-access-keys --user-name backup", ""},

		// Calls that no table knows.
		{"dynamodb", "PutResourcePolicy", object{"resourceArn": "x"}, nil, "access from other accounts", true,
			"aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventId,AttributeValue=event-0 --region us-east-1", ""},
		{"sqs", "AddPermission", nil, nil, "access from other accounts", true,
			"aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventId,AttributeValue=event-0 --region us-east-1", ""},
		{"ecr", "PutLifecyclePolicy", nil, nil, "", false, "", ""},
		{"amplify", "CreateApp", object{"name": "site"}, nil, "result of amplify:CreateApp", false,
			"aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventId,AttributeValue=event-0 --region us-east-1", ""},
		{"s3", "ListBuckets", nil, nil, "", false, "", ""},

		// Events of a form that nobody expects.
		{"iam", "CreateUser", nil, nil, "user", true, "aws iam list-access-keys --user-name NAME", "aws iam delete-user --user-name NAME"},
		{"iam", "CreateUser", object{"userName": 7}, object{"user": []any{1, nil}}, "user", true, "aws iam list-access-keys --user-name NAME", "aws iam delete-user --user-name NAME"},
		{"iam", "CreateUser", object{"userName": "x; rm -rf ~"}, nil, "user x; rm -rf ~", true, "aws iam list-access-keys --user-name NAME", "aws iam delete-user --user-name NAME"},
		{"iam", "CreateUser", object{"userName": "--debug"}, nil, "user --debug", true, "aws iam list-access-keys --user-name NAME", "aws iam delete-user --user-name NAME"},
		{"ec2", "RunInstances", nil, object{"instancesSet": object{"items": object{"instanceId": "i-1"}}}, "instance", false,
			"aws ec2 describe-instances --instance-ids NAME --region us-east-1", "aws ec2 terminate-instances --instance-ids NAME --region us-east-1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHistory(t)
			h.call(h.key, tt.service, tt.name, time.Hour, object{"requestParameters": tt.request, "responseElements": tt.response})
			log := h.read(h.leaked)
			if tt.want == "" {
				if len(log.Made) != 0 {
					t.Errorf("made %v", log.Made)
				}
				return
			}
			if len(log.Made) != 1 {
				t.Fatalf("made %v", log.Made)
			}
			if m := log.Made[0]; m.String() != tt.want || m.Access != tt.access || m.Look != tt.look || m.Remove != tt.remove || m.By != h.key {
				t.Errorf("%s, %v\nlook   %s\nremove %s", m, m.Access, m.Look, m.Remove)
			}
		})
	}
}

// TestStrangeEvents: what cannot be read is told as such, and costs nothing else.
func TestStrangeEvents(t *testing.T) {
	h := newHistory(t)
	events := []string{
		`{"EventTime":"noon","CloudTrailEvent":7}`,
		`{"EventTime":1,"EventName":"CreateUser","EventSource":"iam.amazonaws.com","CloudTrailEvent":"{"}`,
		`{"EventName":"x","CloudTrailEvent":"{\"eventName\":[],\"userIdentity\":\"me\",\"requestParameters\":[[[]]],\"sourceIPAddress\":{}}"}`,
		`{"CloudTrailEvent":"` + strings.Repeat("[", 20000) + `"}`,
		`"event"`, `null`,
		`{"EventName":"` + strings.Repeat("A", 1<<20) + `"}`,
	}
	h.Change(prod, func(a *verifiertest.Account) {
		a.Answers["cloudtrail:LookupEvents"] = `{"Events":[` + strings.Join(events, ",") + `]}`
	})
	log := h.read(time.Time{})
	if len(log.Unread) != 0 {
		t.Errorf("unread %v", log.Unread)
	}
	n := 0
	for _, c := range log.Calls {
		n += c.N
	}
	if n != 2*(len(events)-1) { // in two regions; one is older than the history
		t.Errorf("%d events are told: %+v", n, log.Calls)
	}
}

// TestHarm: the calls that intruders are known for, with the version of an API and without.
func TestHarm(t *testing.T) {
	for action, want := range map[string]activity.Harm{
		"iam:CreatePolicyVersion": activity.Stays, "iam:SetDefaultPolicyVersion": activity.Stays, "lambda:UpdateFunctionCode": activity.Stays,
		"cloudtrail:UpdateTrail": activity.Stays, "guardduty:UpdateDetector": activity.Stays, "iam:DeleteUserPolicy": activity.Stays,
		"iam:CreateOpenIDConnectProvider": activity.Stays, "iam:CreateSAMLProvider": activity.Stays, "iam:CreateServiceSpecificCredential": activity.Stays,
		"iam:UploadSSHPublicKey": activity.Stays, "ssm:SendCommand": activity.Stays, "ec2:ModifySnapshotAttribute": activity.Stays,
		"account:PutAlternateContact": activity.Stays, "s3:ListBuckets": activity.Looks, "s3:ListAllMyBuckets": activity.Looks,
	} {
		if got := (activity.Calls{Action: action}).Harm(); got != want {
			t.Errorf("%s: %d, want %d", action, got, want)
		}
		refused := max(want-1, activity.Looks)
		if got := (activity.Calls{Action: action, Code: "AccessDenied"}).Harm(); got != refused {
			t.Errorf("%s, refused: %d, want %d", action, got, refused)
		}
	}
	for _, a := range activity.Actions {
		if service, name, ok := strings.Cut(a.Name, ":"); !ok || service == "" || name == "" || a.Done < activity.Looks || a.Granted < activity.Looks {
			t.Errorf("%+v", a)
		}
	}
}

// TestRootSessions: CloudTrail of the member account tells what a session of its root user did.
// That is said once for many sessions.
func TestRootSessions(t *testing.T) {
	h := newHistory(t)
	for n := range 3 {
		h.call(h.key, "sts", "AssumeRoot", time.Duration(n+1)*time.Hour, object{
			"requestParameters": object{"targetPrincipal": "333344445555"}, "responseElements": object{"credentials": object{"accessKeyId": fmt.Sprintf("ASIA%016d", n)}}})
	}
	log := h.read(h.leaked)
	if len(log.Made) != 3 || len(log.Sessions) != 3 || len(log.Unread) != 1 || !strings.Contains(log.Unread[0].Why, "root user of account 333344445555") {
		t.Errorf("%v %v %v", log.Made, log.Sessions, log.Unread)
	}
}
