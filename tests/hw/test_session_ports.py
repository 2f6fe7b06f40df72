"""The order session on the wire: packets to the exchange, packets from it, and the sequencer that merges."""

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.sim import Simulator

from hw.items import ItemKind
from hw.ouch.message import Inbound, Kind
from hw.sequencer.sequencer import Sequencer
from hw.soupbin.receiver import SessionReceiver
from hw.soupbin.sender import SoupBinSender
from wire import ouch42, ouch50, soupbintcp
from wire.appendage import pack
from wire.records import Opcode, OuchVersion, command, token

pytestmark = pytest.mark.gateware


def simulate(dut, *processes):
    simulator = Simulator(dut)
    simulator.add_clock(6.4e-9)
    for each in processes:
        simulator.add_testbench(each, background=each is not processes[0])
    simulator.run()


def little(data: bytes) -> int:
    return int.from_bytes(data, "little")


# -- out -------------------------------------------------------------------------------------------

ORDER = {
    "order_id": 0xA9F012345B01, "previous_id": 0x00C0FFEE0001, "marking": 2, "shares": 300, "price": 1_234_500,
    "time_in_force": 99_998, "stock": little(b"BRK.A   "), "firm": little(b"HPIN"), "token_prefix": little(b"Q1"),
}  # fmt: skip
SECONDS = 3_600  # of an order that expires
ID, PREVIOUS = token("Q1", ORDER["order_id"]), token("Q1", ORDER["previous_id"])
LOGIN = soupbintcp.login_request("USER01", "SECRET", "SESSION", 77)
PLAIN = [
    (Kind.LOGIN, LOGIN),
    (Kind.LOGOUT, soupbintcp.logout_request()),
    (Kind.HEARTBEAT, soupbintcp.client_heartbeat()),
]
SENT_42 = [
    (
        Kind.NEW,
        soupbintcp.unsequenced(
            ouch42.ENTER_ORDER.pack(
                order_token=ID, side="T", shares=300, stock="BRK.A", price=1_234_500, time_in_force=99_998, firm="HPIN",
                display="Y", capacity="P", intermarket_sweep_eligibility="N", cross_type="N", customer_type=" ",
            )
        ),
    ),
    (
        Kind.REPLACE,
        soupbintcp.unsequenced(
            ouch42.REPLACE_ORDER.pack(
                existing_order_token=PREVIOUS, replacement_order_token=ID, shares=300, price=1_234_500,
                time_in_force=99_998, display="Y", intermarket_sweep_eligibility="N",
            )
        ),
    ),
    (Kind.CANCEL, soupbintcp.unsequenced(ouch42.CANCEL_ORDER.pack(order_token=ID, shares=0))),
]  # fmt: skip


def sent_50(letter: str) -> list[tuple[Kind, bytes]]:
    """The same orders in OUCH 5.0, with another time in force."""
    number, previous = ORDER["order_id"] & 0xFFFF_FFFF, ORDER["previous_id"] & 0xFFFF_FFFF
    common = {
        "user_reference_number": number, "quantity": 300, "price": 1_234_500, "time_in_force": letter, "display": "Y",
        "intermarket_sweep_eligibility": "N", "client_order_id": ID,
    }  # fmt: skip
    expiry = {"expire_time": SECONDS} if letter == "6" else {}
    enter = common | {"side": "T", "symbol": "BRK.A", "capacity": "P", "cross_type": "N"}
    replace = common | {"original_user_reference_number": previous}
    messages = {
        Kind.NEW: pack(ouch50.ENTER_ORDER, enter, {"firm": "HPIN"} | expiry),
        Kind.REPLACE: pack(ouch50.REPLACE_ORDER_REQUEST, replace, expiry),
        Kind.CANCEL: ouch50.CANCEL_ORDER_REQUEST.pack(user_reference_number=number, quantity=0),
    }
    return [(kind, soupbintcp.unsequenced(message)) for kind, message in messages.items()]


def sent(ouch: OuchVersion, letter: str) -> list[tuple[Kind, bytes]]:
    return [*(SENT_42 if ouch is OuchVersion.V4_2 else sent_50(letter)), *PLAIN]


