package activity

// Kinds of things that let somebody in.
const (
	User              = "user"
	AccessKey         = "access key"
	ConsolePassword   = "console password"
	ServiceCredential = "service credential"
	SSHKey            = "SSH key"
	Role              = "role"
	TrustPolicy       = "trust policy of a role"
	UserPolicy        = "inline policy of a user"
	RolePolicy        = "inline policy of a role"
	GroupPolicy       = "inline policy of a group"
	AttachedToUser    = "policy attached to a user"
	AttachedToRole    = "policy attached to a role"
	AttachedToGroup   = "policy attached to a group"
	PolicyVersion     = "policy version"
	GroupMember       = "membership in a group"
	Provider          = "identity provider"
	Session           = "session"
	Shared            = "access from other accounts"
)

// makers are the calls that make something which outlives a key. The fields are those of
// each API in the service models of AWS, with a small first letter as CloudTrail writes them.
var makers = map[string]maker{
	// IAM: who may come in.
	"iam:CreateUser": {User, true, "request.userName|response.user.userName", "",
		"aws iam list-access-keys --user-name {name}", "aws iam delete-user --user-name {name}"},
	"iam:CreateAccessKey": {AccessKey, true, "response.accessKey.accessKeyId", "response.accessKey.userName|request.userName",
		"aws iam get-access-key-last-used --access-key-id {name}", "aws iam update-access-key --access-key-id {name} --user-name {of} --status Inactive"},
	"iam:UpdateAccessKey": {AccessKey, true, "request.accessKeyId", "request.userName",
		"aws iam get-access-key-last-used --access-key-id {name}", "aws iam update-access-key --access-key-id {name} --user-name {of} --status Inactive"},
	"iam:CreateLoginProfile": {ConsolePassword, true, "", "request.userName|response.loginProfile.userName",
		"aws iam get-login-profile --user-name {of}", "aws iam delete-login-profile --user-name {of}"},
	"iam:UpdateLoginProfile": {ConsolePassword, true, "", "request.userName",
		"aws iam get-login-profile --user-name {of}", "aws iam delete-login-profile --user-name {of}"},
	"iam:CreateServiceSpecificCredential": {ServiceCredential, true, "response.serviceSpecificCredential.serviceSpecificCredentialId", "response.serviceSpecificCredential.userName|request.userName",
		"aws iam list-service-specific-credentials --user-name {of}", "aws iam update-service-specific-credential --service-specific-credential-id {name} --user-name {of} --status Inactive"},
	"iam:ResetServiceSpecificCredential": {ServiceCredential, true, "request.serviceSpecificCredentialId", "response.serviceSpecificCredential.userName|request.userName",
		"aws iam list-service-specific-credentials --user-name {of}", "aws iam update-service-specific-credential --service-specific-credential-id {name} --user-name {of} --status Inactive"},
	"iam:UpdateServiceSpecificCredential": {ServiceCredential, true, "request.serviceSpecificCredentialId", "request.userName",
		"aws iam list-service-specific-credentials --user-name {of}", "aws iam update-service-specific-credential --service-specific-credential-id {name} --user-name {of} --status Inactive"},
	"iam:UploadSSHPublicKey": {SSHKey, true, "response.sSHPublicKey.sSHPublicKeyId", "response.sSHPublicKey.userName|request.userName",
		"aws iam list-ssh-public-keys --user-name {of}", "aws iam update-ssh-public-key --ssh-public-key-id {name} --user-name {of} --status Inactive"},
	"iam:UpdateSSHPublicKey": {SSHKey, true, "request.sSHPublicKeyId", "request.userName",
		"aws iam list-ssh-public-keys --user-name {of}", "aws iam update-ssh-public-key --ssh-public-key-id {name} --user-name {of} --status Inactive"},
	"iam:UploadSigningCertificate": {"signing certificate", true, "response.certificate.certificateId", "response.certificate.userName|request.userName",
		"aws iam list-signing-certificates --user-name {of}", "aws iam update-signing-certificate --certificate-id {name} --user-name {of} --status Inactive"},
	"iam:UpdateSigningCertificate": {"signing certificate", true, "request.certificateId", "request.userName",
		"aws iam list-signing-certificates --user-name {of}", "aws iam update-signing-certificate --certificate-id {name} --user-name {of} --status Inactive"},
	"iam:EnableMFADevice": {"MFA device", true, "request.serialNumber", "request.userName",
		"aws iam list-mfa-devices --user-name {of}", "aws iam deactivate-mfa-device --user-name {of} --serial-number {name}"},
	"iam:CreateRole": {Role, true, "request.roleName|response.role.roleName", "",
		"aws iam get-role --role-name {name}", "aws iam delete-role --role-name {name}"},
	"iam:UpdateAssumeRolePolicy": {TrustPolicy, true, "", "request.roleName",
		"aws iam get-role --role-name {of}", ""},
	"iam:CreateSAMLProvider": {Provider, true, "response.sAMLProviderArn", "",
		"aws iam get-saml-provider --saml-provider-arn {name}", "aws iam delete-saml-provider --saml-provider-arn {name}"},
	"iam:UpdateSAMLProvider": {Provider, true, "request.sAMLProviderArn", "",
		"aws iam get-saml-provider --saml-provider-arn {name}", ""},
	"iam:CreateOpenIDConnectProvider": {Provider, true, "response.openIDConnectProviderArn", "",
		"aws iam get-open-id-connect-provider --open-id-connect-provider-arn {name}", "aws iam delete-open-id-connect-provider --open-id-connect-provider-arn {name}"},
	"iam:AddClientIDToOpenIDConnectProvider": {Provider, true, "request.openIDConnectProviderArn", "",
		"aws iam get-open-id-connect-provider --open-id-connect-provider-arn {name}", ""},
	"iam:UpdateOpenIDConnectProviderThumbprint": {Provider, true, "request.openIDConnectProviderArn", "",
		"aws iam get-open-id-connect-provider --open-id-connect-provider-arn {name}", ""},
	"rolesanywhere:CreateTrustAnchor": {Provider, true, "response.trustAnchor.trustAnchorId", "",
		"aws rolesanywhere get-trust-anchor --trust-anchor-id {name}", "aws rolesanywhere disable-trust-anchor --trust-anchor-id {name}"},
	"rolesanywhere:CreateProfile": {Provider, true, "response.profile.profileId", "",
		"aws rolesanywhere get-profile --profile-id {name}", "aws rolesanywhere disable-profile --profile-id {name}"},

	// IAM: what they may do.
	"iam:PutUserPolicy": {UserPolicy, true, "request.policyName", "request.userName",
		"aws iam get-user-policy --user-name {of} --policy-name {name}", "aws iam delete-user-policy --user-name {of} --policy-name {name}"},
	"iam:PutRolePolicy": {RolePolicy, true, "request.policyName", "request.roleName",
		"aws iam get-role-policy --role-name {of} --policy-name {name}", "aws iam delete-role-policy --role-name {of} --policy-name {name}"},
	"iam:PutGroupPolicy": {GroupPolicy, true, "request.policyName", "request.groupName",
		"aws iam get-group-policy --group-name {of} --policy-name {name}", "aws iam delete-group-policy --group-name {of} --policy-name {name}"},
	"iam:AttachUserPolicy": {AttachedToUser, true, "request.policyArn", "request.userName",
		"aws iam list-attached-user-policies --user-name {of}", "aws iam detach-user-policy --user-name {of} --policy-arn {name}"},
	"iam:AttachRolePolicy": {AttachedToRole, true, "request.policyArn", "request.roleName",
		"aws iam list-attached-role-policies --role-name {of}", "aws iam detach-role-policy --role-name {of} --policy-arn {name}"},
	"iam:AttachGroupPolicy": {AttachedToGroup, true, "request.policyArn", "request.groupName",
		"aws iam list-attached-group-policies --group-name {of}", "aws iam detach-group-policy --group-name {of} --policy-arn {name}"},
	"iam:CreatePolicy": {"policy", true, "response.policy.arn", "",
		"aws iam get-policy --policy-arn {name}", "aws iam delete-policy --policy-arn {name}"},
	"iam:CreatePolicyVersion": {PolicyVersion, true, "response.policyVersion.versionId", "request.policyArn",
		"aws iam get-policy-version --policy-arn {of} --version-id {name}", "aws iam delete-policy-version --policy-arn {of} --version-id {name}"},
	"iam:SetDefaultPolicyVersion": {PolicyVersion, true, "request.versionId", "request.policyArn",
		"aws iam list-policy-versions --policy-arn {of}", ""},
	"iam:CreateGroup": {"group", false, "request.groupName", "",
		"aws iam get-group --group-name {name}", "aws iam delete-group --group-name {name}"},
	"iam:AddUserToGroup": {GroupMember, true, "request.groupName", "request.userName",
		"aws iam get-group --group-name {name}", "aws iam remove-user-from-group --group-name {name} --user-name {of}"},
	"iam:CreateInstanceProfile": {"instance profile", false, "request.instanceProfileName", "",
		"aws iam get-instance-profile --instance-profile-name {name}", "aws iam delete-instance-profile --instance-profile-name {name}"},
	"iam:AddRoleToInstanceProfile": {"role in an instance profile", true, "request.roleName", "request.instanceProfileName",
		"aws iam get-instance-profile --instance-profile-name {of}", "aws iam remove-role-from-instance-profile --instance-profile-name {of} --role-name {name}"},
	"ec2:AssociateIamInstanceProfile": {"role given to an instance", true, "request.AssociateIamInstanceProfileRequest.InstanceId|response.AssociateIamInstanceProfileResponse.iamInstanceProfileAssociation.instanceId", "",
		"aws ec2 describe-iam-instance-profile-associations --filters Name=instance-id,Values={name}", ""},

	// IAM Identity Center and the organization.
	"sso:CreateAccountAssignment": {"assignment of IAM Identity Center", true, "request.principalId", "request.permissionSetArn", "", ""},
	"sso:CreatePermissionSet":     {"permission set of IAM Identity Center", true, "response.permissionSet.permissionSetArn", "", "", ""},
	"identitystore:CreateUser":    {"user of IAM Identity Center", true, "response.userId", "", "", ""},
	"organizations:CreateAccount": {"account", true, "response.createAccountStatus.accountName|request.accountName", "", "aws organizations list-accounts", ""},
	"organizations:InviteAccountToOrganization": {"account invited to the organization", true, "request.target.id", "",
		"aws organizations list-handshakes-for-organization", ""},
	"organizations:RegisterDelegatedAdministrator": {"delegated administrator", true, "request.accountId", "request.servicePrincipal",
		"aws organizations list-delegated-administrators", "aws organizations deregister-delegated-administrator --account-id {name} --service-principal {of}"},

	// Sessions.
	"sts:GetSessionToken":    {Session, true, "response.credentials.accessKeyId", "", "", ""},
	"sts:GetFederationToken": {Session, true, "response.credentials.accessKeyId", "request.name", "", ""},
	"sts:AssumeRole":         {Session, true, "response.credentials.accessKeyId", "request.roleArn", "", ""},
	"sts:AssumeRoot":         {Session, true, "response.credentials.accessKeyId", "request.targetPrincipal", "", ""},

	// Other accounts.
	"s3:PutBucketPolicy": {Shared, true, "", "request.bucketName",
		"aws s3api get-bucket-policy --bucket {of}", "aws s3api delete-bucket-policy --bucket {of}"},
	"s3:PutBucketAcl": {Shared, true, "", "request.bucketName",
		"aws s3api get-bucket-acl --bucket {of}", "aws s3api put-bucket-acl --bucket {of} --acl private"},
	"s3:PutBucketReplication": {Shared, true, "", "request.bucketName",
		"aws s3api get-bucket-replication --bucket {of}", "aws s3api delete-bucket-replication --bucket {of}"},
	"lambda:AddPermission": {Shared, true, "request.statementId", "request.functionName",
		"aws lambda get-policy --function-name {of}", "aws lambda remove-permission --function-name {of} --statement-id {name}"},
	"lambda:CreateFunctionUrlConfig": {"address of a function on the internet", true, "response.functionUrl", "request.functionName",
		"aws lambda get-function-url-config --function-name {of}", "aws lambda delete-function-url-config --function-name {of}"},
	"ec2:ModifySnapshotAttribute": {Shared, true, "", "request.snapshotId",
		"aws ec2 describe-snapshot-attribute --snapshot-id {of} --attribute createVolumePermission", "aws ec2 reset-snapshot-attribute --snapshot-id {of} --attribute createVolumePermission"},
	"ec2:ModifyImageAttribute": {Shared, true, "", "request.imageId",
		"aws ec2 describe-image-attribute --image-id {of} --attribute launchPermission", "aws ec2 reset-image-attribute --image-id {of} --attribute launchPermission"},
	"rds:ModifyDBSnapshotAttribute": {Shared, true, "", "request.dBSnapshotIdentifier",
		"aws rds describe-db-snapshot-attributes --db-snapshot-identifier {of}", ""},
	"kms:CreateGrant": {Shared, true, "response.grantId", "request.keyId",
		"aws kms list-grants --key-id {of}", "aws kms revoke-grant --key-id {of} --grant-id {name}"},
	"kms:PutKeyPolicy": {Shared, true, "", "request.keyId",
		"aws kms get-key-policy --key-id {of} --policy-name default", ""},
	"secretsmanager:PutResourcePolicy": {Shared, true, "", "request.secretId",
		"aws secretsmanager get-resource-policy --secret-id {of}", "aws secretsmanager delete-resource-policy --secret-id {of}"},
	"ecr:SetRepositoryPolicy": {Shared, true, "", "request.repositoryName",
		"aws ecr get-repository-policy --repository-name {of}", "aws ecr delete-repository-policy --repository-name {of}"},
	"events:PutPermission": {Shared, true, "request.statementId", "request.eventBusName",
		"aws events describe-event-bus", "aws events remove-permission --statement-id {name}"},
	"eks:CreateAccessEntry": {"access to a cluster", true, "request.principalArn", "request.name",
		"aws eks list-access-entries --cluster-name {of}", "aws eks delete-access-entry --cluster-name {of} --principal-arn {name}"},
	"ec2:AuthorizeSecurityGroupIngress": {"open port", true, "", "request.groupId",
		"aws ec2 describe-security-groups --group-ids {of}", ""},
	"ec2:CreateKeyPair": {"key pair", true, "request.keyName", "",
		"aws ec2 describe-key-pairs --key-names {name}", "aws ec2 delete-key-pair --key-name {name}"},
	"ec2:ImportKeyPair": {"key pair", true, "request.keyName", "",
		"aws ec2 describe-key-pairs --key-names {name}", "aws ec2 delete-key-pair --key-name {name}"},

	// Things that run.
	"ec2:RunInstances": {"instance", false, "response.instancesSet.items.[].instanceId", "",
		"aws ec2 describe-instances --instance-ids {name}", "aws ec2 terminate-instances --instance-ids {name}"},
	"ec2:RequestSpotInstances": {"spot request", false, "response.spotInstanceRequestSet.items.[].spotInstanceRequestId", "",
		"aws ec2 describe-spot-instance-requests --spot-instance-request-ids {name}", "aws ec2 cancel-spot-instance-requests --spot-instance-request-ids {name}"},
	"ec2:RequestSpotFleet": {"spot fleet", false, "response.spotFleetRequestId", "",
		"aws ec2 describe-spot-fleet-instances --spot-fleet-request-id {name}", "aws ec2 cancel-spot-fleet-requests --spot-fleet-request-ids {name} --terminate-instances"},
	"ec2:CreateLaunchTemplate": {"launch template", false, "request.CreateLaunchTemplateRequest.LaunchTemplateName|request.launchTemplateName", "",
		"aws ec2 describe-launch-template-versions --launch-template-name {name}", "aws ec2 delete-launch-template --launch-template-name {name}"},
	"autoscaling:CreateAutoScalingGroup": {"auto scaling group", false, "request.autoScalingGroupName", "",
		"aws autoscaling describe-auto-scaling-groups --auto-scaling-group-names {name}", "aws autoscaling delete-auto-scaling-group --force-delete --auto-scaling-group-name {name}"},
	"lambda:CreateFunction": {"function", false, "request.functionName|response.functionName", "",
		"aws lambda get-function --function-name {name}", "aws lambda delete-function --function-name {name}"},
	"lambda:UpdateFunctionCode": {"code of a function", true, "", "request.functionName",
		"aws lambda get-function --function-name {of}", ""},
	"lambda:UpdateFunctionConfiguration": {"configuration of a function", true, "", "request.functionName",
		"aws lambda get-function-configuration --function-name {of}", ""},
	"ecs:CreateCluster": {"cluster", false, "request.clusterName|response.cluster.clusterName", "",
		"aws ecs list-tasks --cluster {name}", "aws ecs delete-cluster --cluster {name}"},
	"ecs:RegisterTaskDefinition": {"task definition", false, "response.taskDefinition.taskDefinitionArn", "",
		"aws ecs describe-task-definition --task-definition {name}", "aws ecs deregister-task-definition --task-definition {name}"},
	"ecs:CreateService": {"service", false, "request.serviceName", "request.cluster",
		"aws ecs describe-services --cluster {of} --services {name}", "aws ecs delete-service --force --cluster {of} --service {name}"},
	"ecs:RunTask": {"task", false, "response.tasks.[].taskArn", "request.cluster",
		"aws ecs describe-tasks --cluster {of} --tasks {name}", "aws ecs stop-task --cluster {of} --task {name}"},
	"eks:CreateCluster": {"cluster", false, "request.name", "",
		"aws eks describe-cluster --name {name}", "aws eks delete-cluster --name {name}"},
	"cloudformation:CreateStack": {"stack", false, "response.stackId|request.stackName", "",
		"aws cloudformation describe-stack-resources --stack-name {name}", "aws cloudformation delete-stack --stack-name {name}"},
	"ssm:SendCommand": {"command on instances", true, "response.command.commandId", "",
		"aws ssm list-command-invocations --details --command-id {name}", "aws ssm cancel-command --command-id {name}"},
	"s3:CreateBucket": {"bucket", false, "request.bucketName", "",
		"aws s3api list-objects-v2 --max-items 20 --bucket {name}", ""},
}
