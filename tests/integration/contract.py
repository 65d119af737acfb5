"""docs/openapi.json held against what a server said and heard, what is inside signed envelopes included.

Strict both ways: an answer's status, fields and members must all be in the document; a request that was taken (2xx, 304)
must fit the document whole. What a server refuses may be anything: then the refusal is held against the document.
"""
import base64
import binascii
import collections
import functools
import json
import os
import pathlib
import re
import sys
import tempfile
import time
import urllib.parse

import recording

try:
    import jsonschema
except ImportError:  # another python3 than Debian's, for which the package is
    sys.path.append("/usr/lib/python3/dist-packages")
    import jsonschema

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "openapi.json"
JSON_MAX = 16 << 20  # bytes of one body or line that are kept to be read
COMPLAINTS_MAX = 20  # of one recording
# What HTTP has in every answer; the document says nothing of these.
GENERAL = {"date", "server", "connection", "content-length", "content-type", "transfer-encoding"}
TOKEN = re.compile("Bearer [A-Za-z0-9_-]{43}")
# Statuses by which a request counts as taken.
TAKEN = (200, 201, 202, 204, 206, 304)


class Unfit(Exception):
    """A message does not fit the document; the words say where."""


def inlined(node, document):
    """The schema without references: the document's never go round in a circle."""
    if isinstance(node, list):
        return [inlined(part, document) for part in node]
    if not isinstance(node, dict):
        return node
    node = {name: inlined(part, document) for name, part in node.items()}
    reference = node.pop("$ref", None)
    if not isinstance(reference, str):
        return node
    target = document
    for name in reference.removeprefix("#/").split("/"):
        target = target[name]
    target = inlined(target, document)
    return {**node, "allOf": [target]} if node else target


def closed(node):
    """The schema, with objects that have just the members that are described: how this server is read, not how
    clients should read it."""
    if isinstance(node, list):
        return [closed(part) for part in node]
    if not isinstance(node, dict):
        return node
    node = {name: part if name in ("enum", "const") else closed(part) for name, part in node.items()}
    if node.get("type") == "object" and isinstance(node.get("properties"), dict):
        node.setdefault("additionalProperties", False)
    return node


def check_inside(validator, schema, value, described):
    """contentSchema: JSON in base64 is held against it. The standard leaves that to who applies it."""
    if not validator.is_type(value, "string"):
        return
    try:
        inside = parsed(base64.b64decode(value, validate=True), "it")
    except (binascii.Error, Unfit) as error:
        yield jsonschema.ValidationError(f"what is inside is no {described['contentMediaType']}: {error}")
        return
    yield from validator.descend(inside, schema, path="(inside)")


Validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"contentSchema": check_inside})


class Schema:
    """One schema, and what it says of a value."""

    def __init__(self, schema):
        self.type = schema.get("type")
        self.validator = Validator(closed(schema))

    def check(self, value, what):
        error = jsonschema.exceptions.best_match(self.validator.iter_errors(value))
        if error is not None:
            words = error.message if len(error.message) <= 300 else f"{error.message[:150]} … {error.message[-150:]}"
            raise Unfit(f"{what}{error.json_path[1:]}: {words}")

    def check_text(self, text, what):
        """A value of a query, field or path: digits where the schema wants a number."""
        if self.type == "integer":
            if not re.fullmatch("-?(0|[1-9][0-9]*)", text):
                raise Unfit(f"{what}: {text[:80]!r} is no integer")
            text = int(text)
        self.check(text, what)


def no_twins(pairs):
    members = dict(pairs)
    if len(members) < len(pairs):
        raise Unfit("a member is there twice")
    return members


def not_a_number(text):
    raise Unfit(f"the number {text[:40]} is no integer")


def parsed(text, what):
    try:
        return json.loads(text.decode("utf-8"), object_pairs_hook=no_twins, parse_float=not_a_number,
                          parse_constant=not_a_number)
    except (ValueError, RecursionError) as error:
        raise Unfit(f"{what}: no JSON: {error}") from error
    except Unfit as error:
        raise Unfit(f"{what}: {error}") from error


