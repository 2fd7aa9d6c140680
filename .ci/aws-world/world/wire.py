"""Requests and answers on the wire, by the service models of botocore.

A request is parsed by the model, validated, serialised again by botocore and compared
with the bytes that came. Answers are serialised by moto's serialisers from the same models."""
import functools
import json
import re
import threading
import urllib.parse
from xml.sax.saxutils import escape

import boto3
import botocore
import botocore.config
import botocore.serialize
import botocore.session
import botocore.validate
from moto.core import parse, serialize
from moto.core.utils import get_service_model
from werkzeug.datastructures import Headers, MultiDict

SERVICES = {"monitoring": "cloudwatch", "access-analyzer": "accessanalyzer"}  # signing name -> botocore's name, where they differ
PARSERS = {"query": parse.QueryParser, "ec2": parse.EC2QueryParser, "json": parse.JSONParser, "rest-json": parse.RestJSONParser}
REQUEST_ID = "01234567-89ab-cdef-0123-456789abcdef"
_building = threading.Lock()  # botocore's loaders are not made for several threads


def service(signing_name):
    return SERVICES.get(signing_name, signing_name)


@functools.cache
def model(name):
    with _building:
        return botocore.session.get_session().get_service_model(name)


@functools.cache
def moto_model(name):
    with _building:
        return get_service_model(name)


class Wire:
    """One request as it came."""

    def __init__(self, signing_name, method, target, headers, body):
        self.service, self.method, self.headers, self.body = service(signing_name), method, headers, body
        self.path, _, self.query = target.partition("?")
        self.form, uri = {}, {}
        if headers.get("X-Amz-Target"):
            self.protocol, self.operation = "json", headers["X-Amz-Target"].rsplit(".", 1)[1]
        elif "x-www-form-urlencoded" in headers.get("Content-Type", ""):
            self.protocol = "ec2" if self.service == "ec2" else "query"
            self.form = dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
            self.operation = self.form["Action"]
        else:
            self.protocol = "rest-json"
            self.operation, uri = route(self.service, method, self.path)
        self.params = self._parse(uri)

    def _parse(self, uri):
        values = self.form.items() if self.form else urllib.parse.parse_qsl(self.query)
        params = PARSERS[self.protocol](moto_model(self.service).operation_model(self.operation)).parse({
            "body": self.body, "headers": Headers(self.headers.items()), "method": self.method,
            "url_params": uri, "url_path": self.path, "values": MultiDict(list(values))}) or {}
        params.pop("Action", None)
        params.pop("Version", None)
        return params

    def problems(self):
        """How the request differs from botocore's."""
        operation = model(self.service).operation_model(self.operation)
        out = []
        if operation.input_shape is None:
            out += ["the operation takes no input"] if self.params else []
        else:
            out += violations(operation.input_shape, self.params, self.operation)
            report = botocore.validate.ParamValidator().validate(self.params, operation.input_shape)
            out += ["botocore: " + report.generate_report()] if report.has_errors() else []
        want = botocore.serialize.create_serializer(self.protocol, include_validation=False).serialize_to_request(self.params, operation)
        if (self.method, self.path) != (want["method"], want["url_path"]):
            out.append(f"{self.method} {self.path}, botocore {want['method']} {want['url_path']}")
        out += self._form_problems(want) if self.form else self._body_problems(want)
        for name in ("X-Amz-Target", "Content-Type"):
            wanted, got = want["headers"].get(name), self.headers.get(name)
            if wanted and (got or "").split(";")[0] != wanted.split(";")[0]:
                out.append(f"header {name}: {got!r}, botocore {wanted!r}")
        return out

    def _form_problems(self, want):
        wanted = {key: str(value) for key, value in want["body"].items()}
        return [f"form {key}: {self.form.get(key)!r}, botocore {wanted.get(key)!r}"
                for key in sorted(wanted.keys() | self.form.keys()) if wanted.get(key) != self.form.get(key)]

    def _body_problems(self, want):
        wanted = json.loads(want["body"]) if want.get("body") else {}
        got = json.loads(self.body) if self.body else {}
        return [] if wanted == got else [f"body: {got}, botocore {wanted}"]

    def answer(self, result):
        """The answer's status, headers and body."""
        operation = moto_model(self.service).operation_model(self.operation)
        serializer = serialize.get_serializer_class(self.service, self.protocol)
        out = serializer(operation, context=serialize.SerializationContext(REQUEST_ID)).serialize(result)
        body = out["body"]
        return out["status_code"], out["headers"], body.encode() if isinstance(body, str) else body

    def error(self, refusal):
        return error(refusal, self.service, self.protocol)


