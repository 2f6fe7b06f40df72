"""OUCH in the version that the session was logged in with: which of the two speaks, and which is listened to."""

from __future__ import annotations

from typing import Any

from engine import ouch42, ouch50
from engine.stage import stage
from engine.state import PACKET_LENGTH
from wire.records import OuchVersion
from wire.soupbintcp import CLIENT, HEADER_LENGTH

V5_0 = OuchVersion.V5_0.value
LONGEST = max(
    ouch42.ENTER_LENGTH,
    ouch42.REPLACE_LENGTH,
    ouch50.ENTER_LENGTH + ouch50.FIRM_LENGTH + ouch50.EXPIRY_LENGTH,
    ouch50.REPLACE_LENGTH + ouch50.EXPIRY_LENGTH,
    *(record.length - 1 for record in CLIENT.records),
)
if HEADER_LENGTH + LONGEST > PACKET_LENGTH:
    raise AssertionError(f"a packet is longer than {PACKET_LENGTH} bytes")


@stage
def write_enter(core: Any, out: Any, symbol: Any, slot: Any) -> None:
    """Enter Order for a slot."""
    if core.ouch == V5_0:
        ouch50.write_enter(core, out, symbol, slot)
    else:
        ouch42.write_enter(core, out, symbol, slot)


@stage
def write_replace(core: Any, out: Any, slot: Any) -> None:
    """Replace Order for a slot, by its pending id, price and shares."""
    if core.ouch == V5_0:
        ouch50.write_replace(core, out, slot)
    else:
        ouch42.write_replace(core, out, slot)


@stage
def write_cancel(core: Any, out: Any, slot: Any) -> None:
    """Cancel Order for all that a slot has."""
    if core.ouch == V5_0:
        ouch50.write_cancel(core, out, slot)
    else:
        ouch42.write_cancel(core, out, slot)


@stage
def is_whole(core: Any, stream: Any, at: int, length: int) -> bool:
    """Whether so many bytes from the exchange are a message."""
    if core.ouch == V5_0:
        return ouch50.is_whole(stream, at, length)
    return ouch42.is_whole(stream, at, length)


@stage
def order_id(core: Any, stream: Any, at: int) -> tuple[int, bool]:
    """The id of the order that a message is about, 0 if it names none, and whether the name can be one of ours."""
    if core.ouch == V5_0:
        return ouch50.order_id(stream, at), True
    return ouch42.order_id(core, stream, at)


@stage
def fields(core: Any, stream: Any, at: int) -> tuple[int, int, int, int]:
    """Shares, price, value (order reference or match number) and info (order state, liquidity flag or reason)."""
    if core.ouch == V5_0:
        return ouch50.fields(stream, at)
    return ouch42.fields(stream, at)