class WholeBody:
    """JSON, kept until it is all there."""

    def __init__(self, schema, what):
        self.schema, self.what, self.text = schema, what, bytearray()

    def __call__(self, piece):
        if len(self.text) <= JSON_MAX:
            self.text += piece

    def end(self):
        if len(self.text) > JSON_MAX:
            raise Unfit(f"{self.what}: more than {JSON_MAX} bytes of JSON")
        self.value = parsed(bytes(self.text), self.what)
        self.schema.check(self.value, self.what)


class LineBody:
    """Lines of JSON, each looked at as it comes; only the first complaint is kept."""

    def __init__(self, schema, what):
        self.schema, self.what, self.text, self.number, self.complaint = schema, what, bytearray(), 0, None

    def __call__(self, piece):
        self.text += piece
        *lines, rest = self.text.split(b"\n")
        self.text = bytearray(rest)
        for line in lines:
            self.line(bytes(line))
        if len(self.text) > JSON_MAX:
            self.complaint = self.complaint or f"{self.what}: a line of more than {JSON_MAX} bytes"
            self.text.clear()

    def line(self, text):
        self.number += 1
        if self.complaint or not text.strip():
            return
        what = f"{self.what} line {self.number}"
        try:
            self.schema.check(parsed(text, what), what)
        except Unfit as error:
            self.complaint = str(error)

    def end(self):
        if self.text:
            self.line(bytes(self.text))
        if self.complaint:
            raise Unfit(self.complaint)


class Octets:
    """Whatever bytes: counted alone."""

    def __init__(self):
        self.length = 0

    def __call__(self, piece):
        self.length += len(piece)

    def end(self):
        pass


class Text(Octets):
    """Text that is no JSON: OpenMetrics."""

    def __init__(self, schema, what):
        super().__init__()
        self.schema, self.what, self.text = schema, what, bytearray()

    def __call__(self, piece):
        super().__call__(piece)
        self.text += piece[:JSON_MAX - len(self.text)]

    def end(self):
        try:
            self.schema.check(self.text.decode("utf-8"), self.what)
        except UnicodeDecodeError as error:
            raise Unfit(f"{self.what}: no UTF-8: {error}") from error


def media_type(fields):
    return fields.get("content-type", "").split(";")[0].strip().lower()


class Content:
    """The bodies that a request or answer may have, by content type."""

    def __init__(self, described):
        self.schemas = {name: Schema(entry["schema"]) for name, entry in described.items()}

    def body(self, fields, what):
        """What takes a body of this content type; None: there is none of it in the document."""
        name = media_type(fields)
        schema = self.schemas.get(name)
        if schema is None:
            return None
        if name.endswith("ndjson"):
            return LineBody(schema, what)
        if name.endswith("json"):
            return WholeBody(schema, what)
        return Text(schema, what) if name.endswith("text") else Octets()


class Answer:
    """One status of an operation."""

    def __init__(self, described):
        self.fields = {name.lower(): (Schema(entry["schema"]), entry.get("required", False))
                       for name, entry in described.get("headers", {}).items()}
        self.content = Content(described.get("content", {}))

    def check_fields(self, fields, what):
        for name, value in fields.items():
            if name in GENERAL:
                continue
            if name not in self.fields:
                raise Unfit(f"{what}: the field {name} is not in the document")
            self.fields[name][0].check_text(value, f"{what}: field {name}")
        for name, (_, required) in self.fields.items():
            if required and name not in fields:
                raise Unfit(f"{what}: the field {name} is missing")


class Parameter:
    def __init__(self, described):
        self.name, self.required, self.schema = described["name"], described.get("required", False), \
            Schema(described["schema"])

    def check(self, values, what):
        text = values.get(self.name)
        if text is not None:
            self.schema.check_text(text, f"{what} {self.name}")
        elif self.required:
            raise Unfit(f"{what} {self.name} is missing")


