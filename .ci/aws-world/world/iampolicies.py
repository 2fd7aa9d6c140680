"""IAM: inline and managed policies. Functions have the names of AWS's operations."""
import json
import urllib.parse

from . import iam
from .iam import no_such, page, principal_of
from .state import ManagedPolicy, Refusal

# IAM and STS quotas: characters of all inline policies of one user or role.
QUOTA = {"user": 2048, "role": 10240}
VERSIONS = 5


def encoded(document):
    return urllib.parse.quote(document, safe="")


# Inline policies


def get_inline(call):
    principal, name = principal_of(call), call.params["PolicyName"]
    if name not in principal.inline:
        raise no_such(f"The {principal.kind} policy with name {name}")
    return {("UserName" if principal.kind == "user" else "RoleName"): principal.name, "PolicyName": name, "PolicyDocument": encoded(principal.inline[name])}


def put_inline(call):
    principal, name, document = principal_of(call), call.params["PolicyName"], call.params["PolicyDocument"]
    refuse_protected(principal)
    json.loads(document)
    held = sum(len(policy) for other, policy in principal.inline.items() if other != name)
    if held + len(document) > QUOTA[principal.kind]:
        raise Refusal(409, "LimitExceeded", f"Maximum policy size of {QUOTA[principal.kind]} bytes exceeded for {principal.kind} {principal.name}")
    principal.inline[name] = document
    call.wrote(principal.name, name)
    return {}


def delete_inline(call):
    principal, name = principal_of(call), call.params["PolicyName"]
    if name not in principal.inline:
        raise no_such(f"The {principal.kind} policy with name {name}")
    del principal.inline[name]
    call.wrote(principal.name, name)
    return {}


def refuse_protected(principal):
    if principal.path.startswith("/aws-service-role/") or principal.name.startswith("AWSReservedSSO_"):
        raise Refusal(400, "UnmodifiableEntity", f"Cannot perform the operation on the protected role '{principal.name}' - this role is only modifiable by AWS")


GetUserPolicy = GetRolePolicy = get_inline
PutUserPolicy = PutRolePolicy = put_inline
DeleteUserPolicy = DeleteRolePolicy = delete_inline


def list_inline(call):
    return page(call, "PolicyNames", sorted(principal_of(call).inline))


ListUserPolicies = ListRolePolicies = list_inline


def ListGroupPolicies(call):
    return page(call, "PolicyNames", ["inline-of-group"])


# Attached policies


def list_attached(call):
    return page(call, "AttachedPolicies", [attached(arn) for arn in principal_of(call).attached])


def attached(arn):
    return {"PolicyName": arn.rsplit("/", 1)[-1], "PolicyArn": arn}


def ListAttachedGroupPolicies(call):
    return page(call, "AttachedPolicies", [attached(f"arn:{call.world.partition}:iam::aws:policy/ReadOnlyAccess")])


def attach(call):
    principal, arn = principal_of(call), call.params["PolicyArn"]
    refuse_protected(principal)
    if ":aws:policy/" not in arn:
        policy_of(call)
    if arn not in principal.attached:
        principal.attached.append(arn)
    call.wrote(principal.name, arn)
    return {}


def detach(call):
    principal, arn = principal_of(call), call.params["PolicyArn"]
    if arn not in principal.attached:
        raise no_such(f"Policy {arn} was not found.")
    principal.attached.remove(arn)
    call.wrote(principal.name, arn)
    return {}


ListAttachedUserPolicies = ListAttachedRolePolicies = list_attached
AttachUserPolicy = AttachRolePolicy = attach
DetachUserPolicy = DetachRolePolicy = detach


# Customer-managed policies


def policy_of(call):
    arn = call.params["PolicyArn"]
    if policy := call.caller.account.policies.get(arn):
        return policy
    raise Refusal(404, "NoSuchEntity", f"Policy {arn} does not exist or is not attachable.")


def policy_details(call, policy):
    return {"PolicyName": policy.name, "PolicyId": policy.id, "Arn": policy.arn, "Path": policy.path, "DefaultVersionId": policy.default,
            "AttachmentCount": len(holders(call.caller.account, policy.arn)), "IsAttachable": True, "CreateDate": call.world.now(), "UpdateDate": call.world.now()}


def holders(account, arn):
    return [principal for principal in [*account.users.values(), *account.roles.values()] if arn in principal.attached]


def version_details(policy, version, document=False):
    out = {"VersionId": version, "IsDefaultVersion": version == policy.default, "CreateDate": policy.account.world.now()}
    return {**out, "Document": encoded(policy.versions[version])} if document else out


