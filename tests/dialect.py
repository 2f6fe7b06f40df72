"""OUCH 4.2 told in OUCH 5.0, for tests that say everything twice. Written from the two specifications, not from the engine.

What the exchange says is translated from 4.2 to 5.0, what the device says from 5.0 to 4.2.
"""

from __future__ import annotations

from typing import Any

from tests.scenarios.build import Result, Scenario, Script
from wire import ouch42, ouch50, soupbintcp
from wire.appendage import pack, unpack
from wire.errors import WireError
from wire.records import LOGIN, Opcode, OuchVersion, Port

NOBODY = 0xFFFF_FFFF
"""A UserRefNum of no order."""
SECONDS = {"0": 99_998, "3": 0, "5": 99_999}
OUCH_AT = LOGIN.offset("ouch")


def reference(token: str) -> int:
    """The UserRefNum of the order that has this token in OUCH 4.2."""
    try:
        return int(token[2:14], 16) & 0xFFFF_FFFF
    except ValueError:
        return NOBODY


def from_exchange(message: bytes, **options: Any) -> bytes:
    """A message of the exchange, in 5.0. ``options`` are put into its appendage if it can have one.

    Raises
    ------
    WireError
        It is no message of OUCH 4.2.
    """
    record = ouch42.OUTBOUND.of(message)
    said = record.unpack(message)
    stamp = {"timestamp": said["timestamp"]}
    if record is ouch42.SYSTEM_EVENT:
        return ouch50.SYSTEM_EVENT.pack(stamp, event_code=said["event_code"])
    token = said["replacement_order_token" if record is ouch42.REPLACED else "order_token"]
    about = stamp | {"user_reference_number": reference(token)}
    if record in (ouch42.ACCEPTED, ouch42.REPLACED):
        same = ("side", "price", "display", "order_reference", "capacity", "cross_type", "order_state")
        values = about | {name: said[name] for name in same}
        values |= {"quantity": said["shares"], "symbol": said["stock"], "client_order_id": token, "time_in_force": "0"}
        if record is ouch42.ACCEPTED:
            return pack(ouch50.ORDER_ACCEPTED, values, options)
        values["original_user_reference_number"] = reference(said["previous_order_token"])
        return pack(ouch50.ORDER_REPLACED, values, options)
    if record in (ouch42.EXECUTED, ouch42.EXECUTED_WITH_REFERENCE_PRICE):
        same = ("liquidity_flag", "match_number")
        values = about | {name: said[name] for name in same}
        values |= {"quantity": said["executed_shares"], "price": said["execution_price"]}
        return pack(ouch50.ORDER_EXECUTED, values, options)
    if record is ouch42.CANCELED:
        return ouch50.ORDER_CANCELED.pack(about, quantity=said["decrement_shares"], reason=said["reason"])
    if record is ouch42.AIQ_CANCELLED:
        same = ("decrement_shares", "reason", "quantity_prevented_from_trading", "execution_price", "liquidity_flag")
        return ouch50.AIQ_CANCELED.pack(about, **{name: said[name] for name in same})
    if record is ouch42.REJECTED:
        return ouch50.REJECTED.pack(about, reason=ord(said["reason"] or " "), client_order_id=token)
    if record in (ouch42.BROKEN_TRADE, ouch42.TRADE_CORRECTION):  # 5.0 has no correction
        return ouch50.BROKEN_TRADE.pack(about, match_number=said["match_number"], reason="E", client_order_id=token)
    if record is ouch42.ORDER_PRIORITY_UPDATE:
        return ouch50.ORDER_PRIORITY_UPDATE.pack(about, price=said["price"], order_reference=said["order_reference"])
    if record is ouch42.ORDER_MODIFIED:
        return ouch50.ORDER_MODIFIED.pack(about, side=said["side"], quantity=said["shares"])
    if record is ouch42.TRADE_NOW:  # 5.0 has none; of what it has instead
        return pack(ouch50.ORDER_RESTATED, about | {"reason": "R"}, {"display_quantity": 100} | options)
    return {ouch42.CANCEL_PENDING: ouch50.CANCEL_PENDING, ouch42.CANCEL_REJECT: ouch50.CANCEL_REJECT}[record].pack(about)


def from_device(message: bytes, prefix: str = "HP") -> dict[str, Any]:
    """A message of the device, as the fields of what it would be in 4.2."""
    record, said, options = unpack(ouch50.INBOUND, message)

    def token(number: int) -> str:
        return f"{prefix}{number:012X}"

    if record is ouch50.CANCEL_ORDER_REQUEST:
        return {"type": "X", "order_token": token(said["user_reference_number"]), "shares": said["quantity"]}
    named = said["client_order_id"]
    assert named == token(said["user_reference_number"]), "an order has one name"
    letter = said["time_in_force"]
    assert ("expire_time" in options) == (letter == "6")
    values = {
        "type": record.code,
        "shares": said["quantity"],
        "price": said["price"],
        "time_in_force": options["expire_time"] if letter == "6" else SECONDS[letter],
        "display": said["display"],
        "intermarket_sweep_eligibility": said["intermarket_sweep_eligibility"],
        "minimum_quantity": options.get("minimum_quantity", 0),
    }
    if record is ouch50.REPLACE_ORDER_REQUEST:
        existing = token(said["original_user_reference_number"])
        return values | {"existing_order_token": existing, "replacement_order_token": named}
    same = ("side", "capacity", "cross_type")
    values |= {name: said[name] for name in same}
    values |= {"firm": options["firm"], "customer_type": options.get("customer_type", "")}
    return values | {"order_token": named, "stock": said["symbol"]}


def session(data: bytes) -> bytes:
    """Bytes of the order session, whole packets, with all OUCH in them translated; what is malformed stays as it is."""
    told = b""
    while data:
        size = soupbintcp.LENGTH_BYTES + soupbintcp.read_length(data, 0)
        packet, data = data[:size], data[size:]
        head, message = packet[: soupbintcp.HEADER_LENGTH], packet[soupbintcp.HEADER_LENGTH :]
        try:
            told += soupbintcp.sequenced(from_exchange(message)) if head[2:] == b"S" else packet
        except WireError:
            told += packet
    return told


def spoken(script: Script) -> Script:
    """The same script with a session of OUCH 5.0."""
    inputs, buffer = script.arrays()
    told = Script()
    for row in inputs:
        data = buffer[int(row["offset"]) :][: int(row["length"])].tobytes()
        port = Port(int(row["port"]))
        if port is Port.COMMAND and data[0] == Opcode.LOGIN:
            data = data[:OUCH_AT] + bytes([OuchVersion.V5_0]) + data[OUCH_AT + 1 :]
        elif port is Port.SESSION:
            data = session(data)
        told.now = int(row["timestamp"])
        told.input(port, data)
    told.now, told.sequence = script.now, script.sequence
    return told


def repeated(scenario: Scenario) -> Scenario:
    """A scenario once more, in 5.0. Its check sees the orders as 4.2 would have sent them."""

    def check(result: Result) -> None:
        scenario.check(Result(result.events, result.packets, result.counters, from_device))

    sizes = (scenario.symbols, scenario.levels, scenario.orders)
    return Scenario(f"5.0 {scenario.name}", spoken(scenario.script), check, *sizes)
