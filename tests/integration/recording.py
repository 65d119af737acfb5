"""What a server said and heard, out of the pieces that tests/support/wire_recorder.c noted: HTTP/1.1 exchanges.

Read in one pass with bounded memory: a body goes piece by piece into whatever its watcher makes for it.
"""
import re

HEAD_MAX = 65536  # bytes of a head; the server's own limit is lower
TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")


class Broken(Exception):
    """These bytes are no HTTP/1.1."""


class Head:
    """First line and fields of a request or response; field names in lower case."""

    def __init__(self, text):
        first, *lines = text.split(b"\r\n")
        self.first = first
        self.fields = {}
        for line in lines:
            name, colon, value = line.partition(b":")
            if not colon or not TOKEN.fullmatch(name):
                raise Broken(f"a field is not NAME: VALUE: {line[:80]!r}")
            name, value = name.decode().lower(), value.strip(b" \t").decode("latin-1")
            self.fields[name] = f"{self.fields[name]}, {value}" if name in self.fields else value

    def framing(self):
        """"chunked", a length, or None: not said."""
        length, coding = self.fields.get("content-length"), self.fields.get("transfer-encoding")
        if coding is not None and (length is not None or coding.lower() != "chunked"):
            raise Broken(f"Transfer-Encoding {coding}, Content-Length {length}")
        if coding is not None:
            return "chunked"
        if length is None:
            return None
        if not re.fullmatch("[0-9]{1,18}", length):
            raise Broken(f"Content-Length {length}")
        return int(length)


class Request(Head):
    def __init__(self, text):
        super().__init__(text)
        parts = self.first.split(b" ")
        if len(parts) != 3 or parts[2] not in (b"HTTP/1.1", b"HTTP/1.0") or not TOKEN.fullmatch(parts[0]):
            raise Broken(f"no request line: {self.first[:80]!r}")
        self.method, self.target = parts[0].decode(), parts[1].decode("latin-1")
        self.body_framing = self.framing() or 0


class Response(Head):
    def __init__(self, text):
        super().__init__(text)
        if not re.match(rb"HTTP/1\.1 [1-9][0-9][0-9]( |$)", self.first):
            raise Broken(f"no status line: {self.first[:80]!r}")
        self.status = int(self.first[9:12])

    def body_framing_for(self, method):
        if method == "HEAD" or self.status in (204, 304) or self.status < 200:
            return 0
        framing = self.framing()
        return "end" if framing is None else framing


class Body:
    """Takes a body's bytes off a stream by its framing and hands them on; `whole` once the last has come."""

    def __init__(self, framing, sink):
        self.sink, self.framing = sink, framing
        self.left = framing if isinstance(framing, int) else 0
        self.part = "size"  # of a chunked one: size, bytes, line (after the bytes), trailer
        self.whole = framing == 0

    def take(self, stream):
        """Consume what belongs to it; True: something was consumed, or it became whole."""
        if self.whole or not stream:
            return False
        if self.framing == "chunked":
            return self.take_chunked(stream)
        return self.take_bytes(stream, len(stream) if self.framing == "end" else self.left)

    def take_bytes(self, stream, most):
        piece = bytes(stream[:most])
        del stream[:len(piece)]
        self.sink(piece)
        if self.framing != "end":
            self.left -= len(piece)
            self.whole = self.left == 0 and self.framing != "chunked"
        return True

    def take_chunked(self, stream):
        if self.part == "bytes":
            self.take_bytes(stream, self.left)
            self.part = "bytes" if self.left else "line"
            return True
        at = stream.find(b"\r\n")
        if at < 0:
            if len(stream) > HEAD_MAX:
                raise Broken("a chunk's line does not end")
            return False
        line = bytes(stream[:at])
        del stream[:at + 2]
        if self.part == "size":
            size = SIZE.fullmatch(line)
            if not size:
                raise Broken(f"no chunk size: {line[:40]!r}")
            self.left = int(size[1], 16)
            self.part = "bytes" if self.left else "trailer"
        elif self.part == "line":
            if line:
                raise Broken("a chunk is longer than it says")
            self.part = "size"
        else:
            self.whole = line == b""
        return True


