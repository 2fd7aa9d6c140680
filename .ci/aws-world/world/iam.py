"""IAM: users, keys, roles, other credentials. Functions have the names of AWS's operations."""
import datetime
import time

from .state import Key, Refusal, Role, User, unique_id


def no_such(thing):
    return Refusal(404, "NoSuchEntity", f"{thing} cannot be found.")


def user_of(call):
    name = call.params.get("UserName")
    if name is None:
        if call.caller.user is None:
            raise Refusal(400, "ValidationError", "Must specify userName when calling with non-User credentials")
        return call.caller.user
    if user := call.caller.account.users.get(name.lower()):
        return user
    raise no_such(f"The user with name {name}")


def role_of(call):
    name = call.params["RoleName"]
    if role := call.caller.account.roles.get(name.lower()):
        return role
    raise no_such(f"The role with name {name}")


def principal_of(call):
    return role_of(call) if "RoleName" in call.params else user_of(call)


def page(call, member, items):
    """One page of a list, as IAM's Marker asks for it."""
    start = int(call.params.get("Marker", 0))
    end = start + min(call.world.page, call.params.get("MaxItems", 1000))
    out = {member: items[start:end], "IsTruncated": end < len(items)}
    if end < len(items):
        out["Marker"] = str(end)
    return out


def of_root(call):
    return call.caller.owner is None and "UserName" not in call.params


# Keys


def key_of(call):
    keys = call.caller.account.root_keys if of_root(call) else user_of(call).keys
    for key in keys:
        if key.id == call.params["AccessKeyId"]:
            return key, keys
    raise no_such(f"The Access Key with id {call.params['AccessKeyId']}")


def GetAccessKeyLastUsed(call):
    key = call.world.key(call.params["AccessKeyId"])
    if key is None or key.account is not call.caller.account:
        raise Refusal(403, "AccessDenied", f"User: {call.caller.arn} is not authorized to perform: iam:GetAccessKeyLastUsed on resource: access key {call.params['AccessKeyId']}")
    used = {"Region": key.region, "ServiceName": key.service}
    if key.used:
        used["LastUsedDate"] = key.used.replace(microsecond=0)
    return {"UserName": key.user.name if key.user else "<root_account>", "AccessKeyLastUsed": used}


def key_metadata(key):
    return {"UserName": key.user.name if key.user else "", "AccessKeyId": key.id, "Status": key.status, "CreateDate": key.created}


def ListAccessKeys(call):
    keys = call.caller.account.root_keys if of_root(call) else user_of(call).keys
    return page(call, "AccessKeyMetadata", [key_metadata(key) for key in keys])


def UpdateAccessKey(call):
    key, _ = key_of(call)
    key.status = call.params["Status"]
    key.deactivated = time.time() if key.status == "Inactive" else None
    call.wrote(key.user.name if key.user else "root", f"{key.id} {key.status}")
    return {}


