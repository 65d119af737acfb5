"""The protocol as a stranger would speak it: HTTPS, DSSE envelopes and Ed25519 (RFC 8032) from the standard library.

Nothing here shares code with the product, so a host made of this is a second implementation of docs/PROTOCOL.md.
"""
import base64
import hashlib
import http.client
import json
import os
import re
import socket
import ssl
import time

P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(a, b):
    """Sum of two points in extended coordinates (x, y, z, xy)."""
    one, two = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    three, four = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = two - one, four - three, four + three, two + one
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def base_point():
    y = 4 * pow(5, P - 2, P) % P
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x & 1:
        x = P - x
    return x, y, 1, x * y % P


BASE = base_point()


def pack(point):
    inverse = pow(point[2], P - 2, P)
    return (point[1] * inverse % P | (point[0] * inverse % P & 1) << 255).to_bytes(32, "little")


class Key:
    """An Ed25519 key pair."""

    def __init__(self, seed=None):
        digest = hashlib.sha512(seed or os.urandom(32)).digest()
        number = int.from_bytes(digest[:32], "little")
        self.scalar = number & (1 << 254) - 8 | 1 << 254
        self.prefix = digest[32:]
        self.public = pack(times(self.scalar, BASE))
        self.text = "ed25519:" + base64.urlsafe_b64encode(self.public).decode().rstrip("=")

    def sign(self, message):
        nonce = int.from_bytes(hashlib.sha512(self.prefix + message).digest(), "little") % Q
        point = pack(times(nonce, BASE))
        hashed = int.from_bytes(hashlib.sha512(point + self.public + message).digest(), "little") % Q
        return point + ((nonce + hashed * self.scalar) % Q).to_bytes(32, "little")


def encoded(payload_type, payload):
    """DSSE's pre-authentication encoding."""
    return b"DSSEv1 %d %s %d %s" % (len(payload_type), payload_type.encode(), len(payload), payload)


def envelope(key, kind, members):
    payload_type = f"application/vnd.dugnad.{kind}+json"
    payload = json.dumps({"type": payload_type, **members}, separators=(",", ":")).encode()
    signature = key.sign(encoded(payload_type, payload))
    return {"payloadType": payload_type, "payload": base64.b64encode(payload).decode(),
            "signatures": [{"keyid": key.text, "sig": base64.b64encode(signature).decode()}]}


def identity(signed):
    payload = base64.b64decode(signed["payload"])
    return "sha256:" + hashlib.sha256(encoded(signed["payloadType"], payload)).hexdigest()


def contents(signed):
    return json.loads(base64.b64decode(signed["payload"]))


def digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


class Site:
    """A site's address and CA; one connection per request."""

    def __init__(self, port, ca, patience=30):
        self.port = port
        self.context = ssl.create_default_context(cafile=ca)
        self.patience = patience

    def connect(self):
        plain = socket.create_connection(("127.0.0.1", self.port), self.patience)
        return self.context.wrap_socket(plain, server_hostname="127.0.0.1")

    def request(self, method, path, body=None, token=None, kind="application/json", fields=None):
        """(status, answer, fields); JSON answers are decoded."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context, timeout=self.patience)
        headers = dict(fields or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        if body is not None and kind:
            headers["Content-Type"] = kind
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            content = reply.read()
            if content and re.fullmatch("application/(problem[+])?json", reply.getheader("Content-Type") or ""):
                content = json.loads(content)
            return reply.status, content, dict(reply.getheaders())
        finally:
            connection.close()

    def raw(self, sent, end=True):
        """Whatever comes back on bytes of one's own making, until the server closes; and after how many seconds."""
        start = time.monotonic()
        answer = b""
        with self.connect() as peer:
            peer.settimeout(self.patience)
            try:
                peer.sendall(sent)
                while True:
                    piece = peer.recv(65536)
                    if not piece:
                        break
                    answer += piece
            except (ssl.SSLError, ConnectionError):
                pass
        return answer, time.monotonic() - start


