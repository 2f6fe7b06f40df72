"""The whole card, through its pins and nothing else."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from scapy.layers.igmp import IGMPv3_MR
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import ARP, Ether

from drivers import registers
from tests.hw.card_benches.board import ADDRESSES, MACS, PERIOD_PS, PORTS, Board
from tests.hw.card_benches.exchange import ADDRESS, PORT
from tests.hw.cocotb_runner import parameters
from tests.scenarios.build import Script, add, delete, mold_frame, system_event
from wire import ouch42, soupbintcp
from wire.ethernet import mac_text
from wire.ipv4 import address_text
from wire.records import EVENT, EventType, Opcode, SessionState
from wire.records import Port as Input

BASE, TICK, LEVELS = 1_000_000, 100, 64
LOCAL_FAULT = 0x000001
"""Behind the sequence character (IEEE 802.3 table 46-3)."""

GROUPS = (0xE9360C6F, 0xE9360C70)
PACE = 40
"""Cycles for a message: what the path takes today, sweeps included."""

TO_PATH = 1 + 2 + 1
"""Cycles between the two ends of a measurement on the wires that the card does not count: the word behind the delimiter is the
first beat, it is at the path 2 cycles later, and cocotbext-eth tells when it set a word, but when it has seen one.
"""


async def started(dut) -> Board:
    return await Board(dut, parameters()["seed"]).start()


async def play(board: Board, inputs: Any, buffer: bytes, each: Any = None) -> None:
    """Hands the inputs of a script to the pins, each when the card is at rest and the clock says its time."""
    ports = {Input.FEED_A: "feed_a", Input.FEED_B: "feed_b"}
    for number, row in enumerate(inputs):
        port, at, length = Input(int(row["port"])), int(row["offset"]), int(row["length"])
        content = buffer[at : at + length]
        if each is not None:
            await each(number)
        await board.driver.set_clock(int(row["timestamp"]))
        if port in ports:
            board.wires[ports[port]].put(content)
        elif port is Input.SESSION:
            await board.exchange.say(content)
        elif port is Input.COMMAND:
            await board.driver.command(content)
        else:
            raise ValueError(f"{port.name} has no pin")
        await board.idle()


def expected(board: Board) -> Counter[str]:
    """What the edge must have counted, by what was seen on the wires."""
    found: Counter[str] = Counter()
    for name, wire in board.wires.items():
        found[f"{name}_frames_received"], found[f"{name}_fcs_errors"] = wire.sent["good"], wire.sent["bad"]
        found[f"{name}_frames_sent"] = len(wire.heard)
        for kind, many in wire.seen.items():
            found[f"tcp_{kind}" if kind == "segments_sent" else f"{name}_{kind}"] = many
    found["tcp_malformed"] = board.wires["order"].sent["bad"]
    found["tcp_segments_received"] = board.exchange.segments
    found["tcp_not_ours"] = board.wires["order"].sent["good"] - board.exchange.segments
    return found


async def check_edge(board: Board, **more: int) -> None:
    """Every counter of the edge; ``more`` says what else there is, or what differs."""
    wanted = {name: value for name, value in {**expected(board), **more}.items() if value}
    got = await board.network_counters()
    differ = {name: (got.get(name, 0), wanted.get(name, 0)) for name in got.keys() | wanted.keys()}
    assert {name: each for name, each in differ.items() if each[0] != each[1]} == {}, "counted, and expected"


def path_setup() -> Script:
    """Two symbols, a quoter on the first."""
    script = Script().set_global()
    for symbol in range(2):
        script.set_symbol(symbol, 10 + symbol, base=BASE, tick=TICK, levels=LEVELS).set_limits(symbol, max_position=1000)
    script.command(Opcode.SET_QUOTER, 0, half_spread=2 << 16, size=100, skew=-300, min_change=1, enabled=1)
    return script.command(Opcode.SET_FEED, start_sequence=1, hold_ns=1_000_000)


def spread_out(inputs: Any, step: int = 100_000) -> Any:
    """The inputs with so much more time between them that the card's own time does not overtake theirs."""
    inputs = inputs.copy()
    inputs["timestamp"] += np.arange(len(inputs), dtype=np.uint64) * np.uint64(step)
    return inputs


