"""Bad requests over real TLS: each gets a problem document of the right type, and the server goes on."""
import base64
import http.client
import json
import os
import threading
import time

from grid import PATIENCE, Grid, batch_ended, expect, wait_for
from wire import Host, done


def problem(answer, status, kind, *words):
    """`answer` of Site.request() is that problem, and says these words."""
    got, body, fields = answer
    expect(got == status and isinstance(body, dict) and body.get("type") == kind,
           f"expected {status} {kind}, got {got} {str(body)[:300]}")
    expect(fields.get("Content-Type") == "application/problem+json", f"{kind} comes as {fields.get('Content-Type')}")
    expect(body.get("status") == status and body.get("detail"), f"{kind} without words: {body}")
    for word in words:
        expect(word in body["detail"], f"\"{word}\" is not in: {body['detail']}")


def raw_status(site, sent):
    """The status code of the answer to these bytes; 0: the connection was closed without one."""
    answer, _ = site.raw(sent)
    return int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0


def bad_bodies(site):
    """Bodies that are no challenge request, to an address that needs no token."""
    for body, words in ((b'{"a":', ()), (b"", ()), (b"[]", ()), (b"\xff\xfe{}", ()), (b'{} trailing', ()),
                        (b"[" * 400 + b"]" * 400, ()), (b'{"name":"a","name":"b"}', ("twice",)),
                        (b'{"nome":"a"}', ("nome",)), (b'{"name":1e3}', ()), (b'{"name":"' + b"x" * 65 + b'"}', ("64",))):
        problem(site.request("POST", "/v1/accounts", body), 400, "invalid", *words)
    problem(site.request("POST", "/v1/accounts", b'{"name":"' + b"x" * (40 << 10) + b'"}'), 413, "too-large")
    status, answer, _ = site.request("POST", "/v1/accounts", b"{}", kind="text/plain")
    expect(status == 415 and answer["type"] in ("http-415", "invalid"), f"a wrong content type: {status} {answer}")


def bad_addresses(site):
    problem(site.request("GET", "/v1/nothing"), 404, "not-found")
    problem(site.request("GET", "/v1/files/" + "0" * 64), 404, "not-found")
    expect(site.request("GET", "/v1/files/../../../etc/passwd")[0] in (400, 404), "a path with dots")
    expect(site.request("DELETE", "/v1/project")[0] == 405, "a wrong method")
    problem(site.request("GET", "/v1/batches"), 401, "unauthorized")
    problem(site.request("GET", "/v1/batches", token="A" * 43), 401, "unauthorized")
    problem(site.request("POST", "/v1/scheduler", {}, token="A" * 43), 401, "unauthorized")
    problem(site.request("POST", "/v1/hosts", {"statement": {}}), 400, "invalid", "statement")


