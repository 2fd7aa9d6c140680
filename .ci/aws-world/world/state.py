"""The state of a world: accounts, users, roles, keys, sessions, and the faults of a scenario."""
import base64
import collections
import datetime
import random
import re
import string
import threading
import time

_random = random.SystemRandom()


def key_id(account, prefix="AKIA"):
    """Makes an id that tells its account, as AWS does since 2019."""
    number = (1 << 47) | (int(account) << 7) | _random.getrandbits(7)
    return prefix + base64.b32encode(number.to_bytes(6, "big") + _random.getrandbits(32).to_bytes(4, "big")).decode()


def unique_id(prefix):
    return prefix + "".join(_random.choices(string.ascii_uppercase + "234567", k=17))


def secret(length=40):
    """Makes a secret. One in some thousands looks like words, and stanch takes it for no secret: it is made anew."""
    while True:
        made = "".join(_random.choices(string.ascii_letters + string.digits + "+/", k=length))
        if not re.search("[a-z]{6}|[A-Z]{6}", made):
            return made


class Refusal(Exception):
    """An answer of AWS that is an error. raw replaces the whole body."""

    def __init__(self, status, code, message, headers=None, raw=None):
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message, self.headers, self.raw = status, code, message, headers or {}, raw


class Key:
    def __init__(self, account, user, created):
        self.id, self.secret = key_id(account.id), secret()
        self.account, self.user, self.status, self.created = account, user, "Active", created
        self.used, self.service, self.region = None, "N/A", "N/A"
        self.deactivated = None  # time.time() of the last change to Inactive


class Principal:
    """A user or a role."""

    def __init__(self, account, name, path, created):
        self.account, self.name, self.path, self.created = account, name, path, created
        self.inline, self.attached, self.tags, self.boundary = {}, [], {}, None

    @property
    def arn(self):
        return self.account.arn(f"{self.kind}{self.path}{self.name}")


class User(Principal):
    kind = "user"

    def __init__(self, *args):
        super().__init__(*args)
        self.id = unique_id("AIDA")
        self.keys, self.groups, self.mfa, self.console, self.service_credentials = [], [], [], False, []


class Role(Principal):
    kind = "role"

    def __init__(self, *args):
        super().__init__(*args)
        self.id = unique_id("AROA")
        self.external_id, self.trust = None, '{"Version":"2012-10-17","Statement":[]}'


class ManagedPolicy:
    """A customer-managed policy with its versions, oldest first."""

    def __init__(self, account, name, path, document):
        self.account, self.name, self.path, self.id = account, name, path, unique_id("ANPA")
        self.versions, self.default, self.next = {"v1": document}, "v1", 2

    @property
    def arn(self):
        return self.account.arn(f"policy{self.path}{self.name}")

    @property
    def document(self):
        return self.versions[self.default]


class Account:
    def __init__(self, world, id):
        self.world, self.id = world, id
        self.users, self.roles, self.policies, self.root_keys = {}, {}, {}, []

    def arn(self, resource, service="iam"):
        return f"arn:{self.world.partition}:{service}::{self.id}:{resource}"

    def user(self, name, path="/", keys=1, age=200):
        """Adds a user who is `age` days old, as are its keys."""
        created = self.world.now() - datetime.timedelta(days=age)
        user = self.users[name.lower()] = User(self, name, path, created)
        user.keys = [Key(self, user, created) for _ in range(keys)]
        return user

    def role(self, name, path="/", external_id=None, age=200):
        role = self.roles[name.lower()] = Role(self, name, path, self.world.now() - datetime.timedelta(days=age))
        role.external_id = external_id
        return role

    def keys(self):
        return [key for user in self.users.values() for key in user.keys] + self.root_keys


