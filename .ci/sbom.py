"""Holds that an SBOM is CycloneDX by its schema, and lists the modules of a binary.

usage: go version -m BINARY | sbom.py SBOM
"""
import json
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

text = open(sys.argv[1]).read()
sbom = json.loads(text)
version = SchemaVersion["V" + sbom["specVersion"].replace(".", "_")]
if error := JsonStrictValidator(version).validate_str(text):
    sys.exit(f"{sys.argv[1]} is no CycloneDX {sbom['specVersion']}: {error}")

lines = [line.split("\t") for line in sys.stdin.read().splitlines()]
built = {(f[2], f[3]) for f in lines if len(f) > 3 and f[1] == "dep"}
listed = {(c["name"], c["version"]) for c in sbom["components"] if c["name"] != "std"}
if not built or built != listed:
    sys.exit(f"{sys.argv[1]} differs from the binary in {sorted(built ^ listed)}")
print(f"ok {sys.argv[1].rsplit('/', 1)[1]}: CycloneDX {sbom['specVersion']}, the {len(built)} modules of the binary")
