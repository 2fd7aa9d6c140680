"""The stage of a scenario: one world, an operator, a responder's role, and stanch as a user runs it."""
import base64
import collections
import datetime
import functools
import json
import os
import shutil
import subprocess
import tempfile
import threading
import unittest

from world import policy
from world.state import World

OPERATIONS, PRODUCTION = "111122223333", "222233334444"
EXTERNAL_ID = "example"


class Stage:
    """Shared by all scenarios of a run. Scenarios may run at the same time: each has a world of its own."""

    def __init__(self, stanch, gateway, certificate):
        self.stanch, self.gateway, self.certificate = stanch, gateway, certificate
        self.called, self.counts, self.figures, self.lock = set(), collections.Counter(), [], threading.Lock()

    def count(self, what):
        with self.lock:
            self.counts[what] += 1

    @functools.cached_property
    def policies(self):
        """The documents that `stanch respond policy` prints, which the responder's role gets."""
        return {name: self._policy(*flags) for name, flags in {"respond": (), "assess": ("--assess",), "own": ("--own",)}.items()}

    def _policy(self, *flags):
        return subprocess.run([self.stanch, "respond", "policy", *flags], check=True, capture_output=True, text=True).stdout


class Run:
    """A run of stanch that has ended."""

    def __init__(self, process):
        self.code, self.out, self.err = process.returncode, process.stdout, process.stderr

    def lines(self, *words):
        """The lines of both streams that hold all words, in any case."""
        return [line for line in (self.out + self.err).splitlines() if all(word.lower() in line.lower() for word in words)]

    def __str__(self):
        return f"exit code {self.code}\n{self.out}\n[stderr]\n{self.err}"


