package assessment_test

import "net/url"

// details are the users, groups and roles of prod: of three users, deploy and ada have all
// rights, and of two roles one.
func details() string {
	document := url.QueryEscape(`{"Statement":{"Effect":"Allow","Action":"*","Resource":["*"]}}`)
	limited := url.QueryEscape(`{"Statement":[{"Effect":"Allow","Action":["*"],"Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}]}`)
	attached := func(names ...string) string {
		text := ""
		for _, name := range names {
			text += "<member><PolicyName>" + name + "</PolicyName><PolicyArn>arn:aws:iam::aws:policy/" + name + "</PolicyArn></member>"
		}
		return "<AttachedManagedPolicies>" + text + "</AttachedManagedPolicies>"
	}
	return `<GetAccountAuthorizationDetailsResponse><GetAccountAuthorizationDetailsResult><IsTruncated>false</IsTruncated><UserDetailList>
		<member><UserName>deploy</UserName><Arn>arn:aws:iam::222233334444:user/deploy</Arn><GroupList><member>builders</member></GroupList>` +
		attached("AdministratorAccess", "AWSCompromisedKeyQuarantineV3") + `
		<UserPolicyList><member><PolicyName>own</PolicyName><PolicyDocument>` + limited + `</PolicyDocument></member></UserPolicyList>
		<PermissionsBoundary><PermissionsBoundaryArn>arn:aws:iam::222233334444:policy/limit</PermissionsBoundaryArn></PermissionsBoundary></member>
		<member><UserName>ada</UserName><GroupList><member>all</member></GroupList></member><member><UserName>bob</UserName></member></UserDetailList>
		<GroupDetailList><member><GroupName>builders</GroupName>` + attached("PowerUserAccess") + `<GroupPolicyList><member><PolicyName>build</PolicyName>
		<PolicyDocument>` + limited + `</PolicyDocument></member></GroupPolicyList></member>
		<member><GroupName>all</GroupName><GroupPolicyList><member><PolicyName>x</PolicyName><PolicyDocument>` + document + `</PolicyDocument></member></GroupPolicyList></member></GroupDetailList>
		<RoleDetailList><member><RoleName>builder</RoleName><Arn>arn:aws:iam::222233334444:role/ci/builder</Arn>` + attached("PowerUserAccess") + `
		<RoleLastUsed><LastUsedDate>2026-11-01T00:00:00Z</LastUsedDate><Region>eu-west-1</Region></RoleLastUsed></member>
		<member><RoleName>admin</RoleName><AttachedManagedPolicies><member><PolicyName>mine</PolicyName><PolicyArn>arn:aws:iam::222233334444:policy/mine</PolicyArn></member></AttachedManagedPolicies></member></RoleDetailList>
		<Policies><member><Arn>arn:aws:iam::222233334444:policy/mine</Arn><PolicyVersionList>
		<member><Document>` + limited + `</Document><IsDefaultVersion>false</IsDefaultVersion></member>
		<member><Document>` + document + `</Document><IsDefaultVersion>true</IsDefaultVersion></member></PolicyVersionList></member></Policies>
		</GetAccountAuthorizationDetailsResult></GetAccountAuthorizationDetailsResponse>`
}
