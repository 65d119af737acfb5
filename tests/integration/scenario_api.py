"""Every operation of docs/openapi.json, asked for by strangers: an operator and hosts of Python's standard library.

Each answer is held against the document as those of all scenarios are; here every operation and every way to succeed occurs,
so that coverage does not hang on what our own programs happen to ask.
"""
import json
import os

import contract
from grid import Grid, expect, wait_for
from scenario_requests import problem, upload_fields
from wire import Host, Publisher, digest, done, identity

ACCOUNTS = 4  # two of them are for the hosts
UNITS = 3  # one's output is large, one fails, one is not wanted any more
TUS = {"Tus-Resumable": "1.0.0"}
OCTETS = "application/octet-stream"


def twice(publisher, path, signed):
    """New at first, known afterwards; the same answer."""
    answers = [publisher.request("POST", path, signed) for _ in range(2)]
    expect([answer[0] for answer in answers] == [201, 200], f"{path}: {answers}")
    expect(answers[0][1] == answers[1][1], f"{path} says another thing when it is repeated: {answers}")
    return answers[0][1]


def publish(publisher):
    """A project with one app; the app version and its file."""
    content = os.urandom(5000)
    twice(publisher, "/v1/keyrings", publisher.keyring())
    twice(publisher, "/v1/freshness", publisher.freshness())
    twice(publisher, "/v1/notices", publisher.notice("The first notice."))
    app_version = publisher.app_version("foreign")
    twice(publisher, "/v1/app-versions", app_version)
    missing = publisher.request("POST", "/v1/files/missing", {"files": [digest(content)]})[1]["missing"]
    expect(missing == [digest(content)], f"missing: {missing}")
    path = "/v1/files/" + digest(content)[7:]
    put = [publisher.request("PUT", path, content, kind=OCTETS)[0] for _ in range(2)]
    expect(put == [201, 200], f"a file put twice: {put}")
    twice(publisher, "/v1/variants", publisher.variant(app_version, content))
    expect(len(publisher.request("GET", "/v1/apps")[1]["apps"]) == 1, "the app is not listed")
    status, answer, _ = publisher.request("GET", "/v1/apps/" + identity(app_version)[7:])
    expect(status == 200 and len(answer["apps"][0]["variants"]) == 1, f"one app version: {status} {answer}")
    problem(publisher.request("GET", "/v1/apps/" + "0" * 64), 404, "not-found")
    return app_version, content


def submit(publisher, app_version):
    """A batch of UNITS; its id."""
    batch = os.urandom(16).hex()
    wanted = {"batch": batch, "name": "foreign", "app_version": identity(app_version), "priority": 1,
              "needed_by": publisher.now + 3600}
    twice(publisher, "/v1/batches", wanted)
    problem(publisher.request("POST", "/v1/batches", dict(wanted, name="another")), 409, "conflict")
    lines = "".join(json.dumps(publisher.unit(batch, app_version, i)) + "\n" for i in range(UNITS)).encode()
    for new in (UNITS, 0):
        status, answer, _ = publisher.request("POST", f"/v1/batches/{batch}/units", lines, kind="application/x-ndjson")
        expect(status == 200 and answer == {"received": UNITS, "new": new, "known": UNITS - new}, f"units: {answer}")
    for action in ({"action": "priority", "priority": -3}, {"action": "hold"}, {"action": "release"},
                   {"action": "again"}, {"action": "retry"}, {"action": "close"}):
        status, answer, _ = publisher.request("POST", f"/v1/batches/{batch}/actions", action)
        expect(status == 200 and answer["batch"] == batch, f"{action}: {status} {answer}")
    problem(publisher.request("POST", f"/v1/batches/{batch}/actions", {"action": "close", "priority": 1}), 400, "invalid")
    return batch


def work(site, large):
    """Two hosts: they agree on a large output, on an error with its words, and give the rest up; the host that is asked."""
    hosts = [Host(site), Host(site)]
    known = site.request("GET", "/v1/account", token=hosts[0].account)
    expect(known[0] == 200 and known[1]["volunteer"] > 0, f"an account: {known}")
    for host in hosts:
        grants = host.visit(tasks=UNITS)[1]["grants"]
        expect(len(grants) == UNITS, f"{len(grants)} grants of {UNITS}")
        host.visit(held=[{"task": grant["task"], "state": "running", "progress_permille": 500} for grant in grants])
        grants.sort(key=lambda grant: identity(grant["unit"]))
        finished, report = done(grants[0], large)
        failed = dict(finished, task=grants[1]["task"], unit=identity(grants[1]["unit"]), outcome="error", outputs=[])
        host.large = grants[0]["task"]
        status, answer = host.visit(
            finished=[finished, failed], reports=[report, dict(report, task=failed["task"], exit_status=3, why="it failed",
                                                               stderr="bm8K", limit="cpu")],
            held=[{"task": grants[2]["task"], "state": "waiting"}])
        expect(status == 200 and [ack["state"] for ack in answer["acks"]] == ["reported", "stored"], f"{status} {answer}")
    return next(host for host in hosts if host.visit()[1]["uploads"])


