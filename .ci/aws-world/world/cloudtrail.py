"""CloudTrail: an event for each call that a world serves, told after World.trail_delay seconds.

The form of an event is that of the CloudTrail User Guide (record contents, userIdentity)."""
import datetime
import json
import time
import uuid

from .state import Refusal

PAGE = 50
# Services whose events are written in the home region, whichever host was asked.
GLOBAL = {"iam", "organizations", "health", "support", "ce", "account"}
SECRETS = {"SecretAccessKey", "Password"}


def record(call, result, refusal):
    """Writes the event of a call."""
    world, caller = call.world, call.caller
    now = world.now()
    reads = call.operation.startswith(("List", "Get", "Describe", "Lookup", "Simulate")) and call.operation != "GetSessionToken"
    region = world.home if call.service in GLOBAL else call.region
    event = {
        "eventVersion": "1.11", "userIdentity": identity(caller), "eventTime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": f"{call.service}.amazonaws.com", "eventName": call.operation, "awsRegion": region,
        "sourceIPAddress": call.address, "userAgent": call.agent, "requestParameters": written(call.params) or None,
        "responseElements": None if reads or refusal else written(result) or None, "requestID": str(uuid.uuid4()), "eventID": str(uuid.uuid4()),
        "readOnly": reads, "eventType": "AwsApiCall", "managementEvent": True, "recipientAccountId": caller.account.id, "eventCategory": "Management"}
    if refusal:
        event.update(errorCode=refusal.code, errorMessage=refusal.message)
    add(world, caller.account.id, event, now)


def add(world, account, event, at):
    """Adds an event, as a scenario may do for its past."""
    world.events.append((account, event, at, time.time()))


def identity(caller):
    out = {"type": "Root", "principalId": caller.id, "arn": caller.arn, "accountId": caller.account.id, "accessKeyId": caller.access_key}
    if caller.user:
        out.update(type="IAMUser", userName=caller.user.name)
    elif caller.owner:
        issuer = {"type": "Role", "principalId": caller.owner.id, "arn": caller.owner.arn, "accountId": caller.account.id, "userName": caller.owner.name}
        out.update(type="AssumedRole", sessionContext={"sessionIssuer": issuer})
    if caller.issued:
        attributes = {"creationDate": f"{caller.issued:%Y-%m-%dT%H:%M:%SZ}", "mfaAuthenticated": "false"}
        out.setdefault("sessionContext", {})["attributes"] = attributes
    return out


def written(value):
    """A value of the model as CloudTrail writes it: names begin in lower case, secrets are left out, dates are text."""
    if isinstance(value, dict):
        return {name[:1].lower() + name[1:]: written(inner) for name, inner in value.items() if name not in SECRETS}
    if isinstance(value, list):
        return [written(inner) for inner in value]
    if isinstance(value, datetime.datetime):
        return f"{value:%b} {value.day}, {value:%Y} {value.hour % 12 or 12}:{value:%M:%S %p}"
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def LookupEvents(call):
    params, world = call.params, call.world
    attributes = params.get("LookupAttributes", [])
    if len(attributes) > 1 or params.get("MaxResults", PAGE) > PAGE:
        raise Refusal(400, "InvalidLookupAttributesException", "Specify one lookup attribute only.")
    found = [event for account, event, at, told in reversed(world.events)
             if account == call.caller.account.id and event["awsRegion"] == call.region and told + world.trail_delay <= time.time()
             and within(at, params) and all(has(event, a) for a in attributes)]
    start = int(params.get("NextToken", 0))
    end = start + min(params.get("MaxResults", PAGE), PAGE, world.page)
    out = {"Events": [listed(event) for event in found[start:end]]}
    if end < len(found):
        out["NextToken"] = str(end)
    return out


def within(at, params):
    """Whether a time lies in the period asked for. CloudTrail counts whole seconds."""
    first, last = (params[name].replace(tzinfo=datetime.timezone.utc) if name in params else None for name in ("StartTime", "EndTime"))
    at = at.replace(microsecond=0)
    return (first is None or first <= at) and (last is None or at <= last)


def has(event, attribute):
    key, value = attribute["AttributeKey"], attribute["AttributeValue"]
    who = event["userIdentity"]
    values = {"AccessKeyId": who.get("accessKeyId"), "Username": who.get("userName"), "EventName": event["eventName"], "EventSource": event["eventSource"],
              "EventId": event.get("eventID"), "ReadOnly": str(event.get("readOnly", False)).lower()}
    if key == "ResourceName":
        return value in json.dumps([event.get("requestParameters"), event.get("responseElements")])
    return values[key] == value


def listed(event):
    who = event["userIdentity"]
    session = who["arn"].rsplit("/", 1)[-1]
    return {"EventId": event.get("eventID", "1"), "EventName": event["eventName"], "ReadOnly": str(event.get("readOnly", False)).lower(), "AccessKeyId": who.get("accessKeyId", ""),
            "EventTime": datetime.datetime.strptime(event["eventTime"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc),
            "EventSource": event["eventSource"], "Username": who.get("userName", session), "Resources": [], "CloudTrailEvent": json.dumps(event)}
