"""Facts and advice: lists that go on, trails elsewhere, root, AWS's own quarantine."""
import datetime

from intruder import Intruder
from stage import Incident, OPERATIONS


class Facts(Incident):
    def setUp(self):
        super().setUp()
        self.user = self.production.user("deploy")
        self.key = self.user.keys[0]

    def assess(self):
        return self.run_stanch("assess", self.key.id, *self.role_flags)

    def test_trail_of_one_other_region(self):
        def trails(call):
            arn = "arn:aws:cloudtrail:eu-west-1:222233334444:trail/t"
            return {"trailList": [{"Name": "t", "TrailARN": arn, "IsMultiRegionTrail": False, "HomeRegion": "eu-west-1"}] if call.region == "eu-west-1" else []}

        self.world.canned["cloudtrail:DescribeTrails"] = trails
        run = self.assess()
        self.assertSays(run, "cloudtrail", "eu-west-1")
        self.assertFalse(run.lines("cloudtrail", ": off"), str(run))

    def test_trail_for_data_only(self):
        arn = "arn:aws:cloudtrail:us-east-1:222233334444:trail/data"
        self.world.canned["cloudtrail:DescribeTrails"] = lambda _: {"trailList": [
            {"Name": "data", "TrailARN": arn, "IsMultiRegionTrail": True, "HomeRegion": "us-east-1", "HasCustomEventSelectors": True}]}
        self.world.canned["cloudtrail:GetEventSelectors"] = lambda _: {"TrailARN": arn, "AdvancedEventSelectors": [
            {"Name": "objects", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}]}
        self.assertSays(self.assess(), "cloudtrail", ": off", "management events")

    def test_bill_is_that_of_the_account_without_credits(self):
        filters = []
        self.world.canned["ce:GetCostAndUsage"] = lambda call: filters.append(call.params["Filter"]) or {"ResultsByTime": []}
        self.assess()
        account, charges = filters[0]["And"]
        self.assertEqual(["222233334444"], account["Dimensions"]["Values"])
        self.assertIn("Credit", charges["Not"]["Dimensions"]["Values"])

    def test_event_of_health_on_the_second_page(self):
        event = {"arn": "arn:aws:health:global::event/RISK/AWS_RISK_CREDENTIALS_EXPOSED/x", "service": "RISK", "eventTypeCode": "AWS_RISK_CREDENTIALS_EXPOSED",
                 "eventTypeCategory": "issue", "statusCode": "open", "startTime": self.world.now()}
        self.world.canned["health:DescribeEvents"] = lambda call: {"events": [event]} if call.params.get("nextToken") else {"events": [], "nextToken": "next"}
        self.assertSays(self.assess(), "AWS_RISK_CREDENTIALS_EXPOSED")

    def test_tag_of_the_account_on_the_second_page(self):
        many = [{"Key": f"k{n}", "Value": "v"} for n in range(50)]
        self.world.canned["organizations:ListTagsForResource"] = lambda call: (
            {"Tags": [{"Key": "owner", "Value": "team-z"}]} if call.params.get("NextToken") else {"Tags": many, "NextToken": "next"})
        self.assertSays(self.assess(), "account-owner", "team-z")

    def test_findings_of_guardduty_on_the_second_page(self):
        self.world.canned["guardduty:ListFindings"] = lambda call: (
            {"FindingIds": ["x" * 32]} if call.params.get("NextToken") else {"FindingIds": [f"{n:032}" for n in range(50)], "NextToken": "next"})
        self.world.canned["guardduty:GetFindings"] = lambda call: {"Findings": [{
            "AccountId": call.caller.account.id, "Arn": "arn:aws:guardduty:x", "CreatedAt": "2026-11-20T00:00:00Z", "Id": id, "Region": call.region, "SchemaVersion": "2.0",
            "Resource": {"AccessKeyDetails": {"AccessKeyId": self.key.id}}, "Severity": 8.0,
            "Type": "UnauthorizedAccess:IAMUser/" + ("Last" if id[0] == "x" else "First"), "UpdatedAt": "2026-11-20T00:00:00Z"} for id in call.params["FindingIds"]]}
        self.assertSays(self.assess(), "IAMUser/Last")

    def test_older_name_of_the_quarantine(self):
        self.user.attached = ["arn:aws:iam::aws:policy/AWSExposedCredentialPolicy_DO_NOT_REMOVE"]
        self.assertSays(self.assess(), "quarantine", "AWSExposedCredentialPolicy_DO_NOT_REMOVE")

    def test_things_that_the_key_made(self):
        intruder = Intruder(self, self.key)
        intruder.call("iam", "create_user", UserName="backup-admin")
        second = intruder.call("iam", "create_access_key", UserName="backup-admin")["AccessKey"]["AccessKeyId"]
        intruder.assume(self.production.role("admin"))
        intruder.session()
        run = self.assess()
        for name in ("backup-admin", second, "role/admin", "203.0.113.9"):
            self.assertSays(run, name)

    def test_without_the_details_of_the_account(self):
        """Then each principal is asked about."""
        self.world.denied |= {"iam:GetAccountAuthorizationDetails", "iam:GetCredentialReport"}
        role = self.production.role("app")
        self.user.groups = ["developers"]
        for principal in (self.user, role):
            principal.attached = ["arn:aws:iam::aws:policy/AdministratorAccess"]
        self.scan(self.key, self.world.role_session(role, "i-1", age=60))
        run = self.run_stanch("assess", self.path("scan.jsonl"), *self.role_flags)
        self.assertEqual(2, len(run.lines("ACT NOW", "admin:")), str(run))

    def test_without_any_permission(self):
        """Each fact names the permission that it needs."""
        for name in ("respond", "assess"):
            self.responder.inline[name] = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:GetCallerIdentity","Resource":"*"}]}'
        run = self.assess()
        for action in ("iam:GetAccessKeyLastUsed", "cloudtrail:DescribeTrails", "guardduty:ListDetectors", "ec2:DescribeRegions"):
            self.assertSays(run, "not known", action)


class Advice(Incident):
    def test_session_of_root(self):
        session = self.world.session(self.production, self.production.arn("root"), None)
        self.scan(session)
        run = self.plan()
        self.assertCode(3, run)
        self.assertFalse(run.lines("Access keys > Deactivate") or run.lines(f"delete-access-key --access-key-id {session.access_key}"), str(run))

    def test_two_bedrock_keys(self):
        """Which of them leaked cannot be told: none is shut off."""
        from stage import bedrock_key
        from world.state import unique_id
        user = self.production.user("bedrock-user")
        made = self.world.now() - datetime.timedelta(days=9)
        user.service_credentials = [{"Status": "Active", "ServiceUserName": "bedrock-user-at-222233334444", "CreateDate": made, "ServiceSpecificCredentialId": unique_id("ACCA"),
                                     "ServiceName": "bedrock.amazonaws.com"} for _ in range(2)]
        self.scan(files={"bedrock.env": f"AWS_BEARER_TOKEN_BEDROCK={bedrock_key(user)}\n"})
        self.assertCode(3, self.plan())
        self.assertEqual(["Active"] * 2, [credential["Status"] for credential in user.service_credentials])

    def test_notice_without_permission(self):
        key = self.production.user("deploy").keys[0]
        self.scan(key)
        self.plan()
        self.world.denied.add("sns:Publish")
        run = self.apply("--notify", f"sns:arn:aws:sns:us-east-1:{OPERATIONS}:alerts")
        self.assertCode(3, run)
        self.assertSays(run, "sns:Publish")
        self.assertEqual("Inactive", key.status)