class Operation:
    def __init__(self, method, path, described):
        self.name, self.method, self.path = described["operationId"], method.upper(), path
        self.segments = path.strip("/").split("/")
        self.answers = {status: Answer(answer) for status, answer in described["responses"].items()}
        self.content = Content(described.get("requestBody", {}).get("content", {}))
        self.needs_body = described.get("requestBody", {}).get("required", False)
        self.is_secured = bool(described["security"])
        self.parameters = collections.defaultdict(list)
        for parameter in described.get("parameters", []):
            self.parameters[parameter["in"]].append(Parameter(parameter))

    def match(self, segments):
        """What its path's parameters stand for, or None."""
        found = {}
        if len(segments) != len(self.segments):
            return None
        for mine, given in zip(self.segments, segments):
            if mine.startswith("{"):
                found[mine[1:-1]] = given
            elif mine != given:
                return None
        return found

    def check_request(self, exchange):
        """All but the body."""
        request = exchange.request
        pairs = urllib.parse.parse_qsl(exchange.query, keep_blank_values=True, strict_parsing=bool(exchange.query))
        known = {parameter.name for parameter in self.parameters["query"]}
        for name, _ in pairs:
            if name not in known:
                raise Unfit(f"request: the query's {name[:80]!r} is not in the document")
        if len(dict(pairs)) < len(pairs):
            raise Unfit("request: something is twice in the query")
        fields = {parameter.name: request.fields[parameter.name.lower()] for parameter in self.parameters["header"]
                  if parameter.name.lower() in request.fields}
        for place, values in (("path", exchange.found), ("query", dict(pairs)), ("header", fields)):
            for parameter in self.parameters[place]:
                parameter.check(values, f"request: {place}")
        if self.is_secured and not TOKEN.fullmatch(request.fields.get("authorization", "")):
            raise Unfit("request: there is no token")


class Document:
    def __init__(self, whole):
        whole = inlined({name: whole[name] for name in ("paths", "x-refusals")}, whole)
        self.operations = [Operation(method, path, described) for path, methods in whole["paths"].items()
                           for method, described in methods.items()]
        # What is written out goes before what stands for anything.
        self.operations.sort(key=lambda operation: operation.path.count("{"))
        self.refusals = {status: Answer(answer) for status, answer in whole["x-refusals"].items()}

    def find(self, method, path):
        """(operation, its path's parameters, methods of that path); no operation: None."""
        segments = [urllib.parse.unquote(part) for part in path.removeprefix("/").split("/")]
        methods = []
        for operation in self.operations:
            found = operation.match(segments)
            if found is not None and operation.method == method:
                return operation, found, methods
            if found is not None:
                methods.append(operation.method)
        return None, {}, methods

    def statuses(self):
        """Every "operation status" that is described; "-" is none of the operations."""
        return [f"{operation.name} {status}" for operation in self.operations for status in operation.answers] + \
            [f"- {status}" for status in self.refusals]


