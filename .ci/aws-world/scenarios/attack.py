"""Attack and response: an intruder works with the leaked key while stanch shuts it off.

If stanch says that all is contained (exit code 0), nothing of the intruder's has an effect.
Otherwise the report names it, and the exit code is 3. CloudTrail tells of calls at once, or
too late for `apply`; then `confirm` names whatever only CloudTrail could tell."""
import json
import os
import random
import threading
import time

import botocore.exceptions

from intruder import Intruder
from stage import Incident
from world.state import Caller

ROUNDS = int(os.environ.get("ROUNDS") or 20)
ALL = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
LAST_LOOK = 5  # seconds: stanch cannot name a thing that is made after its last look


class Loot:
    """A credential that the intruder has made, with the names by which a report may tell of it."""

    def __init__(self, names, credential, maker):
        self.names, self.credential, self.maker, self.made = names, credential, maker, time.time()
        self.is_session = isinstance(credential, Caller)

    def named(self, text):
        return any(name in text for name in self.names)

    def maker_named(self, text):
        return self.maker is not None and (self.maker.named(text) or self.maker.maker_named(text))

    def told(self, text, fresh):
        """Whether a report tells of it. Whoever knows of a key knows of the sessions of its user."""
        of_user = self.is_session and self.credential.user is not None
        return self.named(text) or ((of_user or fresh) and self.maker_named(text))


class Attack(Incident):
    slow = True

    def setUp(self):
        super().setUp()
        self.random = random.Random(self.id())
        self.user = self.production.user("deploy", path="/ci/")
        self.role = self.production.role("admin")
        self.key = self.user.keys[0]
        self.leaked = Loot([self.key.id], self.key, None)
        self.loot = []

    # Moves, each with one credential

    def make_user(self, intruder, maker):
        name = f"backup-{self.random.randrange(10 ** 6)}"
        intruder.call("iam", "create_user", UserName=name)
        key = intruder.call("iam", "create_access_key", UserName=name)["AccessKey"]
        self.take([name, key["AccessKeyId"]], self.world.key(key["AccessKeyId"]), maker)

    def second_key(self, intruder, maker):
        key = intruder.call("iam", "create_access_key", UserName="deploy")["AccessKey"]
        self.take([key["AccessKeyId"]], self.world.key(key["AccessKeyId"]), maker)

    def assume(self, intruder, maker):
        session = intruder.assume(self.role)
        self.take([session.id, "role admin", self.role.arn], session.caller, maker)

    def session(self, intruder, maker):
        session = intruder.session()
        self.take([session.id], session.caller, maker)
        self.make_user(session, self.loot[-1])

    def activate(self, intruder, maker):
        intruder.call("iam", "update_access_key", UserName="deploy", AccessKeyId=self.key.id, Status="Active")

    def put_policy(self, intruder, maker):
        intruder.call("iam", "put_user_policy", UserName="deploy", PolicyName="more", PolicyDocument=ALL)

    def attach(self, intruder, maker):
        intruder.call("iam", "attach_user_policy", UserName="deploy", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")

    MOVES = (make_user, second_key, assume, session, activate, put_policy, attach)

    def take(self, names, credential, maker):
        self.loot.append(Loot(names, credential, maker))

    def attack(self, stop):
        """Makes some moves, each with the first credential that AWS takes for it."""
        for move in self.random.choices(self.MOVES, k=self.random.randint(1, 6)):
            if stop.wait(self.random.expovariate(0.5)):
                return
            for loot in [self.leaked, *self.loot]:
                try:
                    move(self, Intruder(self, loot.credential), loot)
                    break
                except botocore.exceptions.ClientError:
                    continue

    def play(self, delay):
        self.world.trail_delay = delay
        self.world.lag = self.random.choice([0, 0, 3])
        self.scan(self.key)
        stop = threading.Event()
        intruder = threading.Thread(target=self.attack, args=(stop,))
        intruder.start()
        time.sleep(self.random.uniform(0, 2))
        result = self.plan("scan.jsonl", "--force-in-use")
        if result.code == 0:
            result = self.apply(*self.random.choice([[], ["--findings", self.path("scan.jsonl")]]))
        ended = time.time()
        stop.set()
        intruder.join()
        self.judge(result, ended, delay > 0)

    def judge(self, result, ended, late):
        effective = [loot for loot in [self.leaked, *self.loot] if self.has_effect(loot)]
        if late:
            self.assertTrue(not effective or result.code == 3 or result.lines("CloudTrail", "minutes"), f"nothing says that CloudTrail is late:\n{result}")
            if any(loot.is_session for loot in effective):
                self.world.trail_delay = 0
                confirmed = self.confirm()
                self.assertCode(3, confirmed)
                result.code, result.out = 3, result.out + confirmed.out
        if result.code == 0:
            self.assertEqual([], [loot.names for loot in effective], f"contained, and these have an effect:\n{result}")
            self.stage.count("attacks that ended contained")
            return
        self.assertCode(3, result)
        self.stage.count("attacks that exited with 3")
        text = result.out + result.err
        for loot in effective:
            fresh = loot.made > ended - LAST_LOOK
            self.assertTrue(loot.told(text, fresh), f"{loot.names} has an effect and is not named:\n{result}\nwrites: {self.world.writes}")

    def has_effect(self, loot):
        return Intruder(self, loot.credential).tries("iam", "list_users") is not None


def prompt(self):
    self.play(delay=0)


def late(self):
    self.play(delay=600)


for number in range(ROUNDS):
    setattr(Attack, f"test_{number:02}_{'late' if number % 2 else 'prompt'}_trail", late if number % 2 else prompt)