def bad_framing(site):
    head = b"POST /v1/challenges HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    for sent, expected in ((head + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", (400,)),
                           (head + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", (400,)),
                           (head + b"Content-Length: -1\r\n\r\n", (400,)),
                           (head + b"Content-Length: 99000000000\r\n\r\n", (413,)),
                           (head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", (400,)),
                           (head + b"X: " + b"x" * 20000 + b"\r\n\r\n", (431,)),
                           (b"GET /" + b"x" * 8000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", (414, 431)),
                           (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", (400, 505)),
                           (b"\x00\x01\x02\r\n\r\n", (400, 0)),
                           (b"GET /v1/project HTTP/1.1\r\n\r\n", (400,))):
        got = raw_status(site, sent)
        expect(got in expected, f"{sent[:120]!r}… is answered with {got}, not {expected}")


def scenario_bad_requests(build):
    """malformed, oversized, misframed and unauthorised requests get their problem; the server goes on"""
    with Grid(build, {"header_time": "10s", "idle_time": "10s"}) as grid:
        grid.start_server()
        site = grid.wire()
        expect(site.request("GET", "/v1/project")[1]["keyrings"] == [], "a new site has no keyring")
        bad_bodies(site)
        bad_addresses(site)
        bad_framing(site)
        expect(site.request("GET", "/healthz")[0] == 200, "the server is not well after all that")
        grid.stop_server()
        grid.call("dugnad-server", "check", grid.site, "--deep")


def drip(site, head, ended):
    """Send a byte a fifth of a second, for as long as the server takes it; note that it had enough."""
    start = time.monotonic()
    with site.connect() as peer:
        peer.settimeout(0.2)
        for at in range(int(300 * PATIENCE * 5)):
            try:
                peer.sendall(head[at % len(head):][:1])
                if peer.recv(4096) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
            else:
                break
        else:
            return
    ended.append(time.monotonic() - start)


LOST_MOST = 2  # of the tries of one honest request


def expect_served(site, requests):
    """As clients do: whoever was dropped himself, for the machine let him run too late, tries again. But a server that
    drops many serves nobody: no request may be lost more than LOST_MOST times, nor more tries in all than a third of them."""
    lost_in_all = 0
    for _ in range(requests):
        status, lost = None, 0
        while status is None:
            try:
                status = site.request("GET", "/v1/bulletin")[0]
            except (OSError, http.client.HTTPException) as error:
                lost, lost_in_all = lost + 1, lost_in_all + 1
                expect(lost <= LOST_MOST and 3 * lost_in_all <= requests,
                       f"others are not served meanwhile: {lost} and {lost_in_all} of {requests} requests were lost: {error!r}")
        expect(status == 200, f"others are answered with {status} meanwhile")


def scenario_slow_clients(build):
    """a client that says nothing, or drips its head, is dropped in time while others are served"""
    with Grid(build, {"header_time": "10s", "idle_time": "10s", "handshake_time": "30s"}) as grid:
        grid.start_server()
        site, ended = grid.wire(), []
        head = b"GET /v1/project HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: " + b"x" * 100000
        threads = [threading.Thread(target=drip, args=(site, head, ended)) for _ in range(4)]
        for thread in threads:
            thread.start()
        expect_served(site, 10)
        for thread in threads:
            thread.join(400 * PATIENCE)
        expect(len(ended) == 4, f"the server never had enough of a head that comes by bytes: {ended}")
        site.raw(b"")  # returns when the server closes
        grid.stop_server()


def reports_of_others(ann, bob, grant):
    """Bob reports what Ann was given, twice; and Ann reports what is no unit of hers."""
    finished, report = done(grant, b"1\n")
    status, answer = bob.visit(finished=[finished], reports=[report])
    expect(status == 200 and answer["acks"] == [{"task": grant["task"], "state": "dropped",
                                                 "why": answer["acks"][0].get("why")}], f"another's task: {answer}")
    status, answer = ann.visit(finished=[dict(finished, unit="sha256:" + "0" * 64)], reports=[report])
    expect(status in (200, 400, 409), f"a task under another unit's digest: {status} {answer}")
    if status == 200:
        expect(answer["acks"][0]["state"] == "dropped", f"a task under another unit's digest: {answer}")


def greedy_and_broken(ann):
    """Visits that ask for too much, contradict themselves or are signed by nobody."""
    body = ann.visit_body(tasks=10**9)
    problem(ann.send(body), 400, "invalid", "want.tasks")
    body = ann.visit_body()
    body["statement"]["signatures"][0]["sig"] = body["statement"]["signatures"][0]["sig"][::-1].replace("=", "") + "=="
    status, answer, _ = ann.send(body)
    expect(status in (400, 403) and answer["type"] in ("invalid", "untrusted"), f"a broken signature: {answer}")
    body = ann.visit_body(held=[{"task": n, "state": "running"} for n in range(1, 400)])
    problem(ann.send(body), 400, "invalid", "held")
    body = ann.visit_body()
    body["host"]["surprise"] = 1
    problem(ann.send(body), 400, "invalid", "surprise")


def odd_json(ann):
    """A right visit with one odd thing in its text: none is taken, whatever jansson would make of it."""
    right = json.dumps(ann.visit_body())
    odd = [right[:-1] + ',"x":' + "[" * 10000 + "]" * 10000 + "}", right[:-1] + ',"w\\u0061nt":{"tasks":0,"seconds":0}}',
           right + "\x00", "\ufeff" + right]
    odd += [right.replace('"cores": 4', f'"cores": {n}') for n in
            ("1e400", "9223372036854775808", "9007199254740992", "-1", "-0", "1.0", "1e0", "01", "NaN", '"4"', "null")]
    odd += [right.replace("stranger 1", text) for text in
            ("a\\u0000b", "a\\ud800b", "a\\udc00b", "\\udc00\\ud800", "a\\u202eb", "a\\u0007b", "a\x00b")]
    for text in odd:
        problem(ann.send(text.encode()), 400, "invalid")
    for sent in (right.encode().replace(b"stranger 1", b"a\xed\xa0\x80b"), right.encode().replace(b"stranger 1", b"a\xc0\xafb")):
        problem(ann.send(sent), 400, "invalid")


def replayed(site):
    """A visit again is answered again; another one's statement is nobody's; a changed body under its number is a clone."""
    cid, dan = Host(site), Host(site)
    body = cid.visit_body()
    expect([cid.send(body)[0] for _ in range(2)] == [200, 200], "a visit again is not answered again")
    problem(dan.send(body), 403, "untrusted")
    problem(cid.send(dict(body, want={"tasks": 5, "seconds": 0})), 409, "conflict", "clone")
    problem(cid.send(body), 409, "conflict", "clone")


def scenario_foreign_hosts(build):
    """hosts made of Python's standard library: agreed work counts; reports for others, wishes beyond reason do not"""
    with Grid(build) as grid:
        grid.start_server()
        grid.publish_project()
        grid.operator("app", "add", "primes", grid.app("primes"))
        grid.operator("submit", "primes", "--name", "foreign", "--range", "0..20", "--step", "10", "--", "{from}", "{to}")
        site = grid.wire()
        ann, bob = Host(site), Host(site)
        greedy_and_broken(ann)
        odd_json(ann)
        replayed(site)
        status, answer = ann.visit(tasks=1)
        expect(status == 200 and len(answer["grants"]) == 1, f"no work: {status} {answer}")
        grant = answer["grants"][0]
        again = ann.send(ann.visit_body(tasks=1, number=ann.number - 1))
        expect(again[0] in (200, 409), f"a visit's number again: {again[:2]}")
        reports_of_others(ann, bob, grant)
        run_to_end(grid, [ann, bob], {ann: [grant]})
        status = grid.operator_json("status", "foreign")
        expect(status["accepted"] == 2, f"the foreign hosts' work is not accepted: {status}")
        into = f"{grid.folder}/results"
        grid.operator("fetch", "foreign", "--into", into)
        with open(f"{into}/results.ndjson") as f:
            expect(len(f.readlines()) == 2, "two results are not fetched")
        grid.stop_server()
        grid.call("dugnad-server", "check", grid.site, "--deep")


def run_to_end(grid, hosts, held):
    """Hosts that visit, compute right and report, until the batch ended."""

    def step():
        for host in hosts:
            mine = held.pop(host, [])
            told = [done(grant, b"4\n") for grant in mine]
            status, answer = host.visit(finished=[a for a, _ in told], reports=[b for _, b in told], tasks=1)
            expect(status == 200, f"a visit fails: {status} {json.dumps(answer)}")
            for ack in answer["acks"]:
                expect(ack["state"] in ("stored", "reported"), f"a right report: {ack}")
            held[host] = answer["grants"]
        return batch_ended(grid, "foreign", 2)()

    wait_for(step, 60, "the foreign hosts' batch does not end", 0.3)


def upload_fields(length, **words):
    listed = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in words.items())
    return {"Tus-Resumable": "1.0.0", "Upload-Length": str(length), "Upload-Metadata": listed}


def agree_on(site, content):
    """Two hosts that report this content, and whom the server asks for it: the host, its task, another host."""
    hosts = [Host(site), Host(site)]
    grants = {host: host.visit(tasks=1)[1]["grants"][0] for host in hosts}
    for host in hosts:
        finished, report = done(grants[host], content)
        expect(host.visit(finished=[finished], reports=[report])[0] == 200, "a report is not taken")
    for host in hosts:
        if host.visit()[1]["uploads"]:
            return host, grants[host]["task"], next(other for other in hosts if other is not host)
    raise AssertionError("nobody is asked for the output")


def scenario_hostile_uploads(build):
    """uploads with garbage, of others, beyond their length, two at once, with trailers: refused; the right one counts"""
    with Grid(build) as grid:
        grid.start_server()
        grid.publish_project()
        grid.operator("app", "add", "primes", grid.app("primes"))
        grid.operator("submit", "primes", "--name", "large", "--range", "0..10", "--step", "10", "--", "{from}", "{to}")
        site, content = grid.wire(), os.urandom(200000)
        asked, task, other = agree_on(site, content)

        def post(host=asked, length=len(content), **changed):
            words = {"task": str(task), "name": "stdout", **changed}
            return site.request("POST", "/v1/uploads", token=host.token, fields=upload_fields(length, **words))

        for refused in (post(length=-1), post(length="1e5"), post(length=len(content) + 1), post(name="../x"), post(name="a\nb"),
                        post(task="-1"), post(task="99999999999999999999"), post(name="n" * 500)):
            problem(refused, 400, "invalid")
        problem(post(host=other), 403, "forbidden")
        place = post()[2]["Location"]

        def patch(offset, body, host=asked):
            return site.request("PATCH", place, body, token=host.token, kind="application/offset+octet-stream",
                                fields={"Tus-Resumable": "1.0.0", "Upload-Offset": str(offset)})

        for method in ("DELETE", "PATCH"):
            problem(patch(0, b"x", other) if method == "PATCH" else
                    site.request(method, place, token=other.token, fields={"Tus-Resumable": "1.0.0"}), 404, "not-found")
        for offset in ("-1", "00", "1e0", 10**18):
            problem(patch(offset, b"x"), 400, "invalid")
        problem(patch(1, b"x"), 409, "conflict")
        problem(patch(0, content + b"zz"), 413, "too-large")
        two_at_once(site, asked, place, content)
        offset = int(site.request("HEAD", place, token=asked.token, fields={"Tus-Resumable": "1.0.0"})[2]["Upload-Offset"])
        problem(patch(offset, bytes(len(content) - offset)), 409, "conflict", "not as reported")
        place = post()[2]["Location"]
        expect(patch(0, content)[0] == 204, "the right bytes are not taken")
        wait_for(batch_ended(grid, "large", 1), 60, "the unit is not accepted")
        problem(post(), 410, "gone")
        expect(site.request("GET", "/healthz")[0] == 200, "the server is not well after all that")
        grid.stop_server()
        grid.call("dugnad-server", "check", grid.site, "--deep")


def two_at_once(site, host, place, content):
    """One of two that write at the same place is told to wait; trailers that would change the request are refused."""
    head = (f"PATCH {place} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {host.token}\r\nTus-Resumable: 1.0.0\r\n"
            "Content-Type: application/offset+octet-stream\r\nUpload-Offset: %d\r\nConnection: close\r\n")
    with site.connect() as slow:
        slow.sendall((head % 0 + "Content-Length: 1000\r\n\r\n").encode() + content[:500])
        wait_for(lambda: site.request("HEAD", place, token=host.token, fields={"Tus-Resumable": "1.0.0"})[0] == 423, 60,
                 "an upload that is being written is not said to be busy")
        got = raw_status(site, (head % 0 + "Content-Length: 4\r\n\r\n").encode() + content[:4])
        expect(got == 423, f"a second PATCH is answered with {got}")
        slow.sendall(content[500:1000])
        expect(slow.recv(4096).startswith(b"HTTP/1.1 204 "), "the first PATCH is not taken")
    sent = (head % 1000 + "Transfer-Encoding: chunked\r\n\r\n").encode() + b"2\r\n" + content[1000:1002] + b"\r\n0\r\n"
    expect(raw_status(site, sent + b"Content-Length: 5\r\n\r\n") == 400, "a trailer may not frame the body")
