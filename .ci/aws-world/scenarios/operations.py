"""Every operation that stanch sends, in each partition, checked by the models; all lists come in pages of one."""
import base64
import datetime
import os
import urllib.parse

from stage import Incident, OPERATIONS, PRODUCTION, bedrock_key
from world import sts
from world.state import Key, unique_id


class Aws(Incident):
    def setUp(self):
        super().setUp()
        world = self.world
        world.page, world.simulation_page = 1, 7
        world.allowed = ("iam:PassRole", "organizations:LeaveOrganization", "ec2:RunInstances")
        for name in ("ada", "zoe"):
            self.operator.account.user(name)
        self.user = user = self.production.user("deploy", path="/ci/")
        self.key = user.keys[0]
        user.tags = {"a": "b", "owner": "team-a", "team": "y"}
        user.attached = [f"arn:{self.partition}:iam::aws:policy/{name}" for name in ("ViewOnlyAccess", "AdministratorAccess")]
        user.groups, user.console = ["developers", "operators"], True
        user.service_credentials = [self.service_credential("codecommit.amazonaws.com")]
        world.canned["guardduty:ListFindings"] = lambda _: {"FindingIds": ["f" * 32]}
        world.canned["guardduty:GetFindings"] = lambda call: {"Findings": [{
            "AccountId": PRODUCTION, "Arn": "arn:aws:guardduty:x", "CreatedAt": "2026-11-20T00:00:00Z", "Id": "f" * 32, "Region": call.region, "SchemaVersion": "2.0",
            "Resource": {"AccessKeyDetails": {"AccessKeyId": self.key.id}}, "Severity": 8.0, "Type": "UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom", "UpdatedAt": "2026-11-20T00:00:00Z"}]}

    def service_credential(self, service):
        created = self.world.now() - datetime.timedelta(days=9)
        return {"Status": "Active", "ServiceUserName": f"deploy-at-{PRODUCTION}", "CreateDate": created, "ServiceSpecificCredentialId": unique_id("ACCA"), "ServiceName": service}

    def test_key_of_a_user(self):
        self.scan(self.key)
        assessed = self.run_stanch("assess", self.path("scan.jsonl"), *self.role_flags)
        self.assertSays(assessed, "may", "iam:PassRole")
        self.assertCode(0, self.run_stanch("inventory", "-o", self.path("inventory.jsonl")))
        self.assertPlanned(self.plan("scan.jsonl", "--quarantine", "--force-in-use"))
        notices = ["securityhub", "eventbridge", "eventbridge:my-bus", f"sns:arn:{self.partition}:sns:{self.region}:{OPERATIONS}:alerts"]
        self.assertContained(self.apply("--findings", self.path("scan.jsonl"), *[word for notice in notices for word in ("--notify", notice)]))
        self.assertCode(0, self.confirm("--findings", self.path("scan.jsonl")))
        self.run_stanch("verify", "--iam", self.path("scan.jsonl"), *self.role_flags)
        self.assertCode(0, self.undo())
        self.assertEqual(("Active", {}, 2), (self.key.status, self.user.inline, len(self.user.attached)))

    def test_password_of_codecommit(self):
        password = urllib.parse.quote(base64.b64encode(os.urandom(32)).decode(), safe="")
        self.scan(files={"clone.txt": f"https://deploy-at-{PRODUCTION}:{password}@git-codecommit.{self.region}.amazonaws.com/v1/repos/x\n"})
        self.assertPlanned(self.plan())
        self.assertContained(self.apply())
        self.assertEqual("Inactive", self.user.service_credentials[0]["Status"])
        self.assertCode(0, self.undo())
        self.assertEqual("Active", self.user.service_credentials[0]["Status"])

    def test_session_of_a_role(self):
        role = self.production.role("app", path="/svc/")
        role.boundary = self.production.arn("policy/b")
        session = self.world.role_session(role, "i-0123", age=60)
        self.scan(session)
        self.run_stanch("assess", self.path("scan.jsonl"), *self.role_flags)
        self.assertPlanned(self.plan())
        self.assertContained(self.apply())
        self.assertDenied(session)
        self.assertCode(0, self.undo())
        self.assertEqual({}, role.inline)

    def test_key_of_root(self):
        key = Key(self.production, None, self.world.now())
        self.production.root_keys.append(key)
        self.world.canned["sts:AssumeRoot"] = lambda call: {"Credentials": sts.credentials(self.world.session(self.production, self.production.arn("root"), None))}
        self.scan(key)
        self.run_stanch("verify", "--iam", self.path("scan.jsonl"), *self.role_flags)
        self.assertCode(3, self.plan())
        alone = self.environment()
        planned = self.run_stanch("respond", "plan", "--self", "--force-in-use", self.path("scan.jsonl"), "--accounts", PRODUCTION, "-o", self.path("self.json"), env=alone)
        self.assertCode(0, planned)
        applied = self.run_stanch("respond", "apply", "--self", self.path("self.json"), "--accounts", PRODUCTION, "--findings", self.path("scan.jsonl"),
                                  env=alone, input=f"{PRODUCTION} {key.id[-4:]}\n")
        self.assertCode(3, applied)
        self.assertEqual("Inactive", key.status)

    def test_id_of_the_old_layout(self):
        old = Key(self.production, self.user, self.world.now())
        old.id = "AKIAI" + unique_id("")[:15]
        self.user.keys.append(old)
        self.assertSays(self.run_stanch("assess", old.id, *self.role_flags), "deploy")

    def test_bedrock_key(self):
        self.user.service_credentials = [self.service_credential("bedrock.amazonaws.com")]
        self.scan(files={"bedrock.env": f"AWS_BEARER_TOKEN_BEDROCK={bedrock_key(self.user)}\n"})
        self.assertPlanned(self.plan())
        self.assertContained(self.apply())
        self.assertEqual("Inactive", self.user.service_credentials[0]["Status"])


class China(Aws):
    partition, region = "aws-cn", "cn-northwest-1"


class GovCloud(Aws):
    partition, region = "aws-us-gov", "us-gov-east-1"


class Europe(Aws):
    partition, region = "aws-eusc", "eusc-de-east-1"
