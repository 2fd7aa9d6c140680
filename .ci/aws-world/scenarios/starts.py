"""Where a plan can start: a report, a key id alone, an old report, a key that is off already."""
import datetime
import json
import re

from stage import Incident, PRODUCTION
from world.state import key_id


class Start(Incident):
    def setUp(self):
        super().setUp()
        self.user = self.production.user("deploy")
        self.key = self.user.keys[0]
        self.session = self.world.user_session(self.user, age=60)

    def assertEnds(self, *flags):
        """The plan that was made contains the key, and its undo takes all of it back."""
        self.assertContained(self.apply(*flags))
        self.assertEqual("Inactive", self.key.status)
        self.assertDenied(self.session)


class Report(Start):
    def test_with_secrets(self):
        self.scan(self.key)
        self.assertPlanned(self.plan())
        self.assertEnds("--findings", self.path("scan.jsonl"))
        self.assertCode(0, self.undo())
        self.assertEqual(("Active", {}), (self.key.status, self.user.inline))

    def age_report(self, hours=3):
        self.scan(self.key, secrets=False)
        with open(self.path("scan.jsonl")) as file:
            text = file.read()
        then = self.world.now() - datetime.timedelta(hours=hours)
        with open(self.path("scan.jsonl"), "w") as file:
            file.write(re.sub(r'"verified_at":"[^"]+"', f'"verified_at":"{then:%Y-%m-%dT%H:%M:%SZ}"', text))

    def test_old_without_secrets(self):
        self.age_report()
        self.assertPlanned(self.plan())
        self.assertEnds()

    def test_old_and_verified_again(self):
        self.age_report()
        self.run_stanch("verify", "--iam", "-f", "json", "-o", self.path("again.jsonl"), self.path("scan.jsonl"), *self.role_flags)
        self.assertPlanned(self.plan("again.jsonl"))

    def test_old_and_assessed(self):
        self.age_report()
        run = self.run_stanch("assess", "-f", "json", self.path("scan.jsonl"), *self.role_flags)
        with open(self.path("assessed.jsonl"), "w") as file:
            file.write(run.out)
        self.assertPlanned(self.plan("assessed.jsonl"))

    def test_one_key_out_of_two(self):
        other = self.production.user("other")
        self.scan(self.key, other.keys[0])
        self.assertPlanned(self.plan("scan.jsonl", "--key", self.key.id))
        self.assertEnds()
        self.assertEqual("Active", other.keys[0].status)

    def test_key_that_is_not_in_it(self):
        self.scan(self.key)
        absent = key_id(PRODUCTION)
        run = self.plan("scan.jsonl", "--key", absent)
        self.assertNotEqual(0, run.code, str(run))
        self.assertSays(run, absent)


class KeyID(Start):
    def test_alone(self):
        self.assertPlanned(self.plan(self.key.id))
        self.assertEnds()

    def test_of_no_account(self):
        run = self.plan(key_id("999988887777"))
        self.assertNotEqual(0, run.code, str(run))
        self.assertFalse(run.plan and run.plan["keys"], str(run))

    def test_of_a_session(self):
        """CloudTrail tells whose session it is."""
        role = self.production.role("app", path="/svc/")
        session = self.world.role_session(role, "i-0123", age=600)
        self.use(session)
        self.assertPlanned(self.plan(session.access_key))
        self.assertContained(self.apply())
        self.assertDenied(session)

    def use(self, session):
        from world import cloudtrail
        now = self.world.now() - datetime.timedelta(minutes=5)
        cloudtrail.add(self.world, PRODUCTION, {
            "userIdentity": cloudtrail.identity(session), "eventTime": f"{now:%Y-%m-%dT%H:%M:%SZ}", "eventSource": "s3.amazonaws.com", "eventName": "ListBuckets",
            "awsRegion": "us-east-1", "sourceIPAddress": "203.0.113.9", "userAgent": "aws-cli", "readOnly": True, "eventID": "e1", "requestParameters": None, "responseElements": None}, now)


