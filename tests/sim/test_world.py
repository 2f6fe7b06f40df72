"""The loop that ties feeds, faults, venue and host to a device: order, cause, recovery, determinism."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from engine.path import Engine
from sim import recording
from sim.faults import CommonLoss, FaultConfig
from sim.publisher import FEED_B, FeedConfig
from sim.run import Progress, Run
from sim.sources import capture
from sim.sources.flow import STOCKS, FlowConfig, flow
from sim.sources.tape import Tape, Vector
from sim.venue import VenueConfig
from sim.world import World, WorldConfig
from tests.sim.trading import commands
from wire import frames, ouch42, pcap, soupbintcp
from wire.counters import NUMBER
from wire.records import EVENT, INPUT, OUTPUT, EventType, Opcode, Port, TrustCause, command

LOSSY = WorldConfig(
    seed=9,
    feed_b=FeedConfig(address=FEED_B.address, port=FEED_B.port, source=FEED_B.source, window_ns=20_000),
    faults_a=FaultConfig(loss=0.01, duplication=0.01, reordering=0.01, corruption=0.002, jitter_ns=300),
    faults_b=FaultConfig(loss=0.01, duplication=0.01, reordering=0.01, corruption=0.002, delay_ns=6_000),
    common_loss=CommonLoss(rate=0.0005),
    host_heartbeat_ns=250_000_000,
)


@pytest.fixture(scope="module")
def tape() -> Tape:
    return flow(FlowConfig(seed=8, messages=25_000, stocks=STOCKS[:2], orders=80))


@pytest.fixture(scope="module")
def world(tape: Tape) -> World:
    return World(tape, LOSSY)


@pytest.fixture(scope="module")
def whole(world: World) -> tuple[Run, Engine, str]:
    """A run with all faults, its engine, and the digest that it had at the end."""
    engine = Engine(2)
    run = world.run(engine, commands(world.tape, world.begin), record=True)
    return run, engine, engine.digest()


def count(engine: Engine, name: str) -> int:
    return int(engine.counters[NUMBER[name]])


def of(events: Vector, kind: EventType) -> Vector:
    return events[events["type"] == kind]


def test_every_gap_is_healed_and_every_message_arrives(whole: tuple[Run, Engine, str], tape: Tape) -> None:
    run, engine, _ = whole
    assert count(engine, "gaps") > 3
    assert count(engine, "packets_recovery") == run.recovered > 0
    assert count(engine, "messages") == len(tape)
    events = run.events
    lost, regained = of(events, EventType.TRUST_LOST), of(events, EventType.TRUST_REGAINED)
    assert len(lost) == len(regained) == count(engine, "gaps")
    assert set(lost["info"].tolist()) == set(regained["info"].tolist()) == {int(TrustCause.GAP)}
    assert (regained["timestamp"] > lost["timestamp"]).all()
    # Trust is back one answer after the gap, or a few where more was missing by then.
    assert np.median(regained["timestamp"] - lost["timestamp"]) < 10 * LOSSY.recovery_ns
    assert count(engine, "bad_udp_checksum") + count(engine, "bad_ip_checksum") > 10
    assert events["sequence"].tolist() == list(range(len(events)))


def test_after_all_faults_the_books_are_those_of_a_clean_feed(whole: tuple[Run, Engine, str], tape: Tape) -> None:
    clean = Engine(2)
    World(tape, WorldConfig()).run(clean, commands(tape, 0))
    assert count(clean, "gaps") == count(clean, "packets_held") == 0
    snapshots = []
    for engine in (whole[1], clean):
        data = b"".join(command(Opcode.SNAPSHOT, symbol=symbol, parts=1, depth=255) for symbol in (0, 1))
        inputs = np.array([(1 << 60, 0, 64, Port.COMMAND), (1 << 60, 64, 64, Port.COMMAND)], INPUT)
        levels = of(engine.process(inputs, np.frombuffer(data, np.uint8)).events, EventType.BOOK_LEVEL)
        names = ["symbol", "side", "price", "quantity", "quantity2", "info"]
        snapshots.append([tuple(row) for row in levels[names].tolist()])
    assert snapshots[0] == snapshots[1]
    assert len(snapshots[0]) > 50


def test_two_runs_are_the_same_to_the_last_byte(whole: tuple[Run, Engine, str], tape: Tape) -> None:
    run, _, digest = whole
    again, world = Engine(2), World(tape, LOSSY)
    second = world.run(again, commands(tape, world.begin), record=True)
    assert second.digest() == run.digest()
    assert again.digest() == digest
    for first, other in zip(run.inputs(), second.inputs(), strict=True):
        assert (first == other).all()
    elsewhere = World(tape, WorldConfig(seed=10, faults_a=LOSSY.faults_a, common_loss=LOSSY.common_loss))
    assert elsewhere.run(Engine(2), commands(tape, elsewhere.begin)).digest() != run.digest()


def test_another_device_that_is_handed_the_recorded_inputs_does_the_same(whole: tuple[Run, Engine, str]) -> None:
    """Also when they are cut otherwise."""
    run, _, digest = whole
    inputs, buffer = run.inputs()
    assert len(inputs) == run.handed
    stamps = inputs["timestamp"].astype(np.int64)
    assert (np.diff(stamps) >= 0).all()
    assert set(inputs["port"].tolist()) == {int(port) for port in Port}
    other = Engine(2)
    batches = [other.process(part, buffer) for part in np.array_split(inputs, 313)]
    assert (np.concatenate([b.events for b in batches]) == run.events).all()
    assert b"".join(b.payload.tobytes() for b in batches) == run.payload.tobytes()
    assert other.digest() == digest


def test_events_and_venue_agree_on_every_fill(whole: tuple[Run, Engine, str]) -> None:
    run, _, _ = whole
    fills, executed = run.venue.fills, of(run.events, EventType.EXECUTED)
    arrived = fills["timestamp"] + LOSSY.venue.answer_latency_ns < run.world.end
    assert executed["value"].tolist() == fills["match_number"][arrived].tolist()
    assert executed["quantity"].tolist() == fills["shares"][arrived].tolist()
    assert (executed["timestamp"] == fills["timestamp"][arrived] + LOSSY.venue.answer_latency_ns).all()
    assert len(fills) > 20
    assert len(of(run.events, EventType.FAULT)) == 0
    counters = run.venue.counters
    assert counters["malformed"] == counters["rejected"] == 0
    sent = of(run.events, EventType.ORDER_SENT)
    assert counters["accepted"] + counters["replaced"] + counters["cancelled"] + counters["ignored"] >= len(sent)


def test_answers_come_after_both_latencies(whole: tuple[Run, Engine, str]) -> None:
    run, _, _ = whole
    sent = of(run.events, EventType.ORDER_SENT)
    sent_at = {int(e["order_id"]): int(e["timestamp"]) for e in sent if int(e["info"]) & 0xFF == 1}
    accepted = of(run.events, EventType.ACCEPTED)
    assert len(accepted) > 10
    for event in accepted:
        assert int(event["timestamp"]) - sent_at[int(event["order_id"])] == LOSSY.venue.latency_ns


class Prober:
    """A device that answers every n-th feed packet with an order, at once, and remembers what it was handed."""

    def __init__(self, stock: str, price: int, every: int) -> None:
        self.stock, self.price, self.every = stock, price, every
        self.seen: list[tuple[int, int, bytes]] = []
        self.orders = self.last = 0

    def process(self, inputs: Vector, buffer: Vector) -> SimpleNamespace:
        events, outputs, payload = np.zeros(0, EVENT.dtype), [], b""
        for time, at, length, port in inputs.tolist():
            assert time >= self.last
            self.last = time
            data = buffer[at : at + length].tobytes()
            if port != Port.TICK:
                self.seen.append((time, port, data))
            first = not self.orders
            if first or (port == Port.FEED_A and len(self.seen) % self.every == 0):
                packet = soupbintcp.login_request("me", "")
                if not first:
                    packet = soupbintcp.unsequenced(
                        ouch42.ENTER_ORDER.pack(
                            order_token=f"T{self.orders}", side="B", shares=10, stock=self.stock, price=self.price,
                            time_in_force=0, display="Y", capacity="P",
                        )
                    )  # fmt: skip
                self.orders += 1
                outputs.append((time, 0, len(payload), len(packet), 0))
                payload += packet
        return SimpleNamespace(
            events=events, outputs=np.array(outputs, OUTPUT), payload=np.frombuffer(payload, np.uint8)
        )


@pytest.mark.parametrize("latency", [(10_000, 10_000), (0, 1), (1_000_000, 0), (50_000_000, 100)])
def test_no_device_can_tell_how_its_inputs_were_cut(tape: Tape, latency: tuple[int, int]) -> None:
    """In single steps of time the world is the plain simulation: nothing is looked ahead."""
    small = tape.part(0, 2_500)
    config = WorldConfig(venue=VenueConfig(*latency, heartbeat_ns=300_000_000), tail_ns=100_000_000)
    price = 900_000_000
    seen = []
    for stepwise in (False, True):
        world, device = World(small, config), Prober(STOCKS[0], price, 7)
        run = world.start(device)
        if stepwise:
            while not run.finished:
                run.advance(run.now + 1_000_000)
                run._lookahead = 1
        else:
            run.finish()
        seen.append(device.seen)
        sent = {m["order_token"] for m in sequenced(device)}
        assert len(sent) == run.venue.counters["accepted"] + run.venue.counters["rejected"] > 20
    assert seen[0] == seen[1]


def sequenced(device: Prober) -> list[dict[str, object]]:
    packets = [p for _, port, data in device.seen if port == Port.SESSION for p in soupbintcp.packets(data)]
    return [ouch42.OUTBOUND.unpack(p.payload) for p in packets if p.code == "S"]


def test_commands_come_at_their_time_and_reactions_after_theirs(tape: Tape) -> None:
    world, answers = World(tape.part(0, 3_000)), []

    def react(events: Vector) -> list[tuple[int, bytes]]:
        for event in of(events, EventType.HEARTBEAT):
            answers.append((int(event["timestamp"]), int(event["tag"])))
        return [(0, command(Opcode.HEARTBEAT, tag=2)) for e in of(events, EventType.HEARTBEAT) if e["tag"] == 1]

    run = world.start(Engine(2), [(0, command(Opcode.HEARTBEAT, tag=1))], react=react, react_ns=123)
    run.schedule(world.begin + 5_000, command(Opcode.HEARTBEAT, tag=3))
    run.advance(world.begin + 1_000_000_000)
    assert run.now == world.begin + 1_000_000_000
    run.schedule(0, command(Opcode.HEARTBEAT, tag=4))  # over: now
    run.finish()
    begin = world.begin
    assert answers == [(begin, 1), (begin + 123, 2), (begin + 5_000, 3), (begin + 1_000_000_000, 4)]
    with pytest.raises(ValueError, match="64"):
        run.schedule(0, b"short")


def test_ticks_and_heartbeats_of_the_host_come_at_their_intervals(tape: Tape) -> None:
    world, device = World(tape.part(0, 500), LOSSY), Prober("NONE", 1, 1 << 40)
    world.run(device)
    beats = [time for time, port, data in device.seen if port == Port.COMMAND]
    assert beats == list(range(world.begin + 250_000_000, world.end, 250_000_000))
    ticks = world.inputs["timestamp"][world.inputs["port"] == Port.TICK]
    assert (np.diff(ticks.astype(np.int64)) == LOSSY.tick_ns).all()
    assert ticks[0] == world.begin + LOSSY.tick_ns


def test_a_lost_answer_is_asked_for_again(tape: Tape) -> None:
    engine = Engine(2)
    world = World(tape, WorldConfig(common_loss=CommonLoss(rate=0.0005, messages=200.0), recovery_loss=0.4))
    run = world.run(engine, commands(tape, world.begin, quoting=False))
    assert run.requests > count(engine, "gaps") > 0
    assert count(engine, "messages") == len(tape)


def test_without_recovery_a_gap_stays(tape: Tape) -> None:
    engine = Engine(2)
    config = WorldConfig(common_loss=CommonLoss(rate=0.0005), recovery_ns=None)
    world = World(tape, config)
    run = world.run(engine, commands(tape, world.begin))
    assert (run.requests, count(engine, "gaps")) == (0, 1)
    assert count(engine, "messages") < len(tape)
    assert len(of(run.events, EventType.TRUST_REGAINED)) == 0


def test_progress_is_told_and_ends_at_the_end(tape: Tape) -> None:
    said: list[Progress] = []
    world = World(tape)
    run = world.run(Engine(2), commands(tape, world.begin), progress=said.append)
    last = said[-1]
    assert (last.messages, last.of, last.time) == (len(tape), len(tape), world.end)
    assert (last.inputs, last.batches) == (run.handed, run.batches)
    assert [p.messages for p in said] == sorted(p.messages for p in said)


def test_events_need_not_be_kept(tape: Tape, whole: tuple[Run, Engine, str], world: World) -> None:
    run = world.run(Engine(2), commands(tape, world.begin), keep_events=False)
    assert len(run.events) == 0
    assert run.payload.tobytes() == whole[0].payload.tobytes()
    with pytest.raises(ValueError, match="record"):
        run.inputs()


class Subscribed:
    """A device that others command too, as those of ``drivers``."""

    def __init__(self) -> None:
        self.engine, self.listeners = Engine(2), []

    def process(self, inputs: Vector, buffer: Vector) -> object:
        batch = self.engine.process(inputs, buffer)
        for listener in list(self.listeners):
            listener(batch)
        return batch

    def subscribe(self, listener: object) -> object:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)


def test_orders_of_others_reach_the_venue_too(tape: Tape) -> None:
    world, device = World(tape), Subscribed()
    run = world.start(device, commands(tape, world.begin, quoting=False))
    halfway = (world.begin + world.end) // 2
    run.advance(halfway)
    book = run.venue.book
    bid = int(book.prices[np.flatnonzero(book.queues[::2, 0] >= 0)].max())
    order = command(
        Opcode.NEW_ORDER, symbol=0, side=0, strategy=1, price=bid // 100 * 100, quantity=70, time_in_force=0
    )
    device.process(np.array([(run.now, 0, 64, Port.COMMAND)], INPUT), np.frombuffer(order, np.uint8))
    run.advance(halfway + 1_000_000)
    sent = len(of(run.events, EventType.ORDER_SENT)) + len(of(run.events, EventType.ORDER_REFUSED))
    assert sent == 1
    assert run.venue.counters["accepted"] == len(of(run.events, EventType.ACCEPTED))
    run.close()
    assert device.listeners == []


def test_what_was_on_the_lines_can_be_written_and_read(whole: tuple[Run, Engine, str], tape: Tape, tmp_path: Path) -> None:
    run, _, _ = whole
    assert recording.write_feeds(tmp_path / "feeds.pcap", run.world.a, run.world.b) == len(run.world.a) + len(run.world.b)
    found = capture.capture(tmp_path / "feeds.pcap", verify=True)
    assert 0 < found.missing == len(tape) - len(found.tape)
    segments = recording.write_session(tmp_path / "session.pcap", run, midnight=1_600_000_000 * 10**9)
    packets = [(p.timestamp, frames.parse(p.data)) for p in pcap.read(tmp_path / "session.pcap")]
    assert len(packets) == segments
    streams = [b"".join(f.payload for _, f in packets if f.source == ip) for ip in (recording.CLIENT, recording.SERVER)]
    assert streams[0] == run.payload.tobytes()
    wire = run.venue.wire
    assert wire.log.tobytes().startswith(streams[1])
    for sender in (recording.CLIENT, recording.SERVER):
        ours = [f for _, f in packets if f.source == sender]
        following = ours[0].sequence_number + 1
        for frame in ours[1:]:
            assert frame.sequence_number == following
            following += len(frame.payload)


def test_impossible_worlds_are_refused(tape: Tape) -> None:
    for wrong in ({"tick_ns": -1}, {"recovery_ns": 0}, {"recovery_loss": 2.0}, {"tail_ns": -1}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            WorldConfig(**wrong)
    with pytest.raises(ValueError, match="without messages"):
        World(tape.part(0, 0))
    with pytest.raises(ValueError, match="react_ns"):
        World(tape.part(0, 10)).start(Engine(2), react=lambda events: [], react_ns=0)
