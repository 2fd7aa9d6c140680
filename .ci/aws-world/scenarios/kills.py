"""kill -9 at random moments of apply and undo: the same command goes on, and its result is right."""
import json
import os
import random
import re
import subprocess
import time

from intruder import Intruder
from stage import Incident

ROUNDS = int(os.environ.get("ROUNDS") or 30)  # each aims at apply and undo 1 to 3 times; some end before the kill


class Killed(Incident):
    slow = True

    def setUp(self):
        super().setUp()
        self.random = random.Random(self.id())
        self.world.before = lambda _: time.sleep(0.03)  # so that a kill hits the middle of a step, too
        self.bystander = self.production.user("bystander")

    def start(self, verb):
        return subprocess.Popen([self.stage.stanch, *self.command(verb, "--journal", self.path("journal.jsonl"))], env=self.signed_in,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def kill(self, verb):
        for _ in range(self.random.choice([1, 1, 2, 3])):
            records, process = self.records(), self.start(verb)
            while self.random.random() > 0.02 and self.records() == records and process.poll() is None:
                time.sleep(0.05)
            # The steps take less than two seconds; the rest of an apply waits for AWS.
            wait = self.random.uniform(0, 2) if self.random.random() < 0.8 else self.random.uniform(2, 20)
            try:
                process.communicate(timeout=wait)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                self.stage.count("kills")
                if self.last_event() != "end":
                    self.stage.count("of the kills between the first record of a run and its end")

    def records(self):
        return os.path.getsize(self.path("journal.jsonl")) if os.path.exists(self.path("journal.jsonl")) else 0

    def last_event(self):
        """The event of the journal's last line, which a kill may have cut off."""
        if not os.path.exists(self.path("journal.jsonl")):
            return ""
        with open(self.path("journal.jsonl")) as file:
            events = re.findall(r'"event":"([^"]+)"', file.read())
        return events[-1] if events else ""

    def finish(self, verb):
        process = self.start(verb)
        out, err = process.communicate(timeout=200)
        over = {"apply": "plan-finished", "undo": "nothing-to-undo"}[verb]
        self.assertTrue(process.returncode == 0 or over in err + out, f"{verb}: exit code {process.returncode}\n{out}\n{err}")
        self.assertCode(0, self.run_stanch("respond", "log", "--journal", self.path("journal.jsonl")))
        self.assertEqual(("Active", {}), (self.bystander.keys[0].status, self.bystander.inline))

    def play(self, keys, sessions, roles=(), users=()):
        for key in keys:
            self.assertEqual("Active", key.status)
        self.scan(*keys)
        self.assertPlanned(self.plan("scan.jsonl", "--quarantine", "--force-in-use"), keys=len(keys))
        before = {p: (dict(p.inline), list(p.attached)) for p in [*roles, *users]}
        self.kill("apply")
        self.finish("apply")
        self.assertEqual(["Inactive"] * len(keys), [key.status for key in keys])
        for session in sessions:
            self.assertDenied(session)
        self.kill("undo")
        self.finish("undo")
        self.assertEqual(["Active"] * len(keys), [key.status for key in keys])
        self.assertEqual(before, {p: (p.inline, p.attached) for p in [*roles, *users]})
        self.assertEqual({}, self.production.policies)


def one_user(self):
    user = self.production.user("deploy", keys=self.random.choice([1, 1, 2]))
    self.play(user.keys, [self.world.user_session(user, age=60)], users=[user])


def whole(self):
    """A user with a console password and full inline policies, whose key has assumed a role."""
    user, role = self.production.user("deploy"), self.production.role("admin", path="/ops/")
    user.console = True
    user.inline["own"] = json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": "x" * 1800, "Effect": "Allow", "Action": "*", "Resource": "*"}]})
    role_session = Intruder(self, user.keys[0]).assume(role).caller
    self.play(user.keys, [role_session, self.world.user_session(user, age=60), self.world.user_session(user, age=-3600)], roles=[role], users=[user])


for number in range(ROUNDS):
    setattr(Killed, f"test_{number:02}_{'whole' if number % 2 else 'one_user'}", whole if number % 2 else one_user)