def error(refusal, name="sts", protocol="query"):
    if refusal.raw is not None:
        return refusal.status, refusal.headers, refusal.raw
    code, message = refusal.code, escape(refusal.message)
    headers = {"x-amzn-RequestId": REQUEST_ID, **refusal.headers}
    if protocol == "query":
        space = model(name).metadata.get("xmlNamespace", "")
        body = f'<ErrorResponse xmlns="{space}"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>{REQUEST_ID}</RequestId></ErrorResponse>'
        headers["Content-Type"] = "text/xml"
    elif protocol == "ec2":
        body = f'<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors><RequestID>{REQUEST_ID}</RequestID></Response>'
        headers["Content-Type"] = "text/xml"
    else:
        member = "Message" if name in ("organizations", "cloudtrail") else "message"
        body = json.dumps({"__type": code, member: refusal.message})
        headers["Content-Type"] = "application/x-amz-json-1.1"
        if protocol == "rest-json":
            headers["x-amzn-ErrorType"] = code
    return refusal.status, headers, body.encode()


def route(name, method, path):
    """The operation of a REST request, and the members that its path holds."""
    for operation in model(name).operation_names:
        http = model(name).operation_model(operation).http
        if http["method"] != method:
            continue
        parts = re.split(r"\{([^}]+)\}", http["requestUri"].split("?")[0])
        pattern = "".join(f"(?P<{part.rstrip('+')}>[^/]+)" if i % 2 else re.escape(part) for i, part in enumerate(parts))
        if match := re.fullmatch(pattern, path):
            return operation, match.groupdict()
    raise ValueError(f"{name} has no operation {method} {path}")


def violations(shape, value, path):
    """The constraints of a model that a value breaks: members, lengths, enums, patterns."""
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if shape.type_name == "structure":
        out = [f"{path}.{name}: required member is missing" for name in shape.required_members if name not in value]
        for name, inner in value.items():
            if name in shape.members:
                out += violations(shape.members[name], inner, f"{path}.{name}")
            else:
                out.append(f"{path}.{name}: {shape.name} has no such member")
        return out
    if shape.type_name == "list":
        out = [f"{path}: {len(value)} elements, allowed are {least} to {most}"] if outside(len(value), least, most) else []
        return out + [v for i, inner in enumerate(value) for v in violations(shape.member, inner, f"{path}[{i}]")]
    if shape.type_name == "map":
        return [v for key, inner in value.items() for v in
                violations(shape.key, key, f"{path} key") + violations(shape.value, inner, f"{path}[{key}]")]
    if shape.type_name != "string":
        return []
    if not isinstance(value, str):
        return [f"{path}: {type(value).__name__}, want a string"]
    out = [f"{path}: {len(value)} characters, allowed are {least} to {most}"] if outside(len(value), least, most) else []
    if getattr(shape, "enum", None) and value not in shape.enum:
        out.append(f"{path}: {value!r} is none of {shape.enum[:8]}")
    if not matches(shape.metadata.get("pattern"), value):
        out.append(f"{path}: {value[:60]!r} does not match {shape.metadata['pattern']}")
    return out


def outside(length, least, most):
    return (least is not None and length < least) or (most is not None and length > most)


def matches(pattern, value):
    """Whether value matches a pattern of Java. One that Python cannot read matches anything."""
    if not pattern:
        return True
    try:
        return re.fullmatch(pattern.replace(r"\p{IsAlphabetic}", "a-zA-Z"), value, re.S) is not None
    except re.error:
        return True


class Sent(Exception):
    """Ends a request of boto3 before it leaves."""


_endpoints = {}


def endpoint(name, region, fips, operation, params):
    """The host, region and signing name that boto3 uses in a region."""
    found = _endpoints.get((name, region, fips))
    if found is None:
        found = _endpoints[name, region, fips] = _endpoint(name, region, fips, operation, params)
    return found


def _endpoint(name, region, fips, operation, params):
    with _building:
        client = boto3.session.Session().client(name, region_name=region, aws_access_key_id="id", aws_secret_access_key="x",
                                                config=botocore.config.Config(use_fips_endpoint=fips))
    sent = {}

    def stop(request, **_):
        authorization = request.headers["Authorization"]
        authorization = authorization.decode() if isinstance(authorization, bytes) else authorization
        scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/", authorization)
        sent.update(host=urllib.parse.urlsplit(request.url).netloc, region=scope[1], name=scope[2])
        raise Sent

    client.meta.events.register("before-send", stop)
    try:
        getattr(client, botocore.xform_name(operation))(**params)
    except Sent:
        pass
    return sent
