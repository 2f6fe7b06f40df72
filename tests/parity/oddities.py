"""What no exchange and no network should send, and a card must stand: ITCH messages and frames."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim import publisher
from sim.sources.tape import Tape, from_bytes
from wire import frames, itch, moldudp64


def disturbed(tape: Tape, rate: float, rng: np.random.Generator) -> Tape:
    """A tape with messages put in that make no sense, or little."""
    out, seen = [], [tape[0]]
    for message in tape:
        out.append(message)
        if message[:1] in b"AF":
            seen.append(message)
        if rng.random() < rate:
            out.append(_odd_message(seen[int(rng.integers(len(seen)))], message, rng))
    disturbed = from_bytes(out)
    return disturbed


def _odd_message(before: bytes, now: bytes, rng: np.random.Generator) -> bytes:
    """Something about the order in ``before``, at the time of ``now``."""
    stamp = int.from_bytes(now[5:11], "big")
    locate = int.from_bytes(before[1:3], "big")
    reference = int.from_bytes(before[11:19], "big") if before[:1] in b"AF" else 1
    head = {"stock_locate": locate, "timestamp": stamp}
    shares = int(rng.choice([0, 1, 100, 1_000_000, 0xFFFFFFFF]))
    price = int(rng.choice([0, 1, 1_000_050, 0xFFFFFFFF, 4_000_000]))

    def packed(record: Any, **values: Any) -> bytes:
        # Three of these are bytes where others are numbers: `pack` says what it does not take.
        return record.pack(head | values)

    add = {"order_reference": reference, "shares": shares, "side": str(rng.choice(list("BSX"))), "price": price}
    choices = [
        lambda: packed(itch.ADD_ORDER, **add),
        lambda: packed(itch.ADD_ORDER, **add | {"order_reference": int(rng.integers(1 << 63)), "shares": 100}),
        lambda: packed(itch.ADD_ORDER_ATTRIBUTED, **add),
        lambda: packed(itch.ORDER_EXECUTED, order_reference=reference, executed_shares=shares, match_number=5),
        lambda: packed(itch.ORDER_EXECUTED_WITH_PRICE, order_reference=reference, executed_shares=shares,
                       match_number=6, printable=str(rng.choice(["Y", "N"])), execution_price=price),
        lambda: packed(itch.ORDER_CANCEL, order_reference=reference, cancelled_shares=shares),
        lambda: packed(itch.ORDER_DELETE, order_reference=reference),
        lambda: packed(itch.ORDER_DELETE, order_reference=int(rng.integers(1 << 63))),
        lambda: packed(itch.ORDER_REPLACE, original_order_reference=reference, shares=shares, price=price,
                       new_order_reference=int(rng.choice([reference, int(rng.integers(1 << 63))]))),
        lambda: packed(itch.ORDER_DELETE, order_reference=reference, stock_locate=locate + 1),
        lambda: packed(itch.ORDER_DELETE, order_reference=reference, stock_locate=60_000),
        lambda: packed(itch.ORDER_DELETE, order_reference=reference, stock_locate=16_383),
        lambda: packed(itch.TRADE, side="B", shares=shares, price=price, match_number=9),
        lambda: packed(itch.TRADING_ACTION, trading_state=str(rng.choice(list("HPQTTTT")))),
        lambda: packed(itch.REG_SHO_RESTRICTION, reg_sho_action=str(rng.choice(list("012")))),
        lambda: packed(itch.OPERATIONAL_HALT, market_code=str(rng.choice(list("QB"))),
                       operational_halt_action=str(rng.choice(list("HTT")))),
        lambda: packed(itch.SYSTEM_EVENT, event_code=str(rng.choice(list("QQQMS")))),
        lambda: packed(itch.ORDER_DELETE, order_reference=reference)[: int(rng.integers(11, 19))],
        lambda: packed(itch.ORDER_DELETE, order_reference=reference) + b"\0",
        lambda: b"?" + now[1:11] + rng.bytes(int(rng.integers(0, 60))),
        *[lambda record=record: packed(record) for record in itch.ITCH.records],
    ]  # fmt: skip
    return choices[int(rng.integers(len(choices)))]()


def odd_frame(rng: np.random.Generator, sequence: int) -> bytes:
    """A frame that is no packet of the feed, or hardly."""
    of = publisher.FEED_A
    where = {
        "source": of.source,
        "destination": of.address,
        "source_port": of.port,
        "destination_port": of.port,
    }
    empty = moldudp64.heartbeat(publisher.SESSION, sequence)
    good = frames.udp_frame(empty, **where)
    choices = [
        lambda: good[: int(rng.integers(1, len(good)))],
        lambda: good + rng.bytes(int(rng.integers(1, 40))),
        lambda: frames.udp_frame(empty, **where, vlans=(5,)),
        lambda: frames.udp_frame(empty, **where, vlans=(5, 6)),
        lambda: frames.udp_frame(empty, **where, checksummed=False),
        lambda: frames.udp_frame(moldudp64.end_of_session(publisher.SESSION, sequence), **where),
        lambda: frames.udp_frame(moldudp64.heartbeat("OTHER", sequence), **where),
        lambda: frames.udp_frame(moldudp64.packet(publisher.SESSION, 1, [b"S" * 12]), **where),
        lambda: frames.udp_frame(moldudp64.packet(publisher.SESSION, 1, [b""]), **where),
        lambda: frames.udp_frame(empty + b"more", **where),
        lambda: frames.udp_frame(moldudp64.packet(publisher.SESSION, 1, [b"S" * 12])[:-3], **where),
        lambda: frames.udp_frame(moldudp64.heartbeat(publisher.SESSION, 1 << 63), **where),
        lambda: frames.udp_frame(empty[:12], **where),
        lambda: frames.udp_frame(rng.bytes(1473), **where),
        lambda: frames.udp_frame(empty, **where | {"destination_port": of.port + 1}),
        lambda: frames.udp_frame(empty, **where | {"destination": of.address + 1}),
        lambda: _flipped(good, rng),
        lambda: rng.bytes(int(rng.integers(1, 120))),
    ]
    return choices[int(rng.integers(len(choices)))]()


def _flipped(frame: bytes, rng: np.random.Generator) -> bytes:
    """One byte changed in the headers."""
    changed = bytearray(frame)
    changed[int(rng.integers(12, 42))] = int(rng.integers(256))
    return bytes(changed)