class HealthEvent(Start):
    def event(self, account=PRODUCTION, code="AWS_RISK_CREDENTIALS_EXPOSED", keys=None):
        keys = [self.key.id] if keys is None else keys
        return json.dumps({
            "version": "0", "id": "7bf73129-1428-4cd3-a780-95db273d1602", "detail-type": "AWS Health Event", "source": "aws.health", "account": account,
            "time": "2026-11-29T17:00:00Z", "region": "us-east-1", "resources": keys, "detail": {
                "eventArn": f"arn:aws:health:us-east-1::event/RISK/{code}/x", "service": "RISK", "eventTypeCode": code, "eventTypeCategory": "issue",
                "affectedAccount": account, "statusCode": "open", "startTime": "Sun, 29 Nov 2026 17:00:00 GMT",
                "eventDescription": [{"language": "en_US", "latestDescription": "A key is exposed."}], "affectedEntities": [{"entityValue": key} for key in keys]}})

    def test_on_standard_input(self):
        self.assertPlanned(self.plan("-", input=self.event()))
        self.assertEnds()

    def test_twice(self):
        self.plan("-", input=self.event())
        self.assertEnds()
        writes = len(self.world.writes)
        run = self.plan("-", out="second.json", input=self.event())
        self.assertCode(0, run)
        self.assertFalse(run.plan and run.plan["keys"], str(run))
        self.assertEqual(writes, len(self.world.writes))

    def assertRefused(self, run, *words):
        self.assertNotEqual(0, run.code, str(run))
        self.assertFalse(run.plan and run.plan["keys"], str(run))
        self.assertSays(run, *words)

    def test_of_another_account(self):
        self.assertRefused(self.plan("-", input=self.event(account="999988887777", keys=[key_id("999988887777")])), "999988887777")

    def test_without_a_key(self):
        self.assertRefused(self.plan("-", input=self.event(keys=[])), "key")

    def test_about_something_else(self):
        self.assertRefused(self.plan("-", input=self.event(code="AWS_EC2_OPERATIONAL_ISSUE")), "AWS_EC2_OPERATIONAL_ISSUE")


class Changed(Start):
    """Somebody else was faster."""

    def test_inactive_before_the_plan(self):
        self.scan(self.key)
        self.key.status = "Inactive"
        self.assertPlanned(self.plan())
        self.assertEnds()

    def test_inactive_and_the_id_alone(self):
        self.key.status = "Inactive"
        self.assertPlanned(self.plan(self.key.id))
        self.assertEnds()

    def test_inactive_after_the_plan(self):
        self.scan(self.key)
        self.plan()
        self.key.status = "Inactive"
        self.assertSays(self.apply(), "plan again")
        self.assertPlanned(self.plan())
        self.assertEnds()

    def test_deleted_after_the_plan(self):
        self.scan(self.key)
        self.plan()
        self.user.keys.clear()
        self.assertNotEqual(0, self.apply().code)
        self.assertPlanned(self.plan())
        self.assertContained(self.apply())
        self.assertDenied(self.session)

    def test_user_deleted_after_the_plan(self):
        self.scan(self.key)
        self.plan()
        del self.production.users["deploy"]
        run = self.apply()
        self.assertNotEqual(0, run.code, str(run))
        self.assertSays(run, "deploy")


class Names(Incident):
    def contain(self, name, path):
        user = self.production.user(name, path)
        self.scan(user.keys[0], report=f"{len(name)}{len(path)}.jsonl")
        self.assertPlanned(self.plan(f"{len(name)}{len(path)}.jsonl"))
        self.assertContained(self.apply())
        self.assertCode(0, self.undo())
        self.assertEqual(("Active", {}), (user.keys[0].status, user.inline))

    def test_with_all_characters(self):
        self.contain("a+b=c,d.e@f-g_h", "/ci/team-1/")

    def test_of_greatest_length(self):
        self.contain("u" * 64, "/" + "p" * 510 + "/")

    def test_two_keys_of_one_user(self):
        user = self.production.user("deploy", keys=2)
        self.scan(*user.keys)
        self.assertPlanned(self.plan(), keys=2)
        self.assertContained(self.apply())
        self.assertEqual(["Inactive"] * 2, [key.status for key in user.keys])
        self.assertCode(0, self.undo())
        self.assertEqual((["Active"] * 2, {}), ([key.status for key in user.keys], user.inline))