def CreateAccessKey(call):
    user = user_of(call)
    if len(user.keys) > 1:
        raise Refusal(409, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")
    key = Key(user.account, user, call.world.now())
    user.keys.append(key)
    call.wrote(user.name, key.id)
    return {"AccessKey": {**key_metadata(key), "SecretAccessKey": key.secret}}


def DeleteAccessKey(call):
    key, keys = key_of(call)
    keys.remove(key)
    call.wrote(key.user.name if key.user else "root", key.id)
    return {}


# Users and roles


def boundary(principal):
    if not principal.boundary:
        return {}
    return {"PermissionsBoundary": {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": principal.boundary}}


def user_details(user):
    return {"Path": user.path, "UserName": user.name, "UserId": user.id, "Arn": user.arn, "CreateDate": user.created, **boundary(user)}


def role_details(role):
    return {"Path": role.path, "RoleName": role.name, "RoleId": role.id, "Arn": role.arn, "CreateDate": role.created, "AssumeRolePolicyDocument": role.trust,
            "RoleLastUsed": {"LastUsedDate": role.account.world.now() - datetime.timedelta(hours=3), "Region": role.account.world.home}, **boundary(role)}


def ListUsers(call):
    users = sorted(call.caller.account.users.values(), key=lambda user: user.name)
    return page(call, "Users", [user_details(user) for user in users])


def GetUser(call):
    return {"User": user_details(user_of(call))}


def CreateUser(call):
    name = call.params["UserName"]
    if name.lower() in call.caller.account.users:
        raise Refusal(409, "EntityAlreadyExists", f"User with name {name} already exists.")
    user = call.caller.account.users[name.lower()] = User(call.caller.account, name, call.params.get("Path", "/"), call.world.now())
    call.wrote(user.name, user.arn)
    return {"User": user_details(user)}


def ListRoles(call):
    roles = sorted(call.caller.account.roles.values(), key=lambda role: role.name)
    return page(call, "Roles", [role_details(role) for role in roles])


def GetRole(call):
    return {"Role": role_details(role_of(call))}


def CreateRole(call):
    name = call.params["RoleName"]
    role = call.caller.account.roles[name.lower()] = Role(call.caller.account, name, call.params.get("Path", "/"), call.world.now())
    role.trust = call.params["AssumeRolePolicyDocument"]
    call.wrote(role.name, role.arn)
    return {"Role": role_details(role)}


def ListUserTags(call):
    return page(call, "Tags", [{"Key": key, "Value": value} for key, value in user_of(call).tags.items()])


def ListRoleTags(call):
    return page(call, "Tags", [{"Key": key, "Value": value} for key, value in role_of(call).tags.items()])


def ListGroupsForUser(call):
    account = call.caller.account
    return page(call, "Groups", [{"Path": "/", "GroupName": group, "GroupId": unique_id("AGPA"), "Arn": account.arn(f"group/{group}"), "CreateDate": call.world.now()}
                                 for group in user_of(call).groups])


# Passwords, MFA, credentials of single services


def GetLoginProfile(call):
    user = user_of(call)
    if not user.console:
        raise no_such(f"Login Profile for User {user.name}")
    return {"LoginProfile": {"UserName": user.name, "CreateDate": user.created, "PasswordResetRequired": False}}


def CreateLoginProfile(call):
    user = user_of(call)
    user.console = True
    call.wrote(user.name, "password")
    return GetLoginProfile(call)


def ListMFADevices(call):
    user = user_of(call)
    return page(call, "MFADevices", [{"UserName": user.name, "SerialNumber": serial, "EnableDate": user.created} for serial in user.mfa])


def ListServiceSpecificCredentials(call):
    users = call.caller.account.users.values() if call.params.get("AllUsers") else [user_of(call)]
    return {"ServiceSpecificCredentials": [{"UserName": user.name, **credential} for user in users for credential in user.service_credentials]}


def UpdateServiceSpecificCredential(call):
    user = user_of(call)
    for credential in user.service_credentials:
        if credential["ServiceSpecificCredentialId"] == call.params["ServiceSpecificCredentialId"]:
            credential["Status"] = call.params["Status"]
            call.wrote(user.name, credential["Status"])
            return {}
    raise no_such("The credential")


# The account


def GetAccountSummary(call):
    return {"SummaryMap": {"Users": len(call.caller.account.users), "AccountAccessKeysPresent": 1, "AccountMFAEnabled": 0, "AccountSigningCertificatesPresent": 0}}


def GetAccountPasswordPolicy(call):
    raise no_such(f"The Password Policy with domain name {call.caller.account.id}")


def GenerateCredentialReport(_):
    return {"State": "COMPLETE"}


REPORT = ["user", "arn", "user_creation_time", "password_enabled", "password_last_used", "password_last_changed", "password_next_rotation", "mfa_active",
          "access_key_1_active", "access_key_1_last_rotated", "access_key_1_last_used_date", "access_key_1_last_used_region", "access_key_1_last_used_service",
          "access_key_2_active", "access_key_2_last_rotated", "access_key_2_last_used_date", "access_key_2_last_used_region", "access_key_2_last_used_service",
          "cert_1_active", "cert_1_last_rotated", "cert_2_active", "cert_2_last_rotated", "additional_credentials_info"]


def GetCredentialReport(call):
    account, now = call.caller.account, call.world.now().replace(microsecond=0)
    used = (now - datetime.timedelta(days=2)).isoformat()
    rows = [REPORT, ["<root_account>", account.arn("root"), "2019-01-01T00:00:00+00:00", "not_supported", used, "not_supported", "not_supported", "false",
                     "true", "2019-01-01T00:00:00+00:00", used, call.world.home, "iam", *["false", "N/A", "N/A", "N/A", "N/A"], *["false", "N/A"] * 2, ""]]
    for user in account.users.values():
        created = user.created.replace(microsecond=0).isoformat()
        keys = [["true" if key.status == "Active" else "false", created, "N/A", "N/A", "N/A"] for key in user.keys[:2]]
        keys += [["false", "N/A", "N/A", "N/A", "N/A"]] * (2 - len(keys))
        console = [str(user.console).lower(), "no_information" if user.console else "N/A", created if user.console else "N/A", "N/A"]
        rows.append([user.name, user.arn, created, *console, str(bool(user.mfa)).lower(), *keys[0], *keys[1], *["false", "N/A"] * 2, ""])
    return {"Content": "\n".join(",".join(row) for row in rows).encode(), "ReportFormat": "text/csv", "GeneratedTime": now}


def SimulatePrincipalPolicy(call):
    results = [{"EvalActionName": action, "EvalResourceName": "*", "EvalDecision": "allowed" if action in call.world.allowed else "implicitDeny",
                "MatchedStatements": [], "MissingContextValues": []} for action in call.params["ActionNames"]]
    start = int(call.params.get("Marker", 0))
    end = start + call.world.simulation_page
    out = {"EvaluationResults": results[start:end], "IsTruncated": end < len(results)}
    if end < len(results):
        out["Marker"] = str(end)
    return out


def GenerateServiceLastAccessedDetails(_):
    return {"JobId": "98a765b4-3cde-2101-2345-example678f9"}


def GetServiceLastAccessedDetails(call):
    now = call.world.now()
    return {"JobStatus": "COMPLETED", "JobCreationDate": now, "JobCompletionDate": now, "IsTruncated": False, "ServicesLastAccessed": [
        {"ServiceName": "Amazon S3", "ServiceNamespace": "s3", "LastAuthenticated": now - datetime.timedelta(days=1), "TotalAuthenticatedEntities": 1},
        {"ServiceName": "AWS Lambda", "ServiceNamespace": "lambda", "TotalAuthenticatedEntities": 0}]}