class Incident(unittest.TestCase):
    """A leak in account PRODUCTION, and an operator of account OPERATIONS who may assume a role there."""

    stage = None  # set by play.py
    partition, region, maxDiff = "aws", "us-east-1", None

    def setUp(self):
        self.world = World(self.partition)
        self.stage.gateway.worlds.append(self.world)
        self.addCleanup(self.close)
        self.home = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.production = self.world.account(PRODUCTION)
        self.operator = self.world.account(OPERATIONS).user("olga")
        self.responder = self.production.role("stanch-respond", external_id=EXTERNAL_ID)
        for name in ("respond", "assess"):
            self.responder.inline[name] = self.stage.policies[name].replace("arn:aws:", f"arn:{self.partition}:")

    def close(self):
        self.stage.gateway.worlds.remove(self.world)
        with self.stage.lock:
            self.stage.called |= {call.permission for call in self.world.requests}
        self.assertEqual([], sorted(set(self.world.problems)), "requests differ from the models of AWS")

    # Running stanch

    def environment(self, key=None, **more):
        out = {"PATH": os.environ["PATH"], "HOME": self.home, "SSL_CERT_FILE": self.stage.certificate, "AWS_REGION": self.region, "AWS_EC2_METADATA_DISABLED": "true",
               "GODEBUG": "netdns=go", "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com"}
        if key:
            out.update(AWS_ACCESS_KEY_ID=key.id, AWS_SECRET_ACCESS_KEY=key.secret)
        return {name: value for name, value in {**out, **more}.items() if value is not None}

    @property
    def signed_in(self):
        return self.environment(self.operator.keys[0])

    def run_stanch(self, *args, env=None, input="", timeout=300):
        process = subprocess.run([self.stage.stanch, *args], input=input, capture_output=True, text=True, env=env or self.signed_in, timeout=timeout)
        return Run(process)

    def path(self, name):
        return os.path.join(self.home, name)

    def repository(self, files):
        folder = tempfile.mkdtemp(dir=self.home)
        for name, text in files.items():
            with open(os.path.join(folder, name), "w") as file:
                file.write(text)
        then = (self.world.now() - datetime.timedelta(hours=1)).isoformat()  # so that an intruder had the time to act
        env = self.environment(GIT_AUTHOR_DATE=then, GIT_COMMITTER_DATE=then)
        for args in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "leak"]):
            subprocess.run(["git", *args], cwd=folder, check=True, capture_output=True, env=env)
        return folder

    def scan(self, *credentials, report="scan.jsonl", secrets=True, flags=(), files=None):
        """Commits credentials, scans, and returns the run. The report is in self.home."""
        files = files or {f"{n}.env": environment_file(self.region, credential) for n, credential in enumerate(credentials)}
        secret_flags = ["--show-secrets"] if secrets else []
        return self.run_stanch("git", self.repository(files), "-f", "json", "-o", self.path(report), *secret_flags, *flags, env=self.environment())

    role_flags = ("--role", "stanch-respond", "--external-id", EXTERNAL_ID)

    def plan(self, source="scan.jsonl", *flags, out="plan.json", env=None, input="", accounts=PRODUCTION):
        """Plans for a report in self.home, or for anything else that `respond plan` takes."""
        source = self.path(source) if source.endswith(".jsonl") else source
        run = self.run_stanch("respond", "plan", source, "--accounts", accounts, *self.role_flags, "-o", self.path(out), *flags, env=env, input=input)
        run.plan = self.read(out)
        return run

    def read(self, name):
        if not os.path.exists(self.path(name)):
            return None
        with open(self.path(name)) as file:
            return json.load(file)

    def command(self, verb, *flags, plan="plan.json", accounts=PRODUCTION):
        approved = [] if verb == "confirm" else ["--max-keys", "20", "--yes", "--plan", self.read(plan)["hash"]]
        return ["respond", verb, self.path(plan), "--accounts", accounts, *self.role_flags, *approved, *flags]

    def apply(self, *flags, **options):
        return self.run_stanch(*self.command("apply", *flags, **options))

    def undo(self, *flags, **options):
        return self.run_stanch(*self.command("undo", *flags, **options))

    def confirm(self, *flags, **options):
        return self.run_stanch(*self.command("confirm", *flags, **options))

    # Asserting

    def assertCode(self, want, run):
        self.assertEqual(want, run.code, str(run))

    def assertSays(self, run, *words):
        self.assertTrue(run.lines(*words), f"no line says {words}:\n{run}")

    def assertPlanned(self, run, keys=1):
        self.assertCode(0, run)
        self.assertEqual(keys, len(run.plan["keys"]), str(run))

    def assertContained(self, run):
        self.assertCode(0, run)
        self.assertTrue(run.out.startswith("CONTAINED"), str(run))

    def allowed(self, caller, action="s3:ListAllMyBuckets"):
        """Whether AWS would let a caller act now."""
        alive = caller.expires is None or caller.expires > self.world.now()
        return alive and policy.refusal(self.world, caller, action) == ""

    def assertDenied(self, caller, action="s3:ListAllMyBuckets"):
        self.assertFalse(self.allowed(caller, action), f"{caller.arn} may still {action}")

    def findings(self, report):
        with open(self.path(report)) as file:
            return [entry for entry in map(json.loads, file) if "fingerprint" in entry or entry.get("type") == "finding"]


def environment_file(region, credential):
    """The text that leaks a key or a session."""
    id = getattr(credential, "access_key", None) or credential.id
    lines = [f"AWS_REGION={region}", f"AWS_ACCESS_KEY_ID={id}", f"AWS_SECRET_ACCESS_KEY={credential.secret}"]
    if getattr(credential, "token", None):
        lines.append(f"AWS_SESSION_TOKEN={credential.token}")
    return "\n".join(lines) + "\n"


def bedrock_key(user):
    """A long-term key of Amazon Bedrock, which names its user."""
    from world.state import secret
    return "ABSK" + base64.b64encode(f"{user.name}-at-{user.account.id}:{secret(60)}".encode()).decode()