class Exchange:
    """One request and its answer. `request` is None if no whole head came; `broken` says what was no HTTP."""

    def __init__(self, broken=None):
        self.request = self.response = None
        self.broken = broken
        self.sent = self.got = None  # Body


class Connection:
    """Pairs requests with responses, in order. The watcher makes a sink for each body, and sees exchanges end."""

    def __init__(self, watcher):
        self.watcher = watcher
        self.heard, self.said = bytearray(), bytearray()
        self.reading = None  # whose request is not whole
        self.unanswered = []  # oldest first
        self.deaf = None  # why nothing more that comes is read

    # --- from the peer
    def hear(self, piece):
        if self.deaf:
            return
        self.heard += piece
        try:
            while self.read_body() if self.reading else self.read_head():
                pass
        except Broken as broken:
            self.deaf = str(broken)
            if self.reading:
                self.reading.broken = self.deaf

    def read_head(self):
        while self.heard.startswith(b"\r\n"):
            del self.heard[:2]
        at = self.heard.find(b"\r\n\r\n")
        if at < 0:
            return False
        exchange = Exchange()
        exchange.request = Request(bytes(self.heard[:at]))
        del self.heard[:at + 4]
        exchange.sent = Body(exchange.request.body_framing, self.watcher.request_begins(exchange))
        self.unanswered.append(exchange)
        self.reading = None if exchange.sent.whole else exchange
        return True

    def read_body(self):
        took = self.reading.sent.take(self.heard)
        if self.reading.sent.whole:
            self.reading = None
        return took

    # --- to the peer
    def say(self, piece):
        self.said += piece
        while self.unanswered and self.unanswered[0].got or self.begin_answer():
            if not self.unanswered[0].got.whole and not self.unanswered[0].got.take(self.said):
                return
            if self.unanswered[0].got.whole:
                self.end_answer()

    def begin_answer(self):
        """True: the head of a final answer was read."""
        at = self.said.find(b"\r\n\r\n")
        if at < 0:
            return False
        response = Response(bytes(self.said[:at]))
        del self.said[:at + 4]
        if response.status < 200:
            return self.begin_answer()
        if not self.unanswered:
            self.deaf = self.deaf or "no whole head came"
            self.unanswered.append(Exchange(self.deaf))
        exchange = self.unanswered[0]
        exchange.response = response
        framing = response.body_framing_for(exchange.request.method if exchange.request else "")
        exchange.got = Body(framing, self.watcher.response_begins(exchange))
        return True

    def end_answer(self):
        """What is left of a request that was answered before it was whole, the server throws away."""
        exchange = self.unanswered.pop(0)
        self.watcher.exchange_ends(exchange)
        if exchange.sent:
            exchange.sent.sink = lambda piece: None

    def close(self):
        for exchange in self.unanswered:
            if exchange.got and exchange.got.framing == "end":
                exchange.got.whole = True
                self.watcher.exchange_ends(exchange)
            else:
                self.watcher.exchange_cut(exchange)


def pieces(path):
    """(connection, direction, bytes) in order. A killed process may leave half a piece at the end."""
    with open(path, "rb") as file:
        while True:
            head = file.readline(64)
            if not head.endswith(b"\n"):
                return
            connection, direction, length = head.split()
            piece = file.read(int(length))
            if len(piece) < int(length):
                return
            yield int(connection), direction, piece


def replay(path, watcher):
    """Show the watcher every exchange of this file. Raises Broken if the server's own bytes are no HTTP."""
    connections = {}
    for number, direction, piece in pieces(path):
        connection = connections.setdefault(number, Connection(watcher))
        if direction == b"<":
            connection.hear(piece)
        elif direction == b">":
            connection.say(piece)
        else:
            connections.pop(number).close()
    for connection in connections.values():
        connection.close()