class Watcher:
    """Holds each exchange against the document; counts what was seen and keeps what did not fit."""

    def __init__(self, document):
        self.document = document
        self.seen = collections.Counter()  # "operation status"
        self.complaints = collections.Counter()
        self.exchanges = self.cut = 0

    def request_begins(self, exchange):
        request = exchange.request
        target = re.sub("^https?://[^/]*", "", request.target)
        path, _, exchange.query = target.partition("?")
        exchange.operation, exchange.found, exchange.methods = self.document.find(request.method, path)
        body = exchange.operation.content.body(request.fields, "request") if exchange.operation else None
        exchange.sent_kind_known, exchange.sent_body = body is not None, body or Octets()
        return exchange.sent_body

    def response_begins(self, exchange):
        exchange.answer = self.answer_for(exchange)
        body = exchange.answer.content.body(exchange.response.fields, "response") if exchange.answer else None
        exchange.got_kind_known, exchange.got_body = body is not None, body or Octets()
        return exchange.got_body

    def answer_for(self, exchange):
        """What the document says of this answer. That there is no such thing is none to an operation unless it says so."""
        status = str(exchange.response.status)
        operation = exchange.operation if exchange.request else None
        if operation and (status in operation.answers or status in ("404", "405")):
            return operation.answers.get(status)
        return self.document.refusals.get(status)

    def exchange_cut(self, exchange):
        self.cut += 1

    def exchange_ends(self, exchange):
        self.exchanges += 1
        try:
            self.check(exchange)
        except Unfit as error:
            first = exchange.request.first.decode("latin-1")[:160] if exchange.request else f"({exchange.broken})"
            words = re.sub("[0-9a-f]{32,64}", "…", f"{first} → {exchange.response.status}: {error}")
            if len(self.complaints) < COMPLAINTS_MAX or words in self.complaints:
                self.complaints[words] += 1

    def check(self, exchange):
        status = exchange.response.status
        operation = exchange.operation if exchange.request else None
        if operation and str(status) in operation.answers:
            self.seen[f"{operation.name} {status}"] += 1
        elif status not in TAKEN and exchange.answer:
            self.seen[f"- {status}"] += 1
        if exchange.answer is None:
            raise Unfit("this status is not in the document")
        if status in TAKEN:
            self.check_taken(exchange)
        if exchange.request and not operation and not exchange.broken:
            self.check_unknown(exchange)
        exchange.answer.check_fields(exchange.response.fields, "response")
        self.check_answer(exchange)

    def check_taken(self, exchange):
        if exchange.broken:
            raise Unfit(f"it was taken, though {exchange.broken}")
        operation, request = exchange.operation, exchange.request
        if operation is None:
            raise Unfit("it was taken, though it is not in the document")
        operation.check_request(exchange)
        if exchange.sent_kind_known:
            if not exchange.sent.whole and not isinstance(exchange.sent_body, Octets):
                raise Unfit("it was taken before all of it was there")
            if exchange.sent.whole:
                exchange.sent_body.end()
        elif operation.needs_body or exchange.sent_body.length:
            raise Unfit(f"request: a body of {request.fields.get('content-type')} is not in the document")

    def check_unknown(self, exchange):
        """There is no such operation: 404 or, with the methods there are, 405; unless HTTP itself has a complaint."""
        status, methods = exchange.response.status, exchange.methods
        if methods and status == 405:
            allowed = exchange.response.fields.get("allow", "")
            if sorted(allowed.split(", ")) != sorted(methods):
                raise Unfit(f"Allow says {allowed}, the document {', '.join(methods)}")
        if status == 405 and not methods or status == 404 and methods:
            raise Unfit(f"it has {', '.join(methods) or 'no methods'} in the document")

    @staticmethod
    def check_time(exchange):
        """A problem says twice when to come back."""
        field, member = exchange.response.fields.get("retry-after"), exchange.got_body.value.get("retry_after_s")
        if field != (None if member is None else str(member)):
            raise Unfit(f"response: Retry-After says {field}, retry_after_s {member}")

    def check_answer(self, exchange):
        response = exchange.response
        if exchange.request and exchange.request.method == "HEAD":
            return
        if exchange.got_kind_known:
            exchange.got_body.end()
            if response.status >= 400:
                self.check_time(exchange)
        elif exchange.got_body.length or exchange.answer.content.schemas and response.status not in (204, 304):
            raise Unfit(f"response: a body of {response.fields.get('content-type')} is not in the document")


def source():
    """docs/openapi.json as it is written."""
    with open(DOCUMENT, encoding="utf-8") as file:
        return json.load(file)


@functools.cache
def document():
    """Read once: what runs scenarios asks for it before it starts their processes."""
    return Document(source())


def recording_environment(build, folder):
    """With these variables a server notes all it says and hears in this folder."""
    os.makedirs(folder, exist_ok=True)
    sanitisers = f"{os.environ.get('ASAN_OPTIONS', '')}:verify_asan_link_order=0".lstrip(":")
    return {"LD_PRELOAD": os.path.join(build, "tests", "support", "wire-recorder.so"), "DUGNAD_RECORDING": folder,
            "ASAN_OPTIONS": sanitisers}


def watched(folder, against):
    """Hold all recordings of this folder against that document."""
    watcher = Watcher(against)
    for name in sorted(os.listdir(folder)):
        try:
            recording.replay(os.path.join(folder, name), watcher)
        except recording.Broken as broken:
            watcher.complaints[f"{name}: the server's answer is no HTTP: {broken}"] += 1
    return watcher


def hold(folder):
    """What of all recordings of this folder did not fit docs/openapi.json, in words. Notes what was seen in a file of
    $DUGNAD_COVERAGE."""
    began = time.process_time()
    watcher = watched(folder, document())
    if os.environ.get("DUGNAD_COVERAGE"):
        handle, path = tempfile.mkstemp(suffix=".json", dir=os.environ["DUGNAD_COVERAGE"])
        with os.fdopen(handle, "w") as file:
            json.dump({"seen": watcher.seen, "exchanges": watcher.exchanges, "cut": watcher.cut,
                       "seconds": time.process_time() - began}, file)
    return [f"{words}{f' ({count} times)' if count > 1 else ''}" for words, count in watcher.complaints.items()]
