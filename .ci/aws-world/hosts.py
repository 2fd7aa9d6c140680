"""Prints the hosts that botocore uses, for TestHostsOfBotocore of package operator.

Each line: signing-name partition region fips|- host signing-region"""
import urllib.parse

import botocore.session
from botocore.endpoint_provider import EndpointProvider

from world.wire import service

# The signing names of the services that stanch asks.
NAMES = """iam sts ec2 monitoring logs cloudtrail organizations support health guardduty securityhub events sns
ce account""".split()
# The region in which each partition has the services that it has once, such as Health.
HOMES = {"aws": "us-east-1", "aws-cn": "cn-northwest-1", "aws-us-gov": "us-gov-west-1", "aws-eusc": "eusc-de-east-1"}
ONCE = ("health",)  # its rules know hosts in all regions, and it answers in one


def lines(name):
    session = botocore.session.get_session()
    loader = session.get_component("data_loader")
    provider = EndpointProvider(loader.load_service_model(service(name), "endpoint-rule-set-1"), loader.load_data("partitions"))
    extra = {"UseGlobalEndpoint": False} if name == "sts" else {}
    for partition, home in HOMES.items():
        for region in [home] if name in ONCE else session.get_available_regions("ec2", partition):
            for fips in (False, True):
                endpoint = provider.resolve_endpoint(Region=region, UseFIPS=fips, UseDualStack=False, **extra)
                schemes = endpoint.properties.get("authSchemes", [{}])
                signed = schemes[0].get("signingRegion", region)
                yield f"{name} {partition} {region} {'fips' if fips else '-'} {urllib.parse.urlsplit(endpoint.url).netloc} {signed}"


for name in NAMES:
    print("\n".join(lines(name)))