def upload(site, host, content):
    """An output in two pieces; the first attempt is given up."""
    def request(method, path, body=None, kind=None, **fields):
        return site.request(method, path, body, token=host.token, kind=kind, fields={**TUS, **fields})

    made = upload_fields(len(content), task=str(host.large), name="stdout")
    expect(site.request("OPTIONS", "/v1/uploads")[0] == 204, "OPTIONS of uploads")
    place = request("POST", "/v1/uploads", **made)[2]["Location"]
    expect(request("DELETE", place)[0] == 204, "an upload is not given up")
    problem(site.request("POST", "/v1/uploads", token=host.token), 412, "http-412")
    place = request("POST", "/v1/uploads", **made)[2]["Location"]
    for first, last in ((0, 1000), (1000, len(content))):
        offset = request("HEAD", place)[2]["Upload-Offset"]
        expect(offset == str(first), f"an upload at {first} is said to be at {offset}")
        status, answer, _ = request("PATCH", place, content[first:last], "application/offset+octet-stream",
                                    **{"Upload-Offset": offset})
        expect(status == 204, f"PATCH: {status} {answer}")
    problem(request("PATCH", place, b"x", "text/plain", **{"Upload-Offset": "0"}), 415, "http-415")


def bundle(site, host, content):
    """A file among others that are not there: its frame alone."""
    status, answer, _ = site.request("POST", "/v1/files/bundle", {"files": [digest(b"none"), digest(content)]},
                                     token=host.token)
    framed = bytes.fromhex(digest(content)[7:]) + len(content).to_bytes(8, "big") + content
    expect(status == 200 and answer == framed, f"a bundle: {status}, {len(answer)} bytes")


def parts(publisher, path, content, token):
    """A file in whole, in part, not at all."""
    def get(status, expected, **fields):
        answer = publisher.site.request("GET", path, token=token, fields=fields)
        expect(answer[0] == status and (expected is None or answer[1] == expected), f"{path} {fields}: {answer[0]}")
        return answer[2]

    tag = get(200, content)["ETag"]
    get(206, content[10:20], Range="bytes=10-19")
    get(206, content[10:20], **{"Range": "bytes=10-19", "If-Range": tag})
    get(200, content, **{"Range": "bytes=10-19", "If-Range": '"another"'})
    get(304, b"", **{"If-None-Match": tag})
    get(416, None, Range=f"bytes={len(content)}-")


def same_head(site, path, token):
    """GET, and HEAD, which says the same of it without a body."""
    status, _, fields = site.request("GET", path, token=token)
    expect(status == 200, f"GET {path}: {status}")
    again, body, headed = site.request("HEAD", path, token=token)
    expect(again == 200 and not body, f"HEAD {path}: {again}, {len(body)} bytes of body")
    said = [{name: value for name, value in all_of.items() if name not in ("Date", "Content-Length")}
            for all_of in (fields, headed)]
    expect(said[0] == said[1], f"GET {path} says {said[0]}, HEAD {said[1]}")


def look_at_everything(site, tokens, found):
    """Every GET of the document, with the token and the path's parameters it needs ("": what serves for all others)."""
    for operation in contract.document().operations:
        if operation.method == "GET":
            name = operation.name
            same_head(site, operation.path.format(**found.get(name, found[""])), tokens.get(name, tokens[""]))


