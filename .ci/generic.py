"""Turns a stanch stream (stdin) into the scorer's generic lines (stdout)."""
import json
import sys

for line in sys.stdin:
    f = json.loads(line)
    if f["type"] != "finding" or f["ignored"]:
        continue
    for place in f["locations"]:
        # A member of an archive counts for the archive.
        path = place.get("path", "").split("!")[0]
        at = {"file": path, "line": place.get("line", 0), "kind": f["rule"]}
        part = place.get("part")  # all that stands here, if the id does not
        if f.get("key_id") and not part:
            pair = {"pair": f["secret"]} if f.get("secret") else {}
            print(json.dumps({**at, "value": f["key_id"], **pair}))
        if f.get("secret") and part != "token":
            print(json.dumps({**at, "line": place.get("secret_line") or at["line"], "value": f["secret"]}))
        if f.get("token") and part != "secret":
            print(json.dumps({**at, "value": f["token"]}))
