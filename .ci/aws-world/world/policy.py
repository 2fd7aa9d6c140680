"""Policies: whether a caller may do something. It knows the operators that the scenarios need, and no others."""
import json
import re

from .state import Refusal

EXPLICIT, IMPLICIT = "with an explicit deny in an identity-based policy", "because no identity-based policy allows the {} action"
# The code and status by which each service refuses.
DENIED = {"iam": (403, "AccessDenied"), "sts": (403, "AccessDenied"), "cloudwatch": (403, "AccessDenied"),
          "sns": (403, "AuthorizationError"), "ec2": (403, "UnauthorizedOperation"),
          "guardduty": (403, "AccessDeniedException"), "securityhub": (403, "AccessDeniedException")}
AWS_MANAGED = {
    "AdministratorAccess": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    "AWSCompromisedKeyQuarantineV3": [{"Effect": "Deny", "Resource": "*", "Action": [
        "iam:UpdateAccessKey", "iam:DeleteAccessKey", "iam:PutUserPolicy", "iam:AttachUserPolicy", "cloudtrail:LookupEvents"]}],
}


def authorize(call):
    """Raises the refusal of AWS if the caller may not make this call."""
    if call.permission == "sts:GetCallerIdentity":
        return
    resource = resource_of(call)
    reason = refusal(call.world, call.caller, call.permission, resource, context(call))
    if reason:
        service = call.permission.split(":")[0]
        status, code = DENIED.get(service, (400, "AccessDeniedException"))
        raise Refusal(status, code, f"User: {call.caller.arn} is not authorized to perform: {call.permission} on resource: {resource} {reason}")


def refusal(world, caller, action, resource="*", values=None):
    """The reason for which the caller may not do something, "" if it may."""
    values = {**caller_context(caller), **(values or {})}
    if action in world.denied:
        return IMPLICIT.format(action)
    own = statements(world, caller.owner) if caller.owner else []
    session = json.loads(caller.session_policy)["Statement"] if caller.session_policy else None
    if any(s["Effect"] == "Deny" and applies(s, action, resource, values) for s in own + (session or [])):
        return EXPLICIT
    allows = [s for s in own if s["Effect"] == "Allow"]
    # A principal to whom no policy allows anything has all rights: most scenarios are not about rights.
    for granted in ([allows] if allows else []) + ([session] if session is not None else []):
        if not any(s["Effect"] == "Allow" and applies(s, action, resource, values) for s in granted):
            return IMPLICIT.format(action)
    return ""


def statements(world, principal):
    """The statements of a principal's inline and attached policies."""
    documents = list(principal.inline.values())
    out = []
    for arn in principal.attached:
        if policy := principal.account.policies.get(arn):
            documents.append(policy.document)
        out += AWS_MANAGED.get(arn.rsplit("/", 1)[-1], [])
    for document in documents:
        found = json.loads(document)["Statement"]
        out += found if isinstance(found, list) else [found]
    return out


def resource_of(call):
    params, account = call.params, call.caller.account
    if call.permission == "sts:AssumeRole":
        return params["RoleArn"]
    if not call.permission.startswith("iam:"):
        return "*"
    for member, kind, known in (("UserName", "user", account.users), ("RoleName", "role", account.roles)):
        if member in params:
            found = known.get(params[member].lower())
            return found.arn if found else account.arn(f"{kind}{params.get('Path', '/')}{params[member]}")
    if "GroupName" in params:
        return account.arn(f"group/{params['GroupName']}")
    if "PolicyArn" in params:
        return params["PolicyArn"]
    if "PolicyName" in params:
        return account.arn(f"policy{params.get('Path', '/')}{params['PolicyName']}")
    return call.caller.arn if call.caller.user else "*"


def caller_context(caller):
    values = {"aws:principalarn": caller.arn}
    if caller.user:
        values["aws:username"] = caller.user.name
    if caller.issued:
        values["aws:tokenissuetime"] = caller.issued.strftime("%Y-%m-%dT%H:%M:%SZ")
    return values


def context(call):
    values = {"iam:policyarn": call.params.get("PolicyArn")}
    account = call.caller.account
    for member, known in (("UserName", account.users), ("RoleName", account.roles)):
        if found := known.get(str(call.params.get(member, "")).lower()):
            values.update({"aws:resourcetag/" + key.lower(): value for key, value in found.tags.items()})
    return {key: value for key, value in values.items() if value is not None}


def applies(statement, action, resource, values):
    if not any(like(pattern.lower(), action.lower()) for pattern in some(statement.get("Action", "*"))):
        return False
    if not any(like(pattern, resource) for pattern in some(statement.get("Resource", "*"))):
        return False
    return all(holds(operator, key.lower(), some(wanted), values)
               for operator, pairs in statement.get("Condition", {}).items() for key, wanted in pairs.items())


def holds(operator, key, wanted, values):
    have = values.get(key)
    if operator == "Null":
        return (have is None) == (str(wanted[0]).lower() == "true")
    operator, if_exists = operator.removesuffix("IfExists"), operator.endswith("IfExists")
    test = OPERATORS[operator]
    if have is None:
        return if_exists or "Not" in operator
    return test(have, wanted)


OPERATORS = {
    "StringEquals": lambda have, wanted: have in wanted,
    "StringNotEquals": lambda have, wanted: have not in wanted,
    "StringLike": lambda have, wanted: any(like(w, have) for w in wanted),
    "StringNotLike": lambda have, wanted: not any(like(w, have) for w in wanted),
    "ArnLike": lambda have, wanted: any(like(w, have) for w in wanted),
    "ArnEquals": lambda have, wanted: any(like(w, have) for w in wanted),
    "ArnNotLike": lambda have, wanted: not any(like(w, have) for w in wanted),
    "ArnNotEquals": lambda have, wanted: not any(like(w, have) for w in wanted),
    "DateLessThan": lambda have, wanted: have < wanted[0],
    "Bool": lambda have, wanted: have.lower() == str(wanted[0]).lower(),
}


def some(value):
    return value if isinstance(value, list) else [value]


def like(pattern, text):
    expression = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch(expression, text, re.S) is not None
