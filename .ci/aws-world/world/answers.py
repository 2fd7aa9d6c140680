"""Services without state: one answer for each operation, as in an account where all goes well.

A scenario replaces an answer by World.canned."""
import datetime


def trail(call):
    arn = f"arn:{call.world.partition}:cloudtrail:{call.world.home}:{call.caller.account.id}:trail/t"
    group = f"arn:{call.world.partition}:logs:{call.world.home}:{call.caller.account.id}:log-group:trail:*"
    return {"Name": "t", "TrailARN": arn, "IsMultiRegionTrail": True, "HomeRegion": call.world.home, "CloudWatchLogsLogGroupArn": group}


def regions(call):
    return {"Regions": [{"RegionName": region, "Endpoint": f"ec2.{region}.amazonaws.com", "OptInStatus": "opt-in-not-required"} for region in call.world.regions]}


def root_filter(_):
    return {"metricFilters": [{"filterName": "root", "filterPattern": '{ $.userIdentity.type = "Root" }', "metricTransformations": [
        {"metricName": "RootCount", "metricNamespace": "CT", "metricValue": "1"}]}]}


def exposed_keys(call):
    """Trusted Advisor's check of exposed keys, or any other."""
    return {"result": {"checkId": call.params["checkId"], "timestamp": "2026-11-20T00:00:00Z", "status": "ok", "resourcesSummary": {
        "resourcesProcessed": 1, "resourcesFlagged": 0, "resourcesIgnored": 0, "resourcesSuppressed": 0}, "categorySpecificSummary": {}, "flaggedResources": []}}


CHECKS = {"HCP4007jGY": "Security Groups - Specific Ports Unrestricted", "7DAFEmoDos": "MFA on Root Account", "Pfx0RwqBli": "Amazon S3 Bucket Permissions",
          "ePs02jT06w": "Amazon EBS Public Snapshots", "12Fnkpl8Y5": "Exposed Access Keys", "zXCkfM1nI3": "IAM Use", "Yw2K9puPzl": "IAM Password Policy"}


def advisor_checks(_):
    return {"checks": [{"id": id, "name": name, "description": name, "category": "security", "metadata": []} for id, name in CHECKS.items()]}


def advisor_summaries(call):
    return {"summaries": [{"checkId": id, "timestamp": "2026-11-20T00:00:00Z", "status": "ok", "hasFlaggedResources": False, "categorySpecificSummary": {}, "resourcesSummary": {
        "resourcesProcessed": 1, "resourcesFlagged": 0, "resourcesIgnored": 0, "resourcesSuppressed": 0}} for id in call.params["checkIds"]]}


def bill(call):
    start, end = (datetime.date.fromisoformat(call.params["TimePeriod"][name][:10]) for name in ("Start", "End"))
    days = [start + datetime.timedelta(days=n) for n in range((end - start).days)]
    cost = {name: {"Amount": "12.5", "Unit": "USD"} for name in call.params["Metrics"]}
    groups = [{"Keys": ["Amazon Elastic Compute Cloud - Compute"], "Metrics": cost}] if call.params.get("GroupBy") else []
    return {"ResultsByTime": [{"TimePeriod": {"Start": day.isoformat(), "End": (day + datetime.timedelta(days=1)).isoformat()},
                               "Total": {} if groups else cost, "Groups": groups, "Estimated": False} for day in days]}


def account_description(call):
    id = call.params["AccountId"]
    return {"Account": {"Id": id, "Arn": f"arn:{call.world.partition}:organizations::111111111111:account/o-x/{id}", "Name": "production", "Email": "prod@example.com",
                        "Status": "ACTIVE", "JoinedMethod": "CREATED", "JoinedTimestamp": call.world.now()}}


def full_access(call):
    return {"Policies": [{"Id": "p-FullAWSAccess", "Arn": f"arn:{call.world.partition}:organizations::aws:policy/service_control_policy/p-FullAWSAccess",
                          "Name": "FullAWSAccess", "Type": "SERVICE_CONTROL_POLICY", "AwsManaged": True}]}


def contact(call):
    return {"AlternateContact": {"AlternateContactType": call.params["AlternateContactType"], "Name": "Security", "Title": "Lead", "EmailAddress": "security@example.com", "PhoneNumber": "+1 555"}}


ANSWERS = {
    "ec2:DescribeRegions": regions,
    "cloudtrail:DescribeTrails": lambda call: {"trailList": [trail(call)]},
    "cloudtrail:GetTrailStatus": lambda _: {"IsLogging": True},
    "logs:DescribeMetricFilters": root_filter,
    "cloudwatch:DescribeAlarmsForMetric": lambda call: {"MetricAlarms": [{"AlarmName": "root", "MetricName": call.params["MetricName"], "ActionsEnabled": True, "AlarmActions": ["arn:aws:sns:us-east-1:222233334444:alarms"]}]},
    "guardduty:ListDetectors": lambda _: {"DetectorIds": ["12abc34d567e8fa901bc2d34e56789f0"]},
    "guardduty:ListFindings": lambda _: {"FindingIds": []},
    "support:DescribeTrustedAdvisorChecks": advisor_checks,
    "support:DescribeTrustedAdvisorCheckSummaries": advisor_summaries,
    "support:DescribeTrustedAdvisorCheckResult": exposed_keys,
    "health:DescribeEvents": lambda _: {"events": []},
    "ce:GetCostAndUsage": bill,
    "account:GetAlternateContact": contact,
    "organizations:DescribeAccount": account_description,
    "organizations:ListTagsForResource": lambda _: {"Tags": [{"Key": "Owner", "Value": "team-a"}]},
    "organizations:ListPoliciesForTarget": full_access,
    "organizations:ListParents": lambda call: {"Parents": [{"Id": "r-root", "Type": "ROOT"}] if call.params["ChildId"].isdigit() else []},
    "securityhub:BatchImportFindings": lambda call: {"FailedCount": 0, "SuccessCount": len(call.params["Findings"]), "FailedFindings": []},
    "events:PutEvents": lambda call: {"FailedEntryCount": 0, "Entries": [{"EventId": "x"} for _ in call.params["Entries"]]},
    "sns:Publish": lambda _: {"MessageId": "94f20ce6-13c5-43a0-9a9e-ca52d816e90b"},
}
