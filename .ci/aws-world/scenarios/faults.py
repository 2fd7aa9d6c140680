"""Each missing permission is named, throttling is waited for, and an answer that is lost does no harm."""
import json

from intruder import Intruder
from stage import Incident
from world.state import Refusal

THROTTLED = Refusal(400, "Throttling", "Rate exceeded")
BROKEN = Refusal(500, "InternalFailure", "", raw=b"")
PAGE = Refusal(503, "", "", headers={"Content-Type": "text/html"}, raw=b"<html>Service Unavailable</html>")


class Faults(Incident):
    def setUp(self):
        super().setUp()
        self.user, self.role = self.production.user("deploy"), self.production.role("admin")
        self.key = self.user.keys[0]

    def fill(self):
        """A console password, full inline policies and an assumed role: as many kinds of steps as there are."""
        self.user.console = True
        self.user.inline["own"] = json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": "x" * 1800, "Effect": "Allow", "Action": "*", "Resource": "*"}]})
        return [Intruder(self, self.key).assume(self.role).caller, self.world.user_session(self.user, age=60), self.world.user_session(self.user, age=-3600)]

    def respond(self):
        self.scan(self.key)
        run = self.plan("scan.jsonl", "--quarantine", "--force-in-use")
        return self.apply() if run.code == 0 else run

    def without(self, permission):
        sessions = self.fill()
        self.scan(self.key)
        self.world.denied.add(permission)
        plan = self.plan("scan.jsonl", "--quarantine", "--force-in-use")
        runs = [plan, self.apply()] if plan.plan and plan.plan["keys"] else [plan]
        if any(call.permission == permission for call in self.world.requests):
            self.assertTrue(any(run.lines(permission) for run in runs), f"{permission} is not named:\n{runs[-1]}")
        if len(runs) > 1 and runs[1].code == 0:
            self.assertEqual("Inactive", self.key.status)
            for session in sessions:
                self.assertDenied(session)

    def test_throttling(self):
        for permission, times in (("iam:UpdateAccessKey", 3), ("iam:PutUserPolicy", 4), ("sts:AssumeRole", 2), ("iam:ListAccessKeys", 2), ("cloudtrail:LookupEvents", 2)):
            self.world.faults[permission] = [THROTTLED] * times
        self.assertContained(self.respond())

    def test_throttling_without_end(self):
        self.world.faults["iam:UpdateAccessKey"] = [THROTTLED] * 100
        run = self.respond()
        self.assertCode(3, run)
        self.assertSays(run, "CONTAINED_NOT_DEACTIVATED")
        self.world.faults.clear()
        self.assertContained(self.apply())

    def test_broken_answers(self):
        self.world.faults["iam:UpdateAccessKey"] = [BROKEN]
        self.world.faults["iam:PutUserPolicy"] = [PAGE]
        self.assertContained(self.respond())

    def test_answer_of_a_stranger(self):
        """HTTP 200 with a page is not the answer of IAM."""
        self.world.faults["iam:UpdateAccessKey"] = [Refusal(200, "", "", headers={"Content-Type": "text/html"}, raw=b"<html>Sign in</html>")] * 9
        run = self.respond()
        self.assertNotEqual(0, run.code, str(run))
        self.assertEqual("Active", self.key.status)


# Permissions of every step, those of this issue included: one run without each.
PERMISSIONS = """
cloudtrail:LookupEvents ec2:DescribeRegions iam:AttachRolePolicy iam:AttachUserPolicy iam:CreatePolicy iam:CreatePolicyVersion iam:GetAccessKeyLastUsed
iam:GetLoginProfile iam:GetPolicy iam:GetPolicyVersion iam:GetRole iam:GetRolePolicy iam:GetUser iam:GetUserPolicy iam:ListAccessKeys
iam:ListAttachedRolePolicies iam:ListAttachedUserPolicies iam:ListPolicyVersions iam:ListRoleTags iam:ListUserPolicies iam:ListUserTags iam:ListUsers
iam:PutRolePolicy iam:PutUserPolicy iam:UpdateAccessKey
""".split()

for permission in PERMISSIONS:
    setattr(Faults, "test_without_" + permission.replace(":", "_"), lambda self, permission=permission: self.without(permission))
