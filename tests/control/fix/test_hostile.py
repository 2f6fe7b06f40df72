"""Whatever a peer sends, the session answers or closes: no error, no endless loop, no number that goes back."""

import random

import pytest

from control.gateway.fix.connection import Connection
from control.gateway.fix.session import Session, State
from control.gateway.fix.settings import SECOND, Identity, Settings
from control.gateway.fix.store import MemoryStore
from tests.control.fix.echo import Echo
from tests.control.fix.pair import START
from tests.wire.fix.streams import build
from tests.wire.fix.test_scan import mutate
from wire.fix.message import Garbled, Reader
from wire.fix.numbers import timestamp

VERSIONS = {"FIX.4.2": b"FIX.4.2", "FIX.4.4": b"FIX.4.4", "FIX.5.0SP2": b"FIXT.1.1"}
VALUES = [b"", b"Y", b"N", b"0", b"1", b"2", b"-1", b"x", b"9" * 18, b"9" * 40, b"9" * 5_000, b"\xff\x00", b"20260101-00:00:00"]
BODIES: dict[bytes, list[tuple[int, bytes]]] = {
    b"0": [(112, b"T")],
    b"1": [(112, b"T")],
    b"2": [(7, b"1"), (16, b"0")],
    b"3": [(45, b"1")],
    b"4": [(123, b"Y"), (36, b"9")],
    b"5": [(58, b"bye")],
    b"A": [(98, b"0"), (108, b"30"), (141, b"Y"), (1137, b"9")],
    b"D": [(11, b"A"), (21, b"1"), (55, b"X"), (54, b"1"), (60, b"20261126-12:00:00"), (38, b"1"), (40, b"1")],
    b"d": [(320, b"A"), (322, b"B"), (323, b"1"), (55, b"X"), (454, b"1"), (455, b"Q"), (456, b"1")],
    b"V": [(262, b"R")],
}


def spoiled(rng: random.Random, fields: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """Some fields gone, doubled, moved, or with another value or tag."""
    fields = list(fields)
    for _ in range(rng.choice((0, 0, 1, 1, 2, 4))):
        at = rng.randrange(1, len(fields)) if len(fields) > 1 else 0
        tag, value = fields[at]
        kind = rng.randrange(5)
        if kind == 0 and at:
            del fields[at]
        elif kind == 1:
            fields[at] = (tag, rng.choice(VALUES))
        elif kind == 2:
            fields.insert(rng.randrange(1, len(fields) + 1), (tag, value))
        elif kind == 3:
            fields[at] = (rng.choice((34, 36, 43, 49, 52, 56, 95, 96, 97, 115, 122, 212, 386, 453, 999, 5_000)), value)
        else:
            fields.insert(rng.randrange(1, len(fields) + 1), (rng.choice((453, 386, 454, 627, 384, 43, 122)), rng.choice(VALUES)))
    return fields


@pytest.mark.fuzz
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("broken", [False, True], ids=["framed", "broken"])
def test_no_message_brings_a_session_down(version: str, broken: bool, seed: int) -> None:
    rng, now, store = random.Random(seed), START, MemoryStore()
    session = Session(Settings(Identity(version, "US", "THEM")), store, Echo(), clock=lambda: START)
    begin, answered, logons = VERSIONS[version], 0, 0
    for _ in range(60):
        connection = Connection(choose=lambda message: session)
        for n in range(40):
            kind = b"A" if n == 0 else rng.choice(list(BODIES))
            number = store.next_expected + rng.choice((0, 0, 0, 0, 0, 0, 1, 5, -1))
            head = [(35, kind), (34, b"%d" % number), (49, b"THEM"), (52, timestamp(now)), (56, b"US")]
            logon = [(98, b"0"), (108, b"30"), *([(1137, b"9")] if begin == b"FIXT.1.1" else [])]
            octets = build(begin, head + logon if n == 0 else spoiled(rng, head + BODIES[kind]))
            expected = store.next_expected
            connection.receive(mutate(octets, rng.randrange(1 << 30), 2) if broken and n else octets, now)
            assert store.next_expected >= expected or store.next_expected <= 2  # but for a reset
            if connection.closing:
                break
            if rng.random() < 0.05:
                now += rng.randrange(40) * SECOND
                session.tick(now)
            answers = list(Reader().feed(connection.take_output()))
            assert not any(isinstance(each, Garbled) for each in answers)
            answered += len(answers)
            logons += session.state == State.LOGGED_ON
        connection.take_output()
        connection.lost(now)
    assert answered > 50
    assert logons > 50
