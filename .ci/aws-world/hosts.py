"""Print where botocore sends the requests of each service that stanch asks, for all regions.

A line is: service partition region fips|- host signing-region. TestHostsOfBotocore of
verifier/operator compares its hosts with these, in the file that STANCH_HOSTS names.
"""
import json
import os
import re
import sys

import botocore
import botocore.session
from botocore.config import Config

# As it is signed: botocore's name of the service, an operation, and the parameters that it requires.
SERVICES = {
    "iam": ("iam", "get_account_summary", {}),
    "sts": ("sts", "get_caller_identity", {}),
    "ec2": ("ec2", "describe_regions", {}),
    "monitoring": ("cloudwatch", "describe_alarms_for_metric", {"MetricName": "a", "Namespace": "b"}),
    "logs": ("logs", "describe_metric_filters", {}),
    "cloudtrail": ("cloudtrail", "describe_trails", {}),
    "organizations": ("organizations", "describe_organization", {}),
    "support": ("support", "describe_trusted_advisor_check_result", {"checkId": "x"}),
    "health": ("health", "describe_events", {}),
    "guardduty": ("guardduty", "list_detectors", {}),
    "securityhub": ("securityhub", "get_enabled_standards", {}),
    "events": ("events", "list_rules", {}),
    "sns": ("sns", "list_topics", {}),
    "ce": ("ce", "get_anomaly_monitors", {}),
    "account": ("account", "list_regions", {}),
}
# botocore leaves the region of Health to the caller: these are the regions that answer.
HEALTH = {"aws": "us-east-1", "aws-cn": "cn-northwest-1", "aws-us-gov": "us-gov-west-1", "aws-eusc": "eusc-de-east-1"}


class NotSent(Exception):
    """Ends a call before anything is sent."""


def request(session, service, region, fips):
    """Return the host, the region and the service of the signature."""
    name, operation, parameters = SERVICES[service]
    client = session.create_client(name, region_name=region, aws_access_key_id="id", aws_secret_access_key="secret",
                                   config=Config(use_fips_endpoint=fips))
    found = []

    def stop(request, **_):
        signed = request.headers["Authorization"]
        signed = signed.decode() if isinstance(signed, bytes) else signed
        scope = re.search(r"Credential=(\S+)", signed)[1].split("/")
        found.extend((re.match(r"https://([^/]+)", request.url)[1], scope[2], scope[3]))
        raise NotSent

    client.meta.events.register("before-send", stop)
    try:
        getattr(client, operation)(**parameters)
    except NotSent:
        pass
    return found


def main():
    session = botocore.session.get_session()
    with open(os.path.join(os.path.dirname(botocore.__file__), "data", "partitions.json"), encoding="utf-8") as file:
        partitions = [p for p in json.load(file)["partitions"] if p["id"] in HEALTH]
    for partition in partitions:
        for region in sorted(r for r in partition["regions"] if not r.endswith("-global")):
            for service in SERVICES:
                for fips in (False, True):
                    at = HEALTH[partition["id"]] if service == "health" else region
                    host, signed_for, signed_as = request(session, service, at, fips)
                    if signed_as != service:
                        sys.exit(f"{service} is signed as {signed_as}")
                    print(service, partition["id"], region, "fips" if fips else "-", host, signed_for)


if __name__ == "__main__":
    main()