@pytest.mark.parametrize(
    ("stall", "ouch", "letter"),
    [(0.0, OuchVersion.V4_2, "0"), (0.5, OuchVersion.V4_2, "0"), (0.0, OuchVersion.V5_0, "0"), (0.5, OuchVersion.V5_0, "6")],
)
def test_packets_are_those_of_wire_and_follow_each_other_without_a_gap(rng, stall: float, ouch: OuchVersion, letter: str):
    dut, packets, expected = SoupBinSender(), [], sent(ouch, letter)
    order = ORDER | {"time_in_force_letter": ord(letter)} | ({"time_in_force": SECONDS} if letter == "6" else {})
    cycles = 0

    async def offer(ctx):
        nonlocal cycles
        ctx.set(dut.ouch, ouch)
        for number, (kind, _) in enumerate(expected):
            ctx.set(dut.i.payload.kind, kind)
            ctx.set(dut.i.payload.stamp, 100 + number)
            ctx.set(dut.i.payload.cause, number)
            if kind == Kind.LOGIN:
                ctx.set(dut.i.payload.body.login, little(LOGIN[soupbintcp.HEADER_LENGTH :]))
            else:
                ctx.set(dut.i.payload.body.order, order)
            ctx.set(dut.i.valid, 1)
            await ctx.tick().until(dut.i.ready)
        ctx.set(dut.i.valid, 0)
        while ctx.get(dut.busy):
            await ctx.tick()

    async def take(ctx):
        nonlocal cycles
        packet = b""
        while True:
            ctx.set(dut.o.ready, rng.random() >= stall)
            _, _, valid, ready, beat, stamp, cause = await ctx.tick().sample(
                dut.o.valid, dut.o.ready, dut.o.payload, dut.stamp, dut.cause
            )
            cycles += valid
            if valid and ready:
                packet += beat.data.to_bytes(8, "little")[: beat.count]
                assert beat.last or beat.count == 8
                if beat.last:
                    packets.append((stamp, cause, packet))
                    packet = b""

    simulate(dut, offer, take)
    assert packets == [(100 + n, n, packet) for n, (_, packet) in enumerate(expected)]
    if not stall:
        assert cycles == sum(-(-len(packet) // 8) for _, packet in expected)


# -- in --------------------------------------------------------------------------------------------


def inbound(item):
    return Inbound.from_bits(item.payload.session & ((1 << Inbound.as_shape().size) - 1))


def stamped(record, name="order_token", **values):
    return soupbintcp.sequenced(record.pack({name: ID, "timestamp": 5} | values))


ABOUT = {"token_prefix": little(b"Q1"), "token_valid": 1, "order_id": ORDER["order_id"]}
BARE = [
    (soupbintcp.login_accepted("S", 1), {"code": ord("A"), "malformed": 0}),
    (soupbintcp.login_rejected("A"), {"code": ord("J"), "reason": ord("A"), "malformed": 0}),
    (soupbintcp.server_heartbeat(), {"code": ord("H"), "reason": 0, "malformed": 0}),
    (soupbintcp.end_of_session(), {"code": ord("Z"), "reason": 0, "malformed": 0}),
    (soupbintcp.debug("x" * 200), {"code": ord("+"), "malformed": 0}),
    (b"\0\0", {"code": 0, "malformed": 1}),
    (soupbintcp.client_heartbeat(), {"code": ord("R"), "malformed": 1}),
    (soupbintcp.sequenced(b""), {"code": ord("S"), "type": 0, "malformed": 1}),
    (soupbintcp.sequenced(b"A" + bytes(10)), {"code": ord("S"), "type": ord("A"), "malformed": 1}),
    (soupbintcp.sequenced(b"?" + bytes(65)), {"code": ord("S"), "type": ord("?"), "malformed": 1}),
]
RECEIVED_42 = [
    *BARE,
    (
        stamped(ouch42.ACCEPTED, shares=100, price=99, order_reference=1 << 63, order_state="D"),
        {**ABOUT, "type": ord("A"), "malformed": 0, "shares": 100, "price": 99, "value": 1 << 63, "info": ord("D")},
    ),
    (
        stamped(ouch42.REPLACED, "replacement_order_token", shares=7, price=8, order_reference=9, order_state="L"),
        {**ABOUT, "type": ord("U"), "malformed": 0, "shares": 7, "price": 8, "value": 9, "info": ord("L")},
    ),
    (
        stamped(ouch42.EXECUTED, executed_shares=5, execution_price=6, match_number=7, liquidity_flag="R"),
        {**ABOUT, "type": ord("E"), "malformed": 0, "shares": 5, "price": 6, "value": 7, "info": ord("R")},
    ),
    (
        stamped(ouch42.EXECUTED_WITH_REFERENCE_PRICE, executed_shares=5, execution_price=6, match_number=7),
        {**ABOUT, "type": ord("G"), "malformed": 0, "shares": 5, "price": 6, "value": 7, "info": ord(" ")},
    ),
    (
        stamped(ouch42.CANCELED, decrement_shares=50, reason="U"),
        {**ABOUT, "type": ord("C"), "malformed": 0, "shares": 50, "price": 0, "value": 0, "info": ord("U")},
    ),
    (
        stamped(ouch42.AIQ_CANCELLED, decrement_shares=51, reason="Q"),
        {**ABOUT, "type": ord("D"), "malformed": 0, "shares": 51, "info": ord("Q")},
    ),
    (stamped(ouch42.REJECTED, reason="Z"), {**ABOUT, "type": ord("J"), "malformed": 0, "info": ord("Z")}),
    (stamped(ouch42.CANCEL_REJECT), {**ABOUT, "type": ord("I"), "malformed": 0}),
    (stamped(ouch42.BROKEN_TRADE, match_number=3), {**ABOUT, "type": ord("B"), "malformed": 0, "value": 3}),
    (stamped(ouch42.TRADE_CORRECTION, match_number=4), {**ABOUT, "type": ord("F"), "malformed": 0, "value": 4}),
    (
        stamped(ouch42.CANCEL_REJECT, order_token="Q100000000000a"),
        {"type": ord("I"), "malformed": 0, "token_valid": 0, "order_id": 0},
    ),
]


def reported(record, values, options=None, **changes):
    """A message of OUCH 5.0 about the order, and what of it is the same for all."""
    message = record.pack(values) if options is None else pack(record, values, options)
    told = {"token_valid": 1, "order_id": NUMBER, "type": ord(record.code), "malformed": 0}
    return soupbintcp.sequenced(message), told | changes


NUMBER = 0x1234_5B01
NAMED = {"timestamp": 5, "user_reference_number": NUMBER}
CONFIRMED = {"quantity": 100, "price": 0xFFFF_FFFF, "order_reference": 1 << 63, "order_state": "D"}
TOLD = {"shares": 100, "price": 0xFFFF_FFFF, "value": 1 << 63, "info": ord("D")}
FILL = {"quantity": 5, "price": 6, "match_number": 7, "liquidity_flag": "R"}
RECEIVED_50 = [
    *BARE,
    *(reported(ouch50.ORDER_ACCEPTED, NAMED | CONFIRMED, options, **TOLD) for options in ({}, {"firm": "ABCD"})),
    reported(ouch50.ORDER_REPLACED, NAMED | CONFIRMED | {"original_user_reference_number": 9}, {"post_only": "P"}, **TOLD),
    reported(ouch50.ORDER_EXECUTED, NAMED | FILL, {}, shares=5, price=6, value=7, info=ord("R")),
    reported(ouch50.ORDER_CANCELED, NAMED | {"quantity": 50, "reason": "e"}, shares=50, price=0, value=0, info=ord("e")),
    reported(ouch50.AIQ_CANCELED, NAMED | {"decrement_shares": 51, "reason": "Q"}, shares=51, price=0, info=ord("Q")),
    reported(ouch50.REJECTED, NAMED | {"reason": 0x122A}, shares=0, value=0, info=0x2A),
    reported(ouch50.CANCEL_REJECT, NAMED),
    reported(ouch50.BROKEN_TRADE, NAMED | {"match_number": 3}, value=3),
    reported(ouch50.ORDER_RESTATED, NAMED, {"display_price": 1 << 63}),
    reported(ouch50.ORDER_PRIORITY_UPDATE, NAMED | {"price": 1 << 63}),
    reported(ouch50.ORDER_ACCEPTED, NAMED | {"price": 1 << 32}, {}, malformed=1),
    reported(ouch50.ORDER_ACCEPTED, NAMED | {"appendage_length": 1}, malformed=1),
    (soupbintcp.sequenced(ouch50.ORDER_EXECUTED.pack(NAMED)[:-1]), {"type": ord("E"), "malformed": 1}),
    (soupbintcp.sequenced(ouch42.TRADE_CORRECTION.pack()), {"type": ord("F"), "malformed": 1}),
]


@pytest.mark.parametrize("ouch", OuchVersion)
@pytest.mark.parametrize("longest", [1, 8, 1000])
def test_packets_come_out_however_the_stream_is_cut(rng: np.random.Generator, longest: int, ouch: OuchVersion):
    dut, items, stamps = SessionReceiver(), [], []
    received = RECEIVED_42 if ouch is OuchVersion.V4_2 else RECEIVED_50
    data = b"".join(packet for packet, _ in received)
    ends = np.cumsum([len(packet) for packet, _ in received])

    async def offer(ctx):
        ctx.set(dut.ouch, ouch)
        at = chunk = 0
        while at < len(data):
            part = data[at : at + int(rng.integers(1, longest + 1))]
            ctx.set(dut.stamp, 1000 + chunk)
            stamps.extend([1000 + chunk] * int(((ends > at) & (ends <= at + len(part))).sum()))
            for begin in range(0, len(part), 8):
                piece = part[begin : begin + 8]
                last = begin + 8 >= len(part)
                ctx.set(dut.i.payload, {"data": little(piece), "last": last, "count": len(piece)})
                ctx.set(dut.i.valid, 1)
                await ctx.tick().until(dut.i.ready)
            ctx.set(dut.i.valid, 0)
            at, chunk = at + len(part), chunk + 1
        for _ in range(100):
            await ctx.tick()
        assert not ctx.get(dut.busy)

    async def take(ctx):
        while True:
            ctx.set(dut.o.ready, rng.random() < 0.3)
            _, _, valid, ready, item = await ctx.tick().sample(dut.o.valid, dut.o.ready, dut.o.payload)
            if valid and ready:
                items.append(item)

    simulate(dut, offer, take)
    assert len(items) == len(received)
    assert [item.stamp for item in items] == stamps
    for item, (packet, fields) in zip(items, received, strict=True):
        assert item.kind == ItemKind.SESSION
        got = inbound(item)
        assert {name: getattr(got, name) for name in fields} == fields, packet


def test_a_stream_that_begins_anew_forgets_a_partial_packet():
    dut, items = SessionReceiver(), []

    async def offer(ctx):
        for data, clear in ((stamped(ouch42.CANCEL_REJECT)[:20], True), (soupbintcp.login_accepted("S", 1), False)):
            for begin in range(0, len(data), 8):
                piece = data[begin : begin + 8]
                ctx.set(dut.i.payload, {"data": little(piece), "last": begin + 8 >= len(data), "count": len(piece)})
                ctx.set(dut.i.valid, 1)
                await ctx.tick().until(dut.i.ready)
            ctx.set(dut.i.valid, 0)
            await ctx.tick().repeat(20)
            assert not ctx.get(dut.busy)
            ctx.set(dut.clear, clear)
            await ctx.tick()
            ctx.set(dut.clear, 0)

    async def take(ctx):
        ctx.set(dut.o.ready, 1)
        while True:
            _, _, valid, item = await ctx.tick().sample(dut.o.valid, dut.o.payload)
            if valid:
                items.append(item.payload.session & 0xFF)

    simulate(dut, offer, take)
    assert items == [ord("A")]


def test_a_packet_waits_for_the_logins_before_it_and_is_read_as_they_say():
    dut, items = SessionReceiver(), []
    data = soupbintcp.sequenced(ouch50.CANCEL_REJECT.pack(NAMED))

    async def offer(ctx):
        ctx.set(dut.login, 1)  # two of them
        await ctx.tick().repeat(2)
        ctx.set(dut.login, 0)
        for begin in range(0, len(data), 8):
            piece = data[begin : begin + 8]
            ctx.set(dut.i.payload, {"data": little(piece), "last": begin + 8 >= len(data), "count": len(piece)})
            ctx.set(dut.i.valid, 1)
            await ctx.tick().until(dut.i.ready)
        ctx.set(dut.i.valid, 0)
        for ouch in (OuchVersion.V4_2, OuchVersion.V5_0):
            await ctx.tick().repeat(30)
            assert not items
            assert ctx.get(dut.busy)
            ctx.set(dut.ouch, ouch)
            await ctx.tick()
            ctx.set(dut.login_done, 1)
            await ctx.tick()
            ctx.set(dut.login_done, 0)
        await ctx.tick().repeat(3)
        assert not ctx.get(dut.busy)

    async def take(ctx):
        ctx.set(dut.o.ready, 1)
        while True:
            _, _, valid, item = await ctx.tick().sample(dut.o.valid, dut.o.payload)
            if valid:
                items.append(inbound(item))

    simulate(dut, offer, take)
    (item,) = items
    assert (item.malformed, item.order_id) == (0, NUMBER)


# -- the sequencer ---------------------------------------------------------------------------------


def test_no_command_overtakes_another_and_stamps_never_go_back(rng: np.random.Generator):
    dut, got = Sequencer(), []
    opcodes = rng.choice([Opcode.SET_FEED, Opcode.RESUME_FEED, Opcode.KILL, Opcode.NEW_ORDER], 200).tolist()
    m = Module()
    m.submodules.sequencer = dut
    # As the feed handler does: it takes a control item when it gives it back.
    m.d.comb += dut.control.ready.eq(dut.feed.ready & dut.feed.valid)

    async def commands(ctx):
        for tag, opcode in enumerate(opcodes):
            bits = little(command(Opcode.HEARTBEAT, tag=tag)) & ~0xFF | int(opcode)
            ctx.set(dut.command.payload.kind, ItemKind.COMMAND)
            ctx.set(dut.command.payload.stamp, int(rng.integers(1000)))
            ctx.set(dut.command.payload.payload.command, bits)
            ctx.set(dut.command.valid, 1)
            await ctx.tick().until(dut.command.ready)
            ctx.set(dut.command.valid, 0)
            for _ in range(int(rng.integers(0, 3))):
                await ctx.tick()
        await ctx.tick().repeat(200)

    async def feed(ctx):
        while True:
            _, _, valid, item = await ctx.tick().sample(dut.control.valid, dut.control.payload)
            if not valid:
                continue
            await ctx.tick().repeat(int(rng.integers(1, 8)))
            ctx.set(dut.feed.payload, {"kind": item.kind, "stamp": item.stamp})
            ctx.set(dut.feed.valid, 1)
            ready = 0
            while not ready:
                _, _, ready = await ctx.tick().sample(dut.feed.ready)
            ctx.set(dut.feed.valid, 0)

    async def session(ctx):
        ctx.set(dut.session.payload.kind, ItemKind.SESSION)
        while True:
            ctx.set(dut.session.payload.stamp, int(rng.integers(1000)))
            ctx.set(dut.session.valid, rng.random() < 0.3)
            await ctx.tick()

    async def clock(ctx):
        while True:
            ctx.set(dut.tick.valid, rng.random() < 0.1)
            await ctx.tick()

    async def take(ctx):
        while True:
            ctx.set(dut.o.ready, rng.random() < 0.7)
            _, _, valid, ready, item = await ctx.tick().sample(dut.o.valid, dut.o.ready, dut.o.payload)
            if valid and ready:
                got.append((item.kind, item.stamp, item.payload.command >> 32 & 0xFFFFFFFF))

    simulate(m, commands, feed, session, clock, take)
    assert [tag for kind, _, tag in got if kind == ItemKind.COMMAND] == list(range(len(opcodes)))
    assert {kind for kind, _, _ in got} == {ItemKind.COMMAND, ItemKind.SESSION, ItemKind.TICK}
    stamps = [stamp for _, stamp, _ in got]
    assert stamps == sorted(stamps)