class Host:
    """One foreign host: a key, a token, and visits."""

    def __init__(self, site, account=True):
        self.site = site
        self.key = Key()
        self.number = 0
        self.project = site.request("GET", "/v1/project")[1]["project"]
        self.account = site.request("POST", "/v1/accounts", {"name": "stranger"})[1]["account"] if account else None
        self.enrol()

    def enrol(self):
        challenge = self.site.request("POST", "/v1/challenges", {})[1]["challenge"]
        statement = envelope(self.key, "enrolment", {"project": self.project, "key": self.key.text,
                                                     "challenge": challenge, "kind": "native",
                                                     "time": int(time.time())})
        body = {"statement": statement}
        if self.account:
            body["account"] = self.account
        status, answer, _ = self.site.request("POST", "/v1/hosts", body)
        if status != 200:
            raise RuntimeError(f"enrolment: {status} {answer}")
        self.id, self.token = answer["host"], answer["token"]
        self.number = answer["next_visit"]

    def visit_body(self, finished=(), reports=(), held=(), tasks=0, number=None):
        statement = envelope(self.key, "visit", {"project": self.project, "visit": number or self.number,
                                                 "finished": list(finished)})
        return {"statement": statement, "reports": list(reports), "held": list(held),
                "host": {"client": "stranger 1", "platforms": ["x86_64-linux-gnu", "linux-x86_64"], "layers": [],
                         "cores": 4, "memory_bytes": 8 << 30, "disk_bytes": 64 << 30, "time": int(time.time())},
                "want": {"tasks": tasks, "seconds": 0}, "have": {"app_versions": [], "variants": []}}

    def send(self, body):
        return self.site.request("POST", "/v1/scheduler", body, token=self.token)

    def visit(self, **how):
        """One visit; (status, answer). The number rises."""
        status, answer, _ = self.send(self.visit_body(**how))
        self.number += 1
        return status, answer


def done(grant, content, name="stdout"):
    """What a visit says of a task that made this output: its line of the statement, its report."""
    finished = {"task": grant["task"], "unit": identity(grant["unit"]), "outcome": "done",
                "outputs": [{"name": name, "digest": digest(content), "size": len(content)}]}
    report = {"task": grant["task"], "exit_status": 0, "cpu_ms": 10, "wall_ms": 10, "busy_ms": 20, "peak_memory_bytes": 1 << 20}
    if len(content) <= 65536:
        report["bodies"] = [{"name": name, "body": base64.b64encode(content).decode()}]
    return finished, report


class Publisher:
    """A foreign operator: keys of a project, and what they sign."""

    DAY_S = 86400

    def __init__(self, site, token, name="foreign project"):
        self.site, self.token, self.name = site, token, name
        self.root, self.app, self.work, self.fresh = Key(), Key(), Key(), Key()
        self.now = int(time.time())
        self.limits = {"cores": 1, "memory_bytes": 1 << 28, "disk_bytes": 1 << 28, "output_bytes": 1 << 24,
                       "cpu_s": 3600, "wall_s": 7200}

    def request(self, method, path, body=None, **how):
        return self.site.request(method, path, body, token=self.token, **how)

    def keyring(self):
        """Version 1; its identity is the project's."""
        publishers = [{"key": key.text, "role": role, "not_before": self.now - self.DAY_S,
                       "not_after": self.now + 100 * self.DAY_S}
                      for key, role in ((self.app, "app"), (self.work, "work"), (self.fresh, "fresh"))]
        signed = envelope(self.root, "keyring", {
            "version": 1, "project": self.name, "issued": self.now, "expires": self.now + 100 * self.DAY_S,
            "root": {"threshold": 1, "keys": [self.root.text]}, "publishers": publishers, "retired": [], "revoked": [],
            "urls": [f"https://127.0.0.1:{self.site.port}"], "tls_cas": []})
        self.project = identity(signed)
        return signed

    def freshness(self):
        return envelope(self.fresh, "freshness", {
            "project": self.project, "sequence": 1, "issued": self.now, "expires": self.now + 10 * self.DAY_S,
            "keyring_version": 1, "keyring": self.project, "revoked": {"app_versions": [], "batches": [], "units": []}})

    def notice(self, text):
        return envelope(self.work, "notice", {"project": self.project, "text": text, "issued": self.now,
                                              "until": self.now + self.DAY_S})

    def app_version(self, name):
        return envelope(self.app, "app-version", {
            "project": self.project, "name": name, "version": 1, "outputs": [{"name": "stdout", "max_bytes": 1 << 24}],
            "stdout": "stdout", "limits": self.limits, "agreement": {"rule": "exact"}, "layers": []})

    def variant(self, app_version, content):
        return envelope(self.app, "variant", {
            "project": self.project, "app_version": identity(app_version), "platform": "x86_64-linux-gnu",
            "runner": "native", "class": "x86_64-linux-gnu", "entry": "app", "arguments": [],
            "files": [{"name": "app", "digest": digest(content), "size": len(content), "executable": True}]})

    def unit(self, batch, app_version, index):
        return envelope(self.work, "work-unit", {
            "project": self.project, "batch": batch, "index": index, "name": f"unit-{index}", "seed": os.urandom(16).hex(),
            "app_version": identity(app_version), "inputs": [], "arguments": [], "environment": [], "limits": self.limits,
            "declared_ops": 0, "acceptance": {"rule": "quorum", "quorum": 2, "copies": 2, "max_failures": 5,
                                              "max_tasks": 10},
            "independence": "volunteer", "data_class": "public", "deadline_s": 3600, "not_before": self.now - self.DAY_S,
            "not_after": self.now + 20 * self.DAY_S, "keyring": 1})
