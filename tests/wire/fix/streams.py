"""FIX messages and streams for Hypothesis, and what a reader should make of them, said without the scanner."""

from itertools import pairwise

from hypothesis import strategies as st

from wire.fix.message import Garbled, Message, Reader

SOH = b"\x01"
VALUES = st.binary(min_size=1, max_size=30).map(lambda octets: octets.replace(SOH, b"|"))
TAGS = st.integers(11, 9_999).filter(lambda tag: tag not in LENGTHS)
LENGTHS = {90, 93, 95, 212, 348, 350, 352, 354, 356, 358, 360, 362, 364, 445, 618, 621, 1184, 1277, 1280, 1282}
LENGTHS |= {1397, 1401, 1403, 1468, 1621}
Fields = list[tuple[int, bytes]]


def data_fields(octets: bytes) -> Fields:
    """RawDataLength and RawData."""
    return [(95, str(len(octets)).encode()), (96, octets)]


plain_field = st.tuples(TAGS, VALUES).map(lambda pair: [pair])
any_field = st.one_of(plain_field, plain_field, st.binary(min_size=1, max_size=20).map(data_fields))
bodies = st.lists(any_field, max_size=12).map(lambda several: [pair for piece in several for pair in piece])
types = st.sampled_from([b"D", b"8", b"0", b"AE", b"A"])
messages = st.tuples(st.sampled_from([b"FIX.4.2", b"FIX.4.4", b"FIXT.1.1"]), types, bodies)


def build(version: bytes, fields: Fields) -> bytes:
    """The bytes of a message, from its fields after BodyLength."""
    body = b"".join(b"%d=%b\x01" % field for field in fields)
    head = b"8=" + version + b"\x019=%d\x01" % len(body)
    return head + body + b"10=%03d\x01" % (sum(head + body) % 256)


def whole(message: tuple[bytes, bytes, Fields]) -> tuple[bytes, Fields]:
    """Bytes, and all fields that are in them."""
    version, kind, body = message
    octets = build(version, [(35, kind), *body])
    length = octets.split(SOH)[1][2:]
    return octets, [(8, version), (9, length), (35, kind), *body, (10, octets[-4:-1])]


def read(stream: bytes, cuts: list[int] | None = None) -> list[tuple[str, bytes, object]]:
    """Everything that a reader finds in a stream that comes in pieces: messages with fields, garbage with its fault."""
    reader, found = Reader(), list[tuple[str, bytes, object]]()
    edges = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts or [])})
    for begin, end in pairwise(edges):
        for each in reader.feed(stream[begin:end]):
            if isinstance(each, Garbled):
                found.append(("garbled", each.octets, (each.fault, each.where)))
            else:
                assert isinstance(each, Message)
                found.append(("message", bytes(each), [(tag, bytes(value)) for tag, value in each]))
    found.append(("held", stream[len(stream) - reader.held :], None))
    return found