def queries(publisher, batch):
    """Pages, and what of them is refused."""
    for path in ("/v1/batches", "/v1/hosts", f"/v1/batches/{batch}/units", f"/v1/batches/{batch}/tasks"):
        status, page, _ = publisher.request("GET", f"{path}?limit=1")
        expect(status == 200 and page["next"], f"{path}?limit=1: {status} {page}")
        expect(publisher.request("GET", f"{path}?limit=1000&after={page['next']}")[0] == 200, f"{path}: no second page")
        for query in ("limit=0", "limit=1001", "after=x", "surprise=1", "limit=1&limit=2"):
            problem(publisher.request("GET", f"{path}?{query}"), 400, "invalid")
    for query in ("?name=foreign", f"/{batch}/units?state=open", f"/{batch}/tasks?state=error", f"/{batch}/results?limit=1"):
        expect(publisher.request("GET", f"/v1/batches{query}")[0] == 200, f"/v1/batches{query}")
    problem(publisher.request("GET", f"/v1/batches/{batch}/units?state=none"), 400, "invalid")
    for path in ("/v1/batches/" + "0" * 32, "/v1/batches/by-name/none", "/v1/units/" + "1" * 64, "/v1/outputs/" + "1" * 64):
        problem(publisher.request("GET", path), 404, "not-found")


def http_alone(site):
    """What HTTP itself has an answer for, whatever the operation."""
    for sent, status in ((b"GET /v1/project HTTP/1.1\r\nHost: a\r\nExpect: the-unexpected\r\n\r\n", 417),
                         (b"BREW /v1/project HTTP/1.1\r\nHost: a\r\n\r\n", 501),
                         (b"GET /v1/project HTTP/1.1\r\nHost: a\r\n", 408)):
        with site.connect() as peer:
            peer.sendall(sent)
            got = peer.recv(65536)
        expect(got.startswith(b"HTTP/1.1 %d " % status), f"{sent!r} is answered with {got[:60]!r}")


def scenario_every_operation(build):
    """every operation of docs/openapi.json by a foreign operator and hosts: GET and HEAD alike, new and known, in parts"""
    with Grid(build, {"header_time": "10s", "accounts_per_hour": str(ACCOUNTS)}) as grid:
        grid.start_server()
        site = grid.wire()
        publisher, large = Publisher(site, grid.token()), os.urandom(200000)
        app_version, content = publish(publisher)
        batch = submit(publisher, app_version)
        host = work(site, large)
        upload(site, host, large)
        wait_for(lambda: publisher.request("GET", "/v1/outputs/" + digest(large)[7:])[0] == 200, 60,
                 "the large output is not accepted")
        results = publisher.request("GET", f"/v1/batches/{batch}/results")[1].splitlines()
        unit = json.loads(results[0])["unit"][7:]
        look_at_everything(site, {"": grid.token("reader"), "getAccount": host.account},
                           {"": {"id": batch, "name": "foreign", "hex": unit},
                            "getFile": {"hex": digest(content)[7:]}, "getOutput": {"hex": digest(large)[7:]},
                            "getApp": {"hex": identity(app_version)[7:]}})
        bundle(site, host, content)
        parts(publisher, "/v1/files/" + digest(content)[7:], content, None)
        parts(publisher, "/v1/outputs/" + digest(large)[7:], large, publisher.token)
        tag = site.request("GET", "/v1/bulletin")[2]["ETag"]
        for method in ("GET", "HEAD"):
            expect(site.request(method, "/v1/bulletin", fields={"If-None-Match": tag})[0] == 304, f"{method} of known news")
        for path in ("/v1/files/" + digest(content)[7:], "/v1/outputs/" + digest(large)[7:]):
            known = publisher.request("HEAD", path, fields={"If-None-Match": f'"sha256:{path[-64:]}"'})
            expect(known[0] == 304, f"HEAD of a known file: {known}")
        queries(publisher, batch)
        problem(site.request("GET", "/v1/batches", token=host.token), 403, "forbidden")
        status, answer, _ = publisher.request("POST", "/v1/clock", {})
        expect(status == 200 and answer["was_in_doubt"] is False, f"the clock: {answer}")
        for _ in range(ACCOUNTS - 2):
            expect(site.request("POST", "/v1/accounts", {})[0] == 201, "there are fewer accounts than the settings allow")
        problem(site.request("POST", "/v1/accounts", {}), 429, "limited")
        http_alone(site)
        grid.stop_server()


def schema(document, name):
    return document["components"]["schemas"][name]["properties"]


def answers(document, method, path):
    return document["paths"][path][method]["responses"]