async def arrive(board: Board, script: Script) -> None:
    await play(board, *_plain(script))


def _plain(script: Script) -> tuple[Any, bytes]:
    inputs, buffer = script.arrays()
    return spread_out(inputs), buffer.tobytes()


@cocotb.test()
async def session(dut):
    """A trading session: the script's inputs one by one, and frames between them that fail the check. What came of it goes to
    the test, which has the engine's answer.
    """
    given = parameters()
    folder = Path(given["folder"])
    board = await started(dut)
    inputs, buffer = np.load(folder / "inputs.npy"), (folder / "buffer").read_bytes()
    await board.driver.connect(ADDRESS, PORT)
    assert await board.driver.read("TCP_STATUS", "state") == 3
    feeds = [row for row in inputs if Input(int(row["port"])) in (Input.FEED_A, Input.FEED_B)]
    frames = [buffer[int(row["offset"]) : int(row["offset"]) + int(row["length"])] for row in feeds]

    async def disturb(number: int) -> None:
        """A frame that a later input will bring whole comes with a wrong check, on either feed, or on the order port."""
        for _ in range(board.rng.randrange(3)):
            port = board.rng.choice(PORTS)
            board.wires[port].put(board.rng.choice(frames), bad=True)
        await board.cycles(40)

    await play(board, inputs, buffer, disturb)
    events = await board.driver.all_events()
    await check_edge(board, order_arp_resolved=1, connections_opened=1)
    assert sum(wire.sent["bad"] for wire in board.wires.values()) > 10
    np.save(folder / "events.npy", np.array(events, EVENT.dtype))
    packets = [packet.hex() for _, packet in board.exchange.packets]
    counters = await board.counters()
    (folder / "answer.json").write_text(json.dumps({"packets": packets, "counters": counters}))


