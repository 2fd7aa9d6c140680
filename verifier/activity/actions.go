package activity

import (
	"regexp"
	"strings"
	"sync"
)

// Harm is how much harm an action does in the hands of an intruder. The numbers are those of
// the risks of facts.
type Harm int

// The harms.
const (
	Looks Harm = 1 // it finds something out, or does little
	Takes Harm = 2 // it reads secrets of others, or costs money
	Stays Harm = 3 // it gives rights, lets somebody in again, or hides tracks
)

// An Action is a call of AWS that matters in an incident.
type Action struct {
	Name string // service:Name, as policies have it
	// Granted is the harm if a key may do it, Done the harm if the key did it.
	Granted, Done Harm
	// Asked says that IAM's simulation is asked whether a key may do it.
	Asked bool
}

// Actions are the calls that intruders are known for: those that AWS's quarantine policies
// (AWSCompromisedKeyQuarantineV3) deny, those of its advice on compromised keys, and the ways
// to more rights. Other calls do no more than Looks.
var Actions = []Action{
	// Other ways in.
	{"iam:CreateUser", Stays, Stays, false},
	{"iam:UpdateUser", Stays, Stays, false},
	{"iam:CreateAccessKey", Stays, Stays, true},
	{"iam:UpdateAccessKey", Stays, Stays, false},
	{"iam:CreateLoginProfile", Stays, Stays, true},
	{"iam:UpdateLoginProfile", Stays, Stays, true},
	{"iam:CreateServiceSpecificCredential", Stays, Stays, false},
	{"iam:ResetServiceSpecificCredential", Stays, Stays, false},
	{"iam:UpdateServiceSpecificCredential", Stays, Stays, false},
	{"iam:UploadSSHPublicKey", Stays, Stays, false},
	{"iam:UploadSigningCertificate", Stays, Stays, false},
	{"iam:CreateSAMLProvider", Stays, Stays, false},
	{"iam:UpdateSAMLProvider", Stays, Stays, false},
	{"iam:CreateOpenIDConnectProvider", Stays, Stays, false},
	{"iam:AddClientIDToOpenIDConnectProvider", Stays, Stays, false},
	{"iam:UpdateOpenIDConnectProviderThumbprint", Stays, Stays, false},
	{"iam:DeactivateMFADevice", Stays, Stays, false},
	{"iam:DeleteVirtualMFADevice", Stays, Stays, false},
	{"iam:EnableMFADevice", Stays, Stays, false},
	{"rolesanywhere:CreateTrustAnchor", Stays, Stays, false},
	{"rolesanywhere:CreateProfile", Stays, Stays, false},
	{"rolesanywhere:UpdateTrustAnchor", Stays, Stays, false},
	{"rolesanywhere:EnableTrustAnchor", Stays, Stays, false},
	{"rolesanywhere:UpdateProfile", Stays, Stays, false},
	{"rolesanywhere:EnableProfile", Stays, Stays, false},
	{"iam:ChangePassword", Takes, Stays, false},
	{"iam:EnableOrganizationsRootSessions", Stays, Stays, false},
	{"iam:EnableOrganizationsRootCredentialsManagement", Stays, Stays, false},
	{"cognito-identity:SetIdentityPoolRoles", Stays, Stays, false},
	{"sso:AttachManagedPolicyToPermissionSet", Stays, Stays, false},
	{"sso:AttachCustomerManagedPolicyReferenceToPermissionSet", Stays, Stays, false},
	{"sso:PutInlinePolicyToPermissionSet", Stays, Stays, false},
	{"identitystore:CreateGroupMembership", Stays, Stays, false},
	{"sso-directory:CreateUser", Stays, Stays, false},
	{"sso-directory:AddMemberToGroup", Stays, Stays, false},
	{"sso-directory:UpdatePassword", Stays, Stays, false},
	{"sso-directory:CreateBearerToken", Stays, Stays, false},
	{"transfer:CreateUser", Takes, Stays, false},
	{"transfer:ImportSshPublicKey", Takes, Stays, false},
	{"sso:CreateAccountAssignment", Stays, Stays, false},
	{"sso:CreatePermissionSet", Stays, Stays, false},
	{"identitystore:CreateUser", Stays, Stays, false},
	{"sts:AssumeRole", Takes, Stays, true},
	{"sts:AssumeRoot", Stays, Stays, false},
	{"sts:GetFederationToken", Stays, Stays, false},
	{"sts:GetSessionToken", Looks, Stays, false},
	{"signin:GetSigninToken", Stays, Stays, false},
	{"signin:ConsoleLogin", Stays, Stays, false},

	// More rights.
	{"iam:AttachUserPolicy", Stays, Stays, true},
	{"iam:AttachRolePolicy", Stays, Stays, true},
	{"iam:AttachGroupPolicy", Stays, Stays, true},
	{"iam:PutUserPolicy", Stays, Stays, true},
	{"iam:PutRolePolicy", Stays, Stays, true},
	{"iam:PutGroupPolicy", Stays, Stays, true},
	{"iam:AddUserToGroup", Stays, Stays, true},
	{"iam:CreatePolicyVersion", Stays, Stays, true},
	{"iam:SetDefaultPolicyVersion", Stays, Stays, true},
	{"iam:CreateRole", Stays, Stays, false},
	{"iam:UpdateAssumeRolePolicy", Stays, Stays, true},
	{"iam:PassRole", Stays, Stays, true},
	{"iam:DeleteUserPolicy", Stays, Stays, false},
	{"iam:DetachUserPolicy", Stays, Stays, false},
	{"iam:DeleteRolePolicy", Stays, Stays, false},
	{"iam:DetachRolePolicy", Stays, Stays, false},
	{"iam:DeleteUserPermissionsBoundary", Stays, Stays, false},
	{"iam:PutUserPermissionsBoundary", Stays, Stays, false},
	{"iam:DeleteRolePermissionsBoundary", Stays, Stays, false},
	{"iam:PutRolePermissionsBoundary", Stays, Stays, false},
	{"iam:AddRoleToInstanceProfile", Stays, Stays, false},
	{"ec2:AssociateIamInstanceProfile", Stays, Stays, false},
	{"ec2:ReplaceIamInstanceProfileAssociation", Stays, Stays, false},
	{"lambda:UpdateFunctionCode", Takes, Stays, true},
	{"lambda:UpdateFunctionConfiguration", Takes, Stays, false},
	{"lambda:AddPermission", Takes, Stays, false},
	{"lambda:CreateFunctionUrlConfig", Takes, Stays, false},
	{"ssm:SendCommand", Stays, Stays, true},
	{"ssm:StartSession", Stays, Stays, false},
	{"ssm:StartAutomationExecution", Stays, Stays, false},
	{"ssm:CreateAssociation", Stays, Stays, false},
	{"ssm:CreateActivation", Stays, Stays, false},
	{"lambda:UpdateFunctionUrlConfig", Takes, Stays, false},
	{"ecs:ExecuteCommand", Stays, Stays, false},
	{"ec2-instance-connect:SendSSHPublicKey", Stays, Stays, false},
	{"ec2-instance-connect:SendSerialConsoleSSHPublicKey", Stays, Stays, false},
	{"ec2:ModifyInstanceAttribute", Takes, Stays, false},
	{"eks:CreateAccessEntry", Stays, Stays, false},
	{"eks:AssociateAccessPolicy", Stays, Stays, false},

	// Tracks and warnings.
	{"cloudtrail:StopLogging", Stays, Stays, true},
	{"cloudtrail:DeleteTrail", Stays, Stays, false},
	{"cloudtrail:UpdateTrail", Stays, Stays, false},
	{"cloudtrail:PutEventSelectors", Stays, Stays, false},
	{"guardduty:DeleteDetector", Stays, Stays, false},
	{"guardduty:UpdateDetector", Stays, Stays, false},
	{"guardduty:CreateFilter", Stays, Stays, false},
	{"guardduty:CreateIPSet", Stays, Stays, false},
	{"guardduty:DisassociateFromMasterAccount", Stays, Stays, false},
	{"guardduty:DisassociateFromAdministratorAccount", Stays, Stays, false},
	{"securityhub:DisableSecurityHub", Stays, Stays, false},
	{"config:StopConfigurationRecorder", Stays, Stays, false},
	{"config:DeleteConfigurationRecorder", Stays, Stays, false},
	{"config:DeleteDeliveryChannel", Stays, Stays, false},
	{"access-analyzer:DeleteAnalyzer", Stays, Stays, false},
	{"ec2:DeleteFlowLogs", Stays, Stays, false},
	{"logs:DeleteLogGroup", Stays, Stays, false},
	{"logs:DeleteLogStream", Stays, Stays, false},
	{"monitoring:DeleteAlarms", Stays, Stays, false},
	{"monitoring:DisableAlarmActions", Stays, Stays, false},
	{"events:DeleteRule", Stays, Stays, false},
	{"events:DisableRule", Stays, Stays, false},
	{"budgets:DeleteBudget", Stays, Stays, false},
	{"account:PutAlternateContact", Stays, Stays, false},
	{"account:DeleteAlternateContact", Stays, Stays, false},
	{"account:StartPrimaryEmailUpdate", Stays, Stays, false},
	{"account:AcceptPrimaryEmailUpdate", Stays, Stays, false},
	{"account:EnableRegion", Takes, Stays, false},
	{"organizations:AcceptHandshake", Stays, Stays, false},
	{"organizations:EnableAWSServiceAccess", Stays, Stays, false},
	{"organizations:LeaveOrganization", Stays, Stays, true},
	{"organizations:CreateAccount", Stays, Stays, false},
	{"organizations:InviteAccountToOrganization", Stays, Stays, false},
	{"organizations:RegisterDelegatedAdministrator", Stays, Stays, false},
	{"organizations:DetachPolicy", Stays, Stays, false},
	{"organizations:DeletePolicy", Stays, Stays, false},

	// Data, for other accounts or for everybody.
	{"s3:PutBucketPolicy", Stays, Stays, false},
	{"s3:PutBucketAcl", Stays, Stays, false},
	{"s3:PutBucketReplication", Stays, Stays, false},
	{"s3:PutBucketPublicAccessBlock", Takes, Stays, false},
	{"s3:DeleteBucketPublicAccessBlock", Stays, Stays, false},
	{"s3:PutAccountPublicAccessBlock", Takes, Stays, false},
	{"s3:DeleteAccountPublicAccessBlock", Stays, Stays, false},
	{"s3:DeleteBucket", Takes, Stays, false},
	{"s3:PutBucketLifecycle", Takes, Stays, false},
	{"s3:GetObject", Takes, Looks, true},
	{"s3:ListAllMyBuckets", Looks, Looks, true},
	{"ec2:ModifySnapshotAttribute", Stays, Stays, false},
	{"ec2:ModifyImageAttribute", Stays, Stays, false},
	{"rds:ModifyDBSnapshotAttribute", Stays, Stays, false},
	{"rds:ModifyDBClusterSnapshotAttribute", Stays, Stays, false},
	{"redshift:AuthorizeSnapshotAccess", Stays, Stays, false},
	{"ram:CreateResourceShare", Stays, Stays, false},
	{"ram:AssociateResourceShare", Stays, Stays, false},
	{"ssm:ModifyDocumentPermission", Stays, Stays, false},
	{"logs:PutSubscriptionFilter", Takes, Stays, false},
	{"kms:CreateGrant", Takes, Stays, false},
	{"kms:PutKeyPolicy", Stays, Stays, false},
	{"kms:ScheduleKeyDeletion", Stays, Stays, false},
	{"kms:Decrypt", Takes, Looks, true},
	{"secretsmanager:GetSecretValue", Stays, Stays, true},
	{"secretsmanager:BatchGetSecretValue", Stays, Stays, false},
	{"secretsmanager:PutResourcePolicy", Stays, Stays, false},
	{"ssm:GetParameters", Takes, Takes, false},
	{"ec2:GetPasswordData", Takes, Takes, false},
	{"ecr:SetRepositoryPolicy", Stays, Stays, false},
	{"events:PutPermission", Stays, Stays, false},

	// Money.
	{"ec2:RunInstances", Takes, Stays, true},
	{"ec2:RequestSpotInstances", Takes, Stays, false},
	{"ec2:RequestSpotFleet", Takes, Stays, false},
	{"ec2:CreateFleet", Takes, Stays, false},
	{"ec2:CreateKeyPair", Takes, Stays, false},
	{"ec2:ImportKeyPair", Takes, Stays, false},
	{"ec2:AuthorizeSecurityGroupIngress", Takes, Stays, false},
	{"autoscaling:CreateAutoScalingGroup", Takes, Stays, false},
	{"lambda:CreateFunction", Takes, Stays, true},
	{"ecs:CreateCluster", Takes, Stays, false},
	{"ecs:RunTask", Takes, Stays, false},
	{"ecs:CreateService", Takes, Stays, false},
	{"eks:CreateCluster", Takes, Stays, false},
	{"cloudformation:CreateStack", Takes, Stays, true},
	{"cloudformation:UpdateStack", Takes, Stays, false},
	{"cloudformation:ExecuteChangeSet", Takes, Stays, false},
	{"cloudformation:CreateStackSet", Takes, Stays, false},
	{"cloudformation:CreateStackInstances", Takes, Stays, false},
	{"cloudcontrolapi:CreateResource", Takes, Stays, false},
	{"cloudcontrolapi:UpdateResource", Takes, Stays, false},
	{"glue:CreateDevEndpoint", Takes, Stays, true},
	{"sagemaker:CreateNotebookInstance", Takes, Stays, false},
	{"lightsail:CreateInstances", Takes, Stays, false},
	{"codebuild:CreateProject", Takes, Stays, false},
	{"servicequotas:RequestServiceQuotaIncrease", Takes, Stays, false},
	{"bedrock:InvokeModel", Takes, Stays, true},
	{"bedrock:InvokeModelWithResponseStream", Takes, Stays, false},
	{"bedrock:Converse", Takes, Stays, false},
	{"bedrock:PutUseCaseForModelAccess", Takes, Stays, false},
	{"bedrock:CreateFoundationModelAgreement", Takes, Stays, false},
	{"bedrock:DeleteModelInvocationLoggingConfiguration", Stays, Stays, false},
	{"ses:SendEmail", Takes, Stays, true},
	{"ses:GetSendQuota", Looks, Stays, false},
	{"ses:PutAccountDetails", Takes, Stays, false},
	{"ses:CreateEmailIdentity", Takes, Stays, false},
	{"ses:VerifyEmailIdentity", Takes, Stays, false},
	{"sns:Publish", Takes, Takes, false},
}

// byName are Actions by name.
var byName = sync.OnceValue(func() map[string]Action {
	m := map[string]Action{}
	for _, a := range Actions {
		m[a.Name] = a
	}
	return m
})

// Harm is how much harm the calls did. Those that were refused did less.
func (c Calls) Harm() Harm {
	done := max(byName()[c.Action].Done, Looks)
	if c.Code != "" {
		done = max(done-1, Looks)
	}
	return done
}

// version is the version of an API at the end of a name, as Lambda and CloudFront write it:
// UpdateFunctionCode20150331v2, CreateDistribution2020_05_31.
var version = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(20\d{6}|20\d\d_\d\d_\d\d)(v\d+)?$`) })

// unversioned returns the name of a call without the version of an API.
func unversioned(name string) string {
	if short := version().ReplaceAllString(name, ""); strings.TrimSpace(short) != "" {
		return short
	}
	return name
}
