"""STS. Functions have the names of AWS's operations."""
import re

from .state import Refusal


def GetCallerIdentity(call):
    return {"UserId": call.caller.id, "Account": call.caller.account.id, "Arn": call.caller.arn}


def credentials(session):
    return {"AccessKeyId": session.access_key, "SecretAccessKey": session.secret, "SessionToken": session.token, "Expiration": session.expires}


def AssumeRole(call):
    account, name = re.fullmatch(r"arn:[a-z-]+:iam::(\d{12}):role/(.*)", call.params["RoleArn"]).groups()
    role = call.world.account(account).roles.get(name.rsplit("/", 1)[-1].lower())
    if role is None or role.arn != call.params["RoleArn"] or role.external_id not in (None, call.params.get("ExternalId")):
        raise Refusal(403, "AccessDenied", f"User: {call.caller.arn} is not authorized to perform: sts:AssumeRole on resource: {call.params['RoleArn']}")
    session = call.world.role_session(role, call.params["RoleSessionName"], policy=call.params.get("Policy"), seconds=call.params.get("DurationSeconds", 3600))
    return {"Credentials": credentials(session), "AssumedRoleUser": {"AssumedRoleId": session.id, "Arn": session.arn}}


def GetSessionToken(call):
    if call.caller.issued:
        raise Refusal(403, "AccessDenied", "Cannot call GetSessionToken with session credentials")
    return {"Credentials": credentials(call.world.user_session(call.caller.owner, seconds=call.params.get("DurationSeconds", 43200)))}


def GetAccessKeyInfo(call):
    key = call.world.key(call.params["AccessKeyId"])
    if key is None:
        raise Refusal(400, "ValidationError", "Access key not found")
    return {"Account": key.account.id}


def AssumeRoot(call):
    raise Refusal(403, "AccessDenied", f"User: {call.caller.arn} is not authorized to perform: sts:AssumeRoot")
