"""The way of a request through a world: model, signature, rights, effect, trail."""
import datetime
import time
import traceback

from . import answers, cloudtrail, iam, iampolicies, policy, signature, sts, wire
from .state import Refusal

OPERATIONS = {"iam": (iam, iampolicies), "sts": (sts,), "cloudtrail": (cloudtrail,)}
STAMP = "%Y%m%dT%H%M%SZ"


class Call:
    """A request that was understood. caller is None until its signature is checked."""

    def __init__(self, world, request, host, region, key_id):
        self.world, self.wire, self.host, self.region, self.key_id = world, request, host, region, key_id
        self.service, self.operation, self.params = request.service, request.operation, request.params
        self.permission = f"{self.service}:{self.operation}"
        self.caller, self.time, self.agent = None, time.time(), request.headers.get("User-Agent", "")
        self.address = request.headers.get("X-World-Address", "198.51.100.7")  # an intruder says where it is

    def wrote(self, principal, detail):
        self.world.writes.append((self.operation, principal, detail, self.caller.arn))


class Gateway:
    """Serves several worlds: a request belongs to the world that knows its key."""

    def __init__(self):
        self.worlds = []

    def world(self, key_id):
        return next((world for world in self.worlds if world.knows(key_id)), None)

    def handle(self, host, method, target, headers, body):
        """Returns the status, headers and body of the answer, and the world that gives it (None if none does)."""
        signed = signature.Signature(headers.get("Authorization"))
        if not signed.present:
            return *wire.error(Refusal(403, "MissingAuthenticationToken", "Request is missing Authentication Token")), None
        world = self.world(signed.key_id)
        if world is None:
            return *wire.error(Refusal(403, "InvalidClientTokenId", "The security token included in the request is invalid.")), None
        try:
            return *self._answer(world, signed, host, method, target, headers, body), world
        except Exception:  # a fault of the world itself: its scenario must not pass
            world.problems.append(traceback.format_exc())
            return 500, {}, b"", world

    def _answer(self, world, signed, host, method, target, headers, body):
        request = wire.Wire(signed.service, method, target, headers, body)
        call = Call(world, request, host, signed.region, signed.key_id)
        found = request.problems() + endpoint_problems(call, signed.service)
        with world.lock:
            world.requests.append(call)
            world.problems += [f"{call.permission}: {problem}" for problem in found]
        try:
            with world.lock:
                return request.answer(serve(call, signed, method, target, headers, body))
        except Refusal as refusal:
            return request.error(refusal)


def endpoint_problems(call, name):
    world = call.world
    want = wire.endpoint(call.service, call.region, world.fips, call.operation, call.params)
    host = world.endpoints.get(name, want["host"])
    if (call.host, call.region, name) == (host, want["region"], want["name"]):
        return []
    return [f"{call.host} signed {name}/{call.region}; botocore for region {call.region}: {host} signed {want['name']}/{want['region']}"]


def serve(call, signed, method, target, headers, body):
    world = call.world
    if world.faults[call.permission]:
        fault = world.faults[call.permission].pop(0)
        if fault is not None:
            raise fault
    call.caller = world.authenticate(call.key_id, headers.get("X-Amz-Security-Token"))
    check_clock(world, headers["X-Amz-Date"])
    if not signed.is_of(call.caller.secret, method, target, headers, body):
        raise Refusal(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
    if key := world.key(call.key_id):
        key.used, key.service, key.region = world.now(), call.service, call.region
    try:
        policy.authorize(call)
        if world.before:
            world.before(call)
        result = effect(call)
    except Refusal as refusal:
        cloudtrail.record(call, None, refusal)
        raise
    cloudtrail.record(call, result, None)
    if world.after:
        world.after(call)
    return result


def effect(call):
    """Carries out the operation. Reads that the world does not know answer with nothing."""
    if canned := call.world.canned.get(call.permission):
        return canned(call)
    for module in OPERATIONS.get(call.service, ()):
        if operation := getattr(module, call.operation, None):
            return operation(call)
    if canned := answers.ANSWERS.get(call.permission):
        return canned(call)
    if not call.operation.startswith(("List", "Get", "Describe")):
        call.world.problems.append(f"{call.permission}: the world does not know this operation")
    return {}


def check_clock(world, stamp):
    signed, now, margin = datetime.datetime.strptime(stamp, STAMP).replace(tzinfo=datetime.timezone.utc), world.now(), datetime.timedelta(minutes=15)
    if signed < now - margin:
        raise Refusal(403, "SignatureDoesNotMatch", f"Signature expired: {signed:{STAMP}} is now earlier than {now - margin:{STAMP}} ({now:{STAMP}} - 15 min.)")
    if signed > now + margin:
        raise Refusal(403, "SignatureDoesNotMatch", f"Signature not yet current: {signed:{STAMP}} is still later than {now + margin:{STAMP}} ({now:{STAMP}} + 15 min.)")