# What is done to the document, and the words of the complaint that has to follow.
BROKEN = (
    (lambda d: schema(d, "Account")["account"].update({"type": "integer"}), "is not of type 'integer'"),
    (lambda d: schema(d, "Project").pop("time"), "'time' was unexpected"),
    (lambda d: schema(d, "AccountRequest").pop("name"), "'name' was unexpected"),
    (lambda d: schema(d, "AccountRequest")["name"].update({"maxLength": 3}), "'Anna' is too long"),
    (lambda d: answers(d, "get", "/v1/bulletin")["200"]["headers"].pop("ETag"), "the field etag is not in the document"),
    (lambda d: answers(d, "get", "/v1/project")["200"]["headers"].update({"X": {"required": True, "schema": {}}}),
     "the field x is missing"),
    (lambda d: answers(d, "get", "/v1/batches").pop("401"), "this status is not in the document"),
    (lambda d: d["components"]["responses"]["Unauthorized"]["content"].clear(), "a body of application/problem+json"),
    (lambda d: d["paths"].pop("/v1/bulletin"), "this status is not in the document"),
    (lambda d: d["paths"]["/v1/accounts"]["post"]["requestBody"]["content"].clear(), "a body of application/json"),
    (lambda d: d["paths"]["/v1/project"].update({"delete": d["paths"]["/v1/clock"]["post"]}), "this status is not in the"),
    (lambda d: d["paths"]["/v1/project"].pop("head"), "Allow says GET, HEAD"),
)


def scenario_broken_document(build):
    """whatever is changed in docs/openapi.json, an exchange that no longer fits it is found: the comparison compares"""
    with Grid(build) as grid:
        grid.start_server()
        site = grid.wire()
        for method, path, body in (("GET", "/v1/project", None), ("GET", "/v1/bulletin", None), ("GET", "/v1/batches", None),
                                   ("POST", "/v1/accounts", {"name": "Anna"}), ("DELETE", "/v1/project", None)):
            site.request(method, path, body)
        grid.stop_server()
        found = contract.watched(grid.recording, contract.document())
        expect(found.exchanges == 5 and not found.complaints, f"{found.exchanges} of 5, {found.complaints}")
        for change, words in BROKEN:
            document = contract.source()
            change(document)
            found = contract.watched(grid.recording, contract.Document(document)).complaints
            expect(any(words in complaint for complaint in found), f"nothing says \"{words}\": {list(found)}")


# A payload's schema, and whether its envelope goes both ways.
PAYLOADS = (("Keyring", True), ("Freshness", True), ("Notice", True), ("AppVersion", True), ("Variant", True),
            ("WorkUnit", True), ("EnrolmentStatement", False), ("VisitStatement", True))


def without_project(document, name):
    """No payload has the member any more that each of them has."""
    schema(document, name).pop("project")


def of_another_type(document, name):
    schema(document, f"Signed{name}")["payloadType"]["const"] += "x"


def shorter(document, name):
    schema(document, f"Signed{name}")["payload"]["maxLength"] = 100


def in_json(document, name):
    """The base64 has to be JSON: in the signatures, too, and there is none."""
    envelope = document["components"]["schemas"]["Envelope"]["properties"]
    envelope["signatures"]["items"]["properties"]["sig"].update(schema(document, f"Signed{name}")["payload"], maxLength=100)


BROKEN_PAYLOADS = ((without_project, "'project' was unexpected"), (of_another_type, "was expected"), (shorter, "is too long"),
                   (in_json, "what is inside is no application/json"))


def scenario_broken_payload(build):
    """what is inside envelopes is compared as well: a wrong payload of each type is found, in requests and in answers"""
    with Grid(build) as grid:
        grid.start_server()
        site = grid.wire()
        publisher = Publisher(site, grid.token())
        app_version, _ = publish(publisher)
        batch = submit(publisher, app_version)
        for _ in range(2):
            host = Host(site)
            reports = [done(grant, b"small") for grant in host.visit(tasks=UNITS)[1]["grants"]]
            host.visit(finished=[finished for finished, _ in reports], reports=[report for _, report in reports])
        for path in ("/v1/project", "/v1/bulletin", f"/v1/batches/{batch}/results"):
            expect(publisher.request("GET", path)[0] == 200, path)
        grid.stop_server()
        found = contract.watched(grid.recording, contract.document()).complaints
        expect(not found, f"before anything is changed: {list(found)}")
        for name, both in PAYLOADS:
            for change, words in BROKEN_PAYLOADS:
                document = contract.source()
                change(document, name)
                found = [complaint for complaint in contract.watched(grid.recording, contract.Document(document)).complaints
                         if words in complaint]
                for way in ("request", "response") if both else ("request",):
                    expect(any(f": {way}" in complaint for complaint in found),
                           f"{change.__name__} {name}: no {way} with \"{words}\": {found}")
