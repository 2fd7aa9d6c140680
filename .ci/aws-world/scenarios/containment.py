"""All of it is contained: roles that the key assumed, the console password, a user whose policies are full."""
import json
import signal
import subprocess
import time

from intruder import Intruder
from stage import Incident, PRODUCTION


class Whole(Incident):
    def setUp(self):
        super().setUp()
        self.user = self.production.user("deploy")
        self.key = self.user.keys[0]

    def contained(self, *flags):
        self.scan(self.key)
        run = self.plan("scan.jsonl", "--force-in-use")
        self.assertPlanned(run)
        applied = self.apply(*flags)
        self.assertContained(applied)
        return run, applied

    def test_roles_that_the_key_assumed(self):
        admin = self.production.role("admin", path="/ops/")
        namesake = self.production.role("notadmin")
        session = Intruder(self, self.key).assume(admin)
        bystander = self.world.role_session(namesake, age=60)
        self.contained("--findings", self.path("scan.jsonl"))
        self.assertDenied(session.caller)
        self.assertTrue(self.allowed(bystander), "a role of a similar name was touched")
        self.assertCode(0, self.undo())
        self.assertEqual({}, admin.inline)

    def test_role_of_a_role(self):
        first, second = self.production.role("first"), self.production.role("second")
        chain = Intruder(self, self.key).assume(first).assume(second)
        self.contained()
        self.assertDenied(chain.caller)

    def test_role_of_another_account_is_named(self):
        far = self.world.account("333344445555").role("far")
        Intruder(self, self.key).assume(far)
        self.scan(self.key)
        self.plan("scan.jsonl", "--force-in-use")
        run = self.apply()
        self.assertCode(3, run)
        self.assertSays(run, far.arn)

    def test_role_with_the_tag_protected_is_named(self):
        role = self.production.role("vital")
        role.tags["stanch:protected"] = "true"
        Intruder(self, self.key).assume(role)
        self.scan(self.key)
        self.plan("scan.jsonl", "--force-in-use")
        run = self.apply()
        self.assertCode(3, run)
        self.assertSays(run, "vital")
        self.assertEqual({}, role.inline)

    def test_console_password(self):
        self.user.console = True
        plan, _ = self.contained()
        self.assertSays(plan, "console")
        later = self.world.user_session(self.user, age=-3600)
        self.assertDenied(later)
        self.assertCode(0, self.undo())
        self.assertEqual({}, self.user.inline)
        self.assertTrue(self.allowed(later))

    def test_inline_policies_are_full(self):
        self.user.inline["own"] = json.dumps({"Version": "2012-10-17", "Statement": [
            {"Sid": "x" * 1800, "Effect": "Allow", "Action": "*", "Resource": "*"}]})
        session = self.world.user_session(self.user, age=60)
        self.contained("--findings", self.path("scan.jsonl"))
        self.assertDenied(session)
        self.assertTrue(self.production.policies)
        self.assertCode(0, self.undo())
        self.assertEqual(({}, [], ["own"]), (self.production.policies, self.user.attached, sorted(self.user.inline)))

    def test_inline_policies_of_a_role_are_full(self):
        role = self.production.role("app")
        role.inline["own"] = json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": "x" * 10100, "Effect": "Allow", "Action": "*", "Resource": "*"}]})
        session = self.world.role_session(role, "i-1", age=60)
        self.scan(session)
        self.assertPlanned(self.plan())
        self.assertContained(self.apply())
        self.assertDenied(session)
        self.assertCode(0, self.undo())
        self.assertEqual(({}, [], ["own"]), (self.production.policies, role.attached, sorted(role.inline)))

    def test_session_policy_names_one_role_only(self):
        role = self.production.role("app")
        session = self.world.role_session(role, "i-1", age=60)
        self.scan(session)
        self.assertPlanned(self.plan())
        self.assertContained(self.apply())
        documents = [call.params["Policy"] for call in self.world.requests if call.permission == "sts:AssumeRole" and "PutRolePolicy" in call.params.get("Policy", "")]
        self.assertTrue(documents)
        for document in documents:
            self.assertNotIn("role/*app", document)

    def test_interrupt(self):
        self.scan(self.key)
        self.assertPlanned(self.plan())

        def interrupt(call):
            if call.permission == "iam:UpdateAccessKey" and process.poll() is None:
                process.send_signal(signal.SIGINT)
                time.sleep(0.5)

        process = subprocess.Popen([self.stage.stanch, *self.command("apply")], env=self.signed_in, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.world.after = interrupt
        process.communicate(timeout=120)
        self.world.after = None
        self.assertContained(self.apply())
        self.assertEqual(1, len(self.user.inline))


class Used(Incident):
    """The key is used while it is planned for."""

    def test_by_the_intruder(self):
        key = self.production.user("deploy").keys[0]
        Intruder(self, key).call("ec2", "describe_regions")
        self.scan(key)
        plan = self.plan()
        self.assertPlanned(plan)
        self.assertSays(plan, "203.0.113.9")

    def test_by_its_owner(self):
        key = self.production.user("deploy").keys[0]
        Intruder(self, key).call("ec2", "describe_regions")
        self.history(key, days=30)
        self.scan(key)
        self.assertCode(3, self.plan())

    def history(self, key, days):
        """The address used the key before it leaked, too."""
        import copy
        import datetime

        from world import cloudtrail
        event = copy.deepcopy(self.world.events[-1][1])
        then = self.world.now() - datetime.timedelta(days=days)
        event.update(eventTime=f"{then:%Y-%m-%dT%H:%M:%SZ}", eventID="earlier")
        self.world.events.insert(0, (PRODUCTION, event, then, time.time() - 3600))


class Afterwards(Incident):
    def setUp(self):
        super().setUp()
        self.user = self.production.user("deploy")
        self.key = self.user.keys[0]
        self.scan(self.key)
        self.assertPlanned(self.plan())
        self.assertContained(self.apply())

    def test_confirm_after_the_key_was_deleted(self):
        self.user.keys.clear()
        run = self.confirm("--notify", "securityhub")
        self.assertCode(0, run)
        finding = next(call for call in self.world.requests if call.operation == "BatchImportFindings").params["Findings"][0]
        self.assertEqual("MEDIUM", finding["Severity"]["Label"])

    def test_confirm_after_the_key_was_activated_again(self):
        self.key.status = "Active"
        run = self.confirm()
        self.assertCode(3, run)
        self.assertContained(self.apply())
        self.assertEqual("Inactive", self.key.status)

    def test_new_key_of_the_user(self):
        Intruder(self, self.production.user("admin").keys[0]).call("iam", "create_access_key", UserName="deploy")
        run = self.confirm()
        self.assertCode(3, run)
        self.assertSays(run, self.user.keys[1].id)


class Inventory(Incident):
    def test_while_a_user_is_deleted(self):
        account = self.operator.account
        account.user("ada")
        account.user("zoe")

        def delete(call):
            if call.permission == "iam:ListAccessKeys" and call.params.get("UserName") == "zoe":
                account.users.pop("zoe", None)

        self.world.before = delete
        run = self.run_stanch("inventory", "-o", self.path("inventory.jsonl"))
        self.assertCode(0, run)