def CreatePolicy(call):
    account = call.caller.account
    policy = ManagedPolicy(account, call.params["PolicyName"], call.params.get("Path", "/"), call.params["PolicyDocument"])
    json.loads(policy.document)
    if policy.arn in account.policies:
        raise Refusal(409, "EntityAlreadyExists", f"A policy called {policy.name} already exists. Duplicate names are not allowed.")
    account.policies[policy.arn] = policy
    call.wrote(policy.name, policy.arn)
    return {"Policy": policy_details(call, policy)}


def GetPolicy(call):
    return {"Policy": policy_details(call, policy_of(call))}


def ListPolicies(call):
    return page(call, "Policies", [policy_details(call, policy) for policy in call.caller.account.policies.values()])


def DeletePolicy(call):
    policy = policy_of(call)
    if holders(call.caller.account, policy.arn):
        raise Refusal(409, "DeleteConflict", "Cannot delete a policy attached to entities.")
    if len(policy.versions) > 1:
        raise Refusal(409, "DeleteConflict", "This policy has more than one version. Before you delete a policy, you must delete the policy's versions.")
    del call.caller.account.policies[policy.arn]
    call.wrote(policy.name, policy.arn)
    return {}


def CreatePolicyVersion(call):
    policy = policy_of(call)
    if len(policy.versions) >= VERSIONS:
        raise Refusal(409, "LimitExceeded", "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.")
    json.loads(call.params["PolicyDocument"])
    version = f"v{policy.next}"
    policy.versions[version], policy.next = call.params["PolicyDocument"], policy.next + 1
    if call.params.get("SetAsDefault"):
        policy.default = version
    call.wrote(policy.name, version)
    return {"PolicyVersion": version_details(policy, version)}


def version_of(call):
    policy, version = policy_of(call), call.params["VersionId"]
    if version not in policy.versions:
        raise no_such(f"Policy {policy.arn} version {version}")
    return policy, version


def GetPolicyVersion(call):
    return {"PolicyVersion": version_details(*version_of(call), document=True)}


def ListPolicyVersions(call):
    policy = policy_of(call)
    return page(call, "Versions", [version_details(policy, version) for version in reversed(policy.versions)])


def DeletePolicyVersion(call):
    policy, version = version_of(call)
    if version == policy.default:
        raise Refusal(409, "DeleteConflict", "Cannot delete the default version of a policy.")
    del policy.versions[version]
    call.wrote(policy.name, version)
    return {}


def SetDefaultPolicyVersion(call):
    policy, version = version_of(call)
    policy.default = version
    call.wrote(policy.name, version)
    return {}


def ListEntitiesForPolicy(call):
    found = holders(call.caller.account, call.params["PolicyArn"])
    return {"PolicyUsers": [{"UserName": p.name, "UserId": p.id} for p in found if p.kind == "user"],
            "PolicyRoles": [{"RoleName": p.name, "RoleId": p.id} for p in found if p.kind == "role"], "PolicyGroups": [], "IsTruncated": False}


# The whole account


def details(principal):
    return {"Arn": principal.arn, "Path": principal.path, "CreateDate": principal.created,
            "AttachedManagedPolicies": [attached(arn) for arn in principal.attached],
            "Tags": [{"Key": key, "Value": value} for key, value in principal.tags.items()], **iam.boundary(principal)}


def inline_details(principal):
    return [{"PolicyName": name, "PolicyDocument": encoded(document)} for name, document in principal.inline.items()]


def GetAccountAuthorizationDetails(call):
    """One list of users, roles, groups and policies, cut into pages as AWS does."""
    account, wanted = call.caller.account, call.params.get("Filter", [])
    things = [("UserDetailList", {"UserName": u.name, "UserId": u.id, "GroupList": u.groups, "UserPolicyList": inline_details(u), **details(u)}) for u in account.users.values()]
    groups = sorted({group for user in account.users.values() for group in user.groups})
    things += [("GroupDetailList", {"GroupName": g, "Path": "/", "Arn": account.arn(f"group/{g}"), "GroupPolicyList": [], "AttachedManagedPolicies": []}) for g in groups]
    things += [("RoleDetailList", {"RoleName": r.name, "RoleId": r.id, "AssumeRolePolicyDocument": encoded(r.trust), "InstanceProfileList": [],
                                   "RolePolicyList": inline_details(r), **details(r)}) for r in account.roles.values()]
    things += [("Policies", {"PolicyName": p.name, "Arn": p.arn, "DefaultVersionId": p.default,
                             "PolicyVersionList": [version_details(p, v, document=True) for v in p.versions]}) for p in account.policies.values()]
    filters = {"UserDetailList": "User", "GroupDetailList": "Group", "RoleDetailList": "Role", "Policies": "LocalManagedPolicy"}
    things = [thing for thing in things if not wanted or filters[thing[0]] in wanted]
    out = page(call, "things", things)
    for member, thing in out.pop("things"):
        out.setdefault(member, []).append(thing)
    return out