@cocotb.test()
async def latencies(dut):
    """The histogram has, for every order that a message of the feed caused, the cycles that passed on the wires."""
    board = await started(dut)
    driver, rng = board.driver, board.rng
    await driver.connect(ADDRESS, PORT)
    await arrive(board, path_setup().log_in().feed(system_event("Q")))
    bid, ask = add(10, 1, "B", 300, BASE + 20 * TICK), add(10, 2, "S", 200, BASE + 40 * TICK)
    await arrive(board, Script(now=2_000_000_000).packet(2, bid, ask))
    assert len(board.exchange.packets) == 1 + 2, "a login and two quotes"
    await answer_all(board, 1)
    await driver.write("HISTOGRAM_COMMAND", snapshot=1)
    while await driver.read("HISTOGRAM_STATUS", "busy"):
        pass
    assert await driver.read("HISTOGRAM_STATUS", "snapshots") == 1
    assert await driver.read("HISTOGRAM_COUNT", "samples") == 2
    measured, now = [], 4_000_000_000
    for turn in range(parameters()["turns"]):
        # The best bid moves up a tick: one or both quotes are replaced.
        await driver.set_clock(now := now + 1_000_000)
        await board.cycles(rng.randrange(30))
        better = add(10, 10 + turn, "B", 100, BASE + (21 + turn) * TICK)
        frame = board.wires["feed_a"].put(mold_frame(4 + turn, (better,)))
        seen = len(board.exchange.packets)
        await board.idle()
        for time, _ in board.exchange.packets[seen:]:
            measured.append(time // PERIOD_PS - frame.sim_time_sfd // PERIOD_PS - TO_PATH)
        await answer_all(board, seen)
    await driver.write("HISTOGRAM_COMMAND", snapshot=1)
    while await driver.read("HISTOGRAM_STATUS", "busy"):
        pass
    assert await driver.read("HISTOGRAM_COUNT", "samples") == len(measured) > 3
    assert await driver.read_wide("HISTOGRAM_SUM") == sum(measured)
    assert await driver.read("HISTOGRAM_MINIMUM", "cycles") == min(measured)
    assert await driver.read("HISTOGRAM_MAXIMUM", "cycles") == max(measured)
    for cycles, many in Counter(measured).items():
        got = await board.lite.read(registers.HISTOGRAM.address + 4 * min(cycles, registers.HISTOGRAM.count - 1), 4)
        assert int.from_bytes(got.data, "little") == many
    dut._log.warning(f"from frame to order in cycles: {sorted(measured)}")


async def answer_all(board: Board, first: int) -> None:
    """The exchange does what it was asked to, from packet ``first`` on, until the card asks nothing more."""
    while first < len(board.exchange.packets):
        _, packet = board.exchange.packets[first]
        first += 1
        order = ouch42.INBOUND.unpack(packet[3:])
        if packet[3:4] == b"O":
            answer = ouch42.ACCEPTED.pack(
                order_token=order["order_token"],
                shares=order["shares"],
                price=order["price"],
                order_state="L",
                order_reference=first,
            )
        elif packet[3:4] == b"U":
            answer = ouch42.REPLACED.pack(
                replacement_order_token=order["replacement_order_token"],
                previous_order_token=order["existing_order_token"],
                shares=order["shares"],
                price=order["price"],
                order_state="L",
                order_reference=first,
            )
        else:
            answer = ouch42.CANCELED.pack(order_token=order["order_token"], decrement_shares=100, reason="U")
        await board.exchange.say(soupbintcp.sequenced(answer))
        await board.idle()


@cocotb.test()
async def neighbours(dut):
    """Each port answers ARP and ping, announces itself and joins its groups; the path sees nothing it would count but frames."""
    board = await started(dut)
    driver = board.driver
    for name in ("feed_a", "feed_b"):
        for n, group in enumerate(GROUPS):
            await driver.write(f"{name.upper()}_GROUP_{3 * n}", group)
    neighbour = mac_text(0x02_00_00_00_00_77)
    board.exchange.answers_arp = False
    for name in PORTS:
        theirs = address_text(ADDRESSES[name] + 5)
        await driver.write(f"{name.upper()}_COMMAND", announce=1)
        for ping in range(2):
            ask = ARP(op=1, hwsrc=neighbour, psrc=theirs, pdst=address_text(ADDRESSES[name]))
            board.wires[name].put(bytes(Ether(dst="ff:ff:ff:ff:ff:ff", src=neighbour) / ask), bad=ping == 1)
            echo = IP(src=theirs, dst=address_text(ADDRESSES[name])) / ICMP(id=7, seq=ping) / bytes(range(40))
            board.wires[name].put(bytes(Ether(dst=mac_text(MACS[name]), src=neighbour) / echo), bad=ping == 1)
    await board.cycles(12_000)
    joined = {}
    for name in PORTS:
        mine = board.wires[name].heard
        replies = [packet for packet in mine if ICMP in packet]
        assert [(packet[ICMP].type, packet[ICMP].seq, packet.dst) for packet in replies] == [(0, 0, neighbour)]
        assert bytes(replies[0][ICMP].payload)[:40] == bytes(range(40))
        for packet in mine:
            if ARP in packet:
                assert (packet[ARP].hwsrc, packet[ARP].psrc) == (mac_text(MACS[name]), address_text(ADDRESSES[name]))
        assert sum(ARP in packet and packet[ARP].op == 2 for packet in mine) == 1
        joined[name] = {record.maddr for packet in mine if IGMPv3_MR in packet for record in packet[IGMPv3_MR].records}
    assert joined == {name: {address_text(group) for group in GROUPS} for name in ("feed_a", "feed_b")} | {"order": set()}
    await check_edge(board)
    path = await board.counters()
    assert {name: path[name] for name in ("frames", "not_ipv4", "not_udp")} == {"frames": 4, "not_ipv4": 2, "not_udp": 2}


@cocotb.test()
async def a_connection_that_ends(dut):
    """The exchange resets the connection: the session is down at once, nothing of it is sent on the next connection."""
    board = await started(dut)
    driver, exchange = board.driver, board.exchange
    await driver.connect(ADDRESS, PORT)
    script = path_setup().log_in()
    script.feed(system_event("Q"), add(10, 1, "B", 300, BASE + 20 * TICK), add(10, 2, "S", 200, BASE + 26 * TICK))
    await arrive(board, script)
    assert await driver.read("STATUS", "session") == SessionState.UP
    assert await driver.read("TCP_STATUS", "login") == 1
    assert len(exchange.packets) == 3
    await driver.all_events()
    seen = len(driver.events)

    # Data and the reset come at once: what the card wants to send because of the data finds no connection.
    board.wires["feed_a"].put(mold_frame(4, (delete(10, 1),)))
    await exchange.segment("RA")
    await board.idle()
    assert await driver.read("TCP_STATUS", "state") == 0
    assert await driver.read("STATUS", "session") == SessionState.DOWN
    assert await driver.read("TCP_STATUS", "login") == 0
    await driver.all_events()
    down = [each for each in driver.events[seen:] if each["type"] in (EventType.SESSION, EventType.COMMAND)]
    assert [(int(each["type"]), int(each["info"]), int(each["tag"])) for each in down] == [
        (EventType.SESSION, SessionState.DOWN, 0),
        (EventType.COMMAND, 0, 0xFFFFFFFF),
    ]
    before = await board.counters()

    # The next one: the card speaks first of a login, and the exchange sees nothing before that.
    sent = len(exchange.packets)
    exchange.sequence = 900_000
    await driver.connect(ADDRESS, PORT, sequence=1_000_000)
    assert await driver.read("TCP_STATUS", "state") == 3
    await board.cycles(500)
    assert len(exchange.packets) == sent
    again = Script(now=5_000_000_000).log_in()
    await arrive(board, again)
    assert await driver.read("STATUS", "session") == SessionState.UP
    assert exchange.packets[sent][1][2:3] == b"L"
    after = await board.counters()
    assert after["session_packets"] == before["session_packets"] + 1
    unsent = (await board.network_counters()).get("packets_unsent", 0)
    await check_edge(
        board,
        order_arp_resolved=2,
        connections_opened=2,
        connections_closed=1,
        tcp_resets=1,
        packets_unsent=unsent,
    )
    assert unsent <= 2


@cocotb.test()
async def no_way_to_the_exchange(dut):
    """An address beyond the link without a gateway: refused, and the card tries again when told to."""
    board = await started(dut)
    driver = board.driver
    await driver.connect(0x08080808, PORT)
    assert await driver.read("TCP_STATUS", "unreachable") == 1
    assert await driver.read("TCP_STATUS", "state") == 0
    # A login without a connection is taken and goes nowhere.
    await arrive(board, Script().command(Opcode.LOGIN, tag=5, username="USER", password="SECRET", sequence="1".rjust(20)))
    assert board.exchange.packets == []
    await driver.connect(ADDRESS, PORT)
    assert await driver.read("TCP_STATUS", "unreachable") == 0
    assert await driver.read("TCP_STATUS", "state") == 3
    await check_edge(
        board, order_arp_resolved=1, order_arp_timeouts=1, connections_opened=1, connections_refused=1, packets_unsent=1
    )


@cocotb.test()
async def recovery(dut):
    """Messages that both feeds lost come through the host's mailbox, and the feed is whole again."""
    board = await started(dut)
    driver = board.driver
    await arrive(board, path_setup().feed(system_event("Q")).packet(4, delete(10, 3)).wait(2_000_000).packet(5, delete(10, 4)))
    assert await driver.read("STATUS", "feed_whole") == 0
    frame = mold_frame(2, (add(10, 3, "B", 5, BASE), add(10, 4, "S", 5, BASE + TICK)))
    for at in range(0, len(frame), 4):
        await driver.write("RECOVERY_DATA", int.from_bytes(frame[at : at + 4], "little"))
    await driver.write("RECOVERY_FRAME", length=len(frame))
    await board.idle()
    assert await driver.read("RECOVERY_STATUS", "busy") == 0
    assert await driver.read("STATUS", "feed_whole") == 1
    counters = await board.counters()
    got = {name: counters[name] for name in ("packets_recovery", "messages", "gaps", "orders_added", "packets_held", "frames")}
    assert got == {"packets_recovery": 1, "messages": 5, "gaps": 1, "orders_added": 2, "packets_held": 2, "frames": 4}
    await check_edge(board, recovery_frames=1)


@cocotb.test()
async def ticks(dut):
    """The path hears of time as often as the register says."""
    board = await started(dut)
    microsecond = parameters()["microsecond"]
    for period in (10, 3):
        before = await board.counters()
        await board.driver.write("TICK", period=period)
        await board.cycles(60 * period * microsecond)
        await board.driver.write("TICK", period=0)
        await board.idle()
        ticked = (await board.counters())["ticks"] - before["ticks"]
        assert 58 <= ticked <= 63, f"{ticked} ticks of {period} microseconds"


@cocotb.test()
async def both_feeds_with_errors(dut):
    """The same packets on both feeds, some of them with errors on one: every message once, no gap, the books as told."""
    board = await started(dut)
    rng, turns = board.rng, parameters()["packets"]
    await arrive(board, path_setup().feed(system_event("Q")))
    sequence, reference, live, total = 2, 1, [], 0
    for _ in range(turns):
        messages = []
        for _ in range(rng.randrange(1, 12)):
            if live and (len(live) > 20 or rng.random() < 0.5):
                messages.append(delete(10, live.pop(rng.randrange(len(live)))))
            else:
                messages.append(add(10, reference, rng.choice("BS"), 100, BASE + TICK * rng.randrange(LEVELS)))
                live.append(reference)
                reference += 1
        frame = mold_frame(sequence, messages)
        sequence, total = sequence + len(messages), total + len(messages)
        lost = rng.random()
        board.wires["feed_a"].put(frame, bad=lost < 0.2)
        board.wires["feed_b"].put(frame, bad=0.2 <= lost < 0.4)
        await board.cycles(PACE * len(messages) + rng.randrange(20))
        await board.driver.take_events()
    await board.idle()
    await board.driver.all_events()
    counters = await board.counters()
    bad = sum(wire.sent["bad"] for wire in board.wires.values())
    assert bad > turns // 5
    wanted = {
        "messages": total + 1,
        "frames": 2 * turns + 1 - bad,
        "packets_duplicate": turns - bad,
        **dict.fromkeys(("gaps", "packets_dropped", "packets_malformed", "unknown_reference", "order_overflow"), 0),
        "events_lost": 0,
    }
    assert {name: counters[name] for name in wanted} == wanted
    assert counters["packets_a"] + counters["packets_b"] == 2 * turns + 1 - bad
    assert counters["itch_A"] - counters["itch_D"] == len(live)
    await check_edge(board)


@cocotb.test()
async def interrupts(dut):
    """The host is called for events and for a link that goes down; the port sends nothing then, and announces itself again."""
    board = await started(dut)
    driver = board.driver
    await driver.write("INTERRUPT_THRESHOLD", 1)
    assert await driver.read("INTERRUPT_PENDING", "link") == 1, "the links have come up"
    await driver.write("INTERRUPT_PENDING", link=1)
    await driver.write("INTERRUPT_ENABLE", events=1, link=1)
    await board.cycles(10)
    assert dut.interrupt.value == 0
    await arrive(board, Script().set_global())
    assert dut.interrupt.value == 1
    await driver.all_events()
    await driver.write("INTERRUPT_PENDING", events=1)
    await board.cycles(10)
    assert dut.interrupt.value == 0
    assert await driver.read("LINKS", "up") == 0b111

    source = board.wires["feed_b"].source
    source.set_seq_os(LOCAL_FAULT)
    await board.cycles(100)
    assert await driver.read("LINKS", "up") == 0b101
    assert dut.interrupt.value == 1
    await driver.write("INTERRUPT_PENDING", link=1)
    source.set_seq_os(None)
    await board.cycles(1000)
    assert await driver.read("LINKS", "up") == 0b111
    announced = board.wires["feed_b"].heard[-1]
    assert (announced[ARP].op, announced[ARP].pdst) == (1, address_text(ADDRESSES["feed_b"]))
    faults = (await board.network_counters())["feed_b_faults"]
    assert faults > 4
    await check_edge(board, feed_b_faults=faults)
