"""Bad requests over real TLS: each gets a problem document of the right type, and the server goes on."""
import json
import threading
import time

from grid import Grid, batch_ended, expect, wait_for
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
    with Grid(build, {"header_time": "2s", "idle_time": "2s"}) as grid:
        grid.start_server()
        site = grid.wire()
        expect(site.request("GET", "/v1/project")[1]["keyrings"] == [], "a new site has no keyring")
        bad_bodies(site)
        bad_addresses(site)
        bad_framing(site)
        expect(site.request("GET", "/healthz")[0] == 200, "the server is not well after all that")
        grid.stop_server()
        grid.call("dugnad-server", "check", grid.site, "--deep")


def drip(site, head, seconds, ended):
    """Send a byte a fifth of a second; note when the server has had enough."""
    start = time.monotonic()
    with site.connect() as peer:
        peer.settimeout(0.2)
        for at in range(int(seconds * 5)):
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
    ended.append(time.monotonic() - start)


def scenario_slow_clients(build):
    """a client that says nothing, or drips its head, is dropped in time while others are served"""
    with Grid(build, {"header_time": "2s", "idle_time": "2s", "handshake_time": "2s"}) as grid:
        grid.start_server()
        site, ended = grid.wire(), []
        head = b"GET /v1/project HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: " + b"x" * 500
        threads = [threading.Thread(target=drip, args=(site, head, 30, ended)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(10):
            expect(site.request("GET", "/v1/bulletin")[0] == 200, "others are not served meanwhile")
        for thread in threads:
            thread.join(60)
        expect(len(ended) == 4 and max(ended) < 25, f"drips of 30 s were ended after {ended}")
        _, seconds = site.raw(b"")
        expect(seconds < 25, f"silence was ended after {seconds:.0f} s")
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
