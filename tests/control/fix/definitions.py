"""QuickFIX's acceptance definitions, run against our acceptor in this process, on a clock that jumps.

A line begins with ``I`` (we send), ``E`` (expected, field by field), ``i`` (``CONNECT``, ``DISCONNECT``) or ``e``
(``DISCONNECT`` expected), then the number of the connection and a comma where there are several. ``<TIME>``, ``<TIME+n>``
and ``<TIME-n>`` stand for the time of sending; BodyLength and CheckSum are filled in where they are missing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from control.gateway.fix.connection import Connection
from control.gateway.fix.session import Session
from control.gateway.fix.settings import SECOND, Identity, Settings
from control.gateway.fix.store import MemoryStore
from tests.control.fix.echo import Echo
from wire.fix.message import Message
from wire.fix.numbers import timestamp

START = 1_795_733_411 * SECOND
PATIENCE = 60 * SECOND
SECOND_FORM = rb"\d{8}-\d{2}:\d{2}:\d{2}"
PATTERNS = {
    10: rb"\d{3}",
    42: SECOND_FORM,
    52: SECOND_FORM + rb"(\.\d{3})?",
    60: SECOND_FORM,
    122: SECOND_FORM + rb"(\.\d{3})?",
}


@dataclass(frozen=True)
class Step:
    line: int
    kind: str
    connection: int
    body: bytes


def steps(text: bytes) -> Iterator[Step]:
    for number, line in enumerate(text.split(b"\n"), 1):
        line = line.rstrip(b"\r")
        if line and not line.startswith(b"#"):
            numbered = re.match(rb"([IEie])(\d),", line)
            body = line[numbered.end() :] if numbered else line[1:]
            yield Step(number, line[:1].decode(), int(numbered[2]) if numbered else 1, body)


def timed(body: bytes, now: int) -> bytes:
    """The times filled in, in whole seconds."""

    def at(found: re.Match[bytes]) -> bytes:
        return timestamp(now + int(found[1] or 0) * SECOND)[:17]

    return re.sub(rb"<TIME([+-]\d+)?>", at, body)


def framed(body: bytes) -> bytes:
    """BodyLength and CheckSum filled in, unless the line has its own."""
    head = re.match(rb"8=[^\x01]*\x01", body)
    if not head:
        return body
    rest, check = body[head.end() :], b""
    if own := re.search(rb"(?<=\x01)10=[^\x01]*\x01$", rest):
        rest, check = rest[: own.start()], own[0]
    length = b"" if re.search(rb"\x019=[^\x01]*\x01", body) else b"9=%d\x01" % len(rest)
    out = head[0] + length + rest
    return out + (check or b"10=%03d\x01" % (sum(out) % 256))


def difference(expected: bytes, found: bytes) -> str | None:
    """The first field that differs, None if there is none."""
    wanted = [piece.split(b"=", 1) for piece in expected.split(b"\x01") if piece]
    got = [piece.split(b"=", 1) for piece in found.split(b"\x01") if piece]
    for (tag, value), (tag_found, value_found) in zip(wanted, got, strict=False):
        if tag != tag_found:
            return f"tag {tag!r} expected, {tag_found!r} found"
        pattern = PATTERNS.get(int(tag))
        if not re.fullmatch(pattern, value_found) if pattern else value != value_found:
            return f"{tag!r}: {value!r} expected, {value_found!r} found"
    return None if len(wanted) == len(got) else f"{len(wanted)} fields expected, {len(got)} found"


@dataclass
class Bench:
    """Our acceptor with one session, and its connections by number."""

    identity: Identity
    now: int = START
    connections: dict[int, Connection] = field(default_factory=dict)
    received: dict[int, bytearray] = field(default_factory=dict)
    chunk: int = 1 << 20

    def __post_init__(self) -> None:
        settings = Settings(self.identity, reset_on_logon=True)
        self.session = Session(settings, MemoryStore(), Echo())
        self._sides = (self.identity.target.encode(), self.identity.sender.encode())

    def choose(self, message: Message) -> Session | None:
        fits = message[8] == self.session.dictionary.begin_string
        return self.session if fits and (message.get(49), message.get(56)) == self._sides else None

    def collect(self, number: int) -> None:
        connection = self.connections[number]
        if connection.session is not None:
            self.received[number] += connection.take_output()

    def wait(self, number: int, until: int) -> bool:
        """Lets time pass to the next thing that is due; False if there is none, or not until then."""
        deadline = self.session.deadline()
        if deadline is None or self.now >= until:
            return False
        self.now = max(deadline, self.now)
        self.session.tick(self.now)
        self.collect(number)
        return True

    def run(self, step: Step) -> None:
        number, body = step.connection, step.body
        if step.kind == "i" and body == b"CONNECT":
            self.connections[number], self.received[number] = Connection(choose=self.choose), bytearray()
        elif step.kind == "i":
            self.connections.pop(number).lost(self.now)
        elif step.kind == "I":
            data, connection = framed(timed(body, self.now)), self.connections[number]
            for at in range(0, len(data), self.chunk):
                connection.receive(data[at : at + self.chunk], self.now)
            self.collect(number)
        elif step.kind == "E":
            self.expect(number, body)
        else:
            self.expect_end(number)

    def expect(self, number: int, body: bytes) -> None:
        until, found = self.now + PATIENCE, None
        while (found := re.match(rb"8=[^\x01]*\x019=\d+\x01.*?\x0110=\d{3}\x01", self.received[number], re.DOTALL)) is None:
            assert self.wait(number, until), f"nothing came, expected {body!r}"
        octets = bytes(found[0])
        del self.received[number][: found.end()]
        problem = difference(framed(timed(body, self.now)), octets)
        assert problem is None, f"{problem}\n  expected {body!r}\n  found    {octets!r}"

    def expect_end(self, number: int) -> None:
        connection, until = self.connections[number], self.now + PATIENCE
        while not connection.closing:
            assert self.wait(number, until), "the connection stayed open"
        self.collect(number)
        assert not self.received[number], f"not read: {bytes(self.received[number])!r}"
        connection.lost(self.now)


def run(text: bytes, identity: Identity, chunk: int = 1 << 20) -> Bench:
    """One definition.

    Raises
    ------
    AssertionError
        With the line that failed.
    """
    bench = Bench(identity, chunk=chunk)
    for step in steps(text):
        try:
            bench.run(step)
        except AssertionError as error:
            raise AssertionError(f"line {step.line}: {error}") from error
    return bench
