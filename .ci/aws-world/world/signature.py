"""Signature version 4, computed anew."""
import hashlib
import hmac
import re
import urllib.parse

AUTHORIZATION = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})")


class Signature:
    """The Authorization header of a request; None of its fields is checked yet."""

    def __init__(self, header):
        match = AUTHORIZATION.fullmatch(header or "")
        self.present = match is not None
        if match:
            self.key_id, self.date, self.region, self.service, signed, self.value = match.groups()
            self.headers = signed.split(";")

    def is_of(self, secret, method, target, headers, body):
        path, _, query = target.partition("?")
        canonical_headers = "".join(f"{name}:{' '.join((headers.get(name) or '').split())}\n" for name in self.headers)
        canonical = "\n".join([
            method, urllib.parse.quote(path, safe="/-_.~"), "&".join(sorted(query.split("&"))) if query else "",
            canonical_headers, ";".join(self.headers), hashlib.sha256(body).hexdigest()])
        scope = f"{self.date}/{self.region}/{self.service}/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", headers["X-Amz-Date"], scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + secret).encode()
        for part in (self.date, self.region, self.service, "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return hmac.compare_digest(hmac.new(key, text.encode(), hashlib.sha256).hexdigest(), self.value)