class Caller:
    """Who signed a request. owner is the user or role whose policies count, None for root."""

    def __init__(self, account, arn, owner, access_key, issued=None, expires=None, session_policy=None, name=""):
        self.account, self.arn, self.owner, self.access_key = account, arn, owner, access_key
        self.issued, self.expires, self.session_policy, self.name = issued, expires, session_policy, name
        self.secret = self.token = None

    @property
    def user(self):
        return self.owner if isinstance(self.owner, User) else None

    @property
    def id(self):
        if self.owner is None:
            return self.account.id
        return self.owner.id + (f":{self.name}" if self.owner.kind == "role" else "")


REGIONS = {
    "aws": ["us-east-1", "eu-west-1"],
    "aws-cn": ["cn-north-1", "cn-northwest-1"],
    "aws-us-gov": ["us-gov-west-1", "us-gov-east-1"],
    "aws-eusc": ["eusc-de-east-1"],
}


class World:
    """One AWS. Requests are served one at a time under `lock`."""

    def __init__(self, partition="aws"):
        self.partition, self.regions = partition, list(REGIONS[partition])
        self.lock = threading.RLock()
        self.accounts, self.sessions = {}, {}
        self.requests = []  # each that was understood
        self.problems = []  # differences to the models of botocore
        self.writes = []  # (operation, principal, detail, ARN of the caller)
        self.events = []  # which CloudTrail tells
        self.trail_delay = 0  # seconds until CloudTrail tells
        self.lag = 0  # seconds until STS hears that a key is Inactive
        self.offset = 0  # seconds by which AWS's clock is ahead of ours
        self.page = self.simulation_page = 1000
        self.allowed = ()  # actions that iam:SimulatePrincipalPolicy calls allowed
        self.fips = False  # expect FIPS endpoints
        self.endpoints = {}  # signing name -> host that the operator has configured
        self.denied = set()  # permissions that nobody has
        self.faults = collections.defaultdict(list)  # permission -> answers, each used once
        self.canned = {}  # "service:Operation" -> function of a Call, instead of the usual answer
        self.before = self.after = None  # called with each Call that is allowed, and when it has had its effect

    def now(self):
        return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.offset)

    @property
    def home(self):
        return self.regions[0] if self.partition != "aws" else "us-east-1"

    def account(self, id):
        return self.accounts.setdefault(id, Account(self, id))

    def key(self, id):
        return next((key for account in self.accounts.values() for key in account.keys() if key.id == id), None)

    def session(self, account, arn, owner, seconds=3600, policy=None, name="", age=0):
        """Issues a session that is `age` seconds old and lives on for `seconds`."""
        now = self.now()
        caller = Caller(account, arn, owner, key_id(account.id, "ASIA"), now - datetime.timedelta(seconds=age),
                        now + datetime.timedelta(seconds=seconds), policy, name)
        caller.secret, caller.token = secret(), "IQoJb3JpZ2luX2Vj" + secret(300).replace("+", "a")
        self.sessions[caller.access_key] = caller
        return caller

    def user_session(self, user, **options):
        """Issues a session as sts:GetSessionToken does."""
        return self.session(user.account, user.arn, user, **{"seconds": 36 * 3600, **options})

    def role_session(self, role, name="session", **options):
        """Issues a session as sts:AssumeRole does."""
        arn = role.account.arn(f"assumed-role/{role.name}/{name}", "sts")
        return self.session(role.account, arn, role, name=name, **options)

    def knows(self, id):
        return id in self.sessions or self.key(id) is not None

    def authenticate(self, id, token):
        if id in self.sessions:
            caller = self.sessions[id]
            if token != caller.token:
                raise Refusal(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
            if caller.expires < self.now():
                raise Refusal(403, "ExpiredToken", "The security token included in the request is expired")
            return caller
        key = self.key(id)
        if key is None or token or not self.works(key):
            raise Refusal(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
        caller = Caller(key.account, key.user.arn if key.user else key.account.arn("root"), key.user, key.id)
        caller.secret = key.secret
        return caller

    def works(self, key):
        """Whether STS takes a key: for `lag` seconds also one that is Inactive."""
        return key.status == "Active" or bool(key.deactivated and time.time() - key.deactivated < self.lag)
