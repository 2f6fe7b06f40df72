"""The lease's machine, driven through a simulated bucket: late answers, lost ones, pauses. No NATS and no clock here."""

import heapq
import random
from dataclasses import replace

import pytest

from control.failover.lease import Entry, Machine, State, Write, unpack
from control.failover.stream import ReplicationError

TTL, MARGIN = 1_000, 300


def machine(name: str, *, stops: bool = True, wanted: bool = True) -> Machine:
    made = Machine(name, TTL, margin_ns=MARGIN, stops=stops)
    made.wanted = wanted
    return made


class Bucket:
    """Compare and set."""

    def __init__(self) -> None:
        self.revision, self.entry = 0, None

    def write(self, write: Write) -> int | None:
        if write.revision != self.revision:
            return None
        self.revision, self.entry = self.revision + 1, write.entry
        return self.revision


def see(one: Machine, bucket: Bucket, now: int) -> None:
    one.observe(now, bucket.revision, bucket.entry)


def take(one: Machine, bucket: Bucket, now: int) -> None:
    see(one, bucket, now)
    write = one.poll(now)
    assert write is not None
    one.answer(now, bucket.write(write))


def test_the_first_one_takes_it_and_the_second_waits_for_ttl_and_margin_after_what_it_saw() -> None:
    bucket, first, second = Bucket(), machine("a"), machine("b")
    take(first, bucket, 0)
    assert (first.state, first.epoch) == (State.HELD, 1)
    see(second, bucket, 500)  # written at 0, seen at 500: it counts from 500
    assert second.poll(500 + TTL + MARGIN - 1) is None
    take(second, bucket, 500 + TTL + MARGIN)
    assert (second.state, second.epoch) == (State.HELD, 2)
    assert not first.held(TTL)


def test_it_is_lost_ttl_after_the_last_renewal_was_sent_not_answered() -> None:
    bucket, one = Bucket(), machine("a")
    take(one, bucket, 0)
    write = one.poll(400)
    assert write is not None
    one.answer(900, bucket.write(write))  # the answer took 500
    assert one.deadline == 400 + TTL
    assert one.held(400 + TTL - 1)
    one.expire(400 + TTL)
    assert (one.state, one.reason) == (State.LOST, "epoch 1 was not renewed for 1e-06 s")


def test_a_write_whose_answer_was_lost_counts_from_when_it_was_sent() -> None:
    bucket, one = Bucket(), machine("a")
    take(one, bucket, 0)
    write = one.poll(400)
    assert write is not None
    bucket.write(write)
    one.silence(600)
    assert one.poll(600) is None, "what became of the write has to be seen first"
    see(one, bucket, 700)
    assert one.deadline == 400 + TTL


def test_a_write_that_arrives_after_it_was_sent_again_is_one_renewal() -> None:
    bucket, one = Bucket(), machine("a")
    take(one, bucket, 0)
    late = one.poll(400)
    one.silence(600)
    see(one, bucket, 600)  # it has not arrived
    again = one.poll(650)
    assert late is not None
    assert again is not None
    bucket.write(late)
    one.answer(700, bucket.write(again))  # refused: the first one was quicker
    see(one, bucket, 750)
    assert (one.state, one.deadline) == (State.HELD, 400 + TTL)


def test_another_holder_is_seen_at_once() -> None:
    bucket, one = Bucket(), machine("a")
    take(one, bucket, 0)
    bucket.write(Write(replace(bucket.entry, holder="b", epoch=2), 1))
    write = one.poll(400)
    assert write is not None
    one.answer(410, bucket.write(write))
    assert one.reads
    see(one, bucket, 420)
    assert (one.state, one.reason) == (State.LOST, "epoch 2 belongs to b")


def test_an_answer_that_comes_late_changes_nothing() -> None:
    bucket, one, other = Bucket(), machine("a"), machine("b")
    take(one, bucket, 0)
    see(other, bucket, 10)
    other.observe(20, 0, None)  # a server that was behind
    assert not other.free(20)


def test_a_holder_that_does_not_stop_is_silent_for_ever_unless_it_is_forced() -> None:
    bucket, local, standby = Bucket(), machine("a", stops=False), machine("b")
    take(local, bucket, 0)
    see(standby, bucket, 0)
    assert local.held(10**12)
    assert not standby.free(10**12)
    standby.forced = True
    assert standby.free(TTL + MARGIN)
    assert not standby.free(TTL + MARGIN - 1)


def test_the_epoch_rises_above_the_streams_even_if_the_bucket_was_lost() -> None:
    bucket, one = Bucket(), machine("a")
    one.floor = 41
    take(one, bucket, 0)
    assert one.epoch == 42


def test_given_back_it_is_free_at_once_and_what_was_acknowledged_stays_known() -> None:
    bucket, one, two = Bucket(), machine("a"), machine("b")
    take(one, bucket, 0)
    one.acknowledged = 77
    write = one.released()
    assert write is not None
    bucket.write(write)
    take(two, bucket, 1)
    assert two.epoch == 2
    assert bucket.entry.acknowledged == 77, "who acknowledged nothing yet does not hide what was"


def test_what_is_no_entry_is_told() -> None:
    assert unpack(b"") is None
    with pytest.raises(ReplicationError, match=r"lease: b'\{\}' is none"):
        unpack(b"{}")
    entry = Entry("a", 1, 2, 3, 4, True)
    assert unpack(entry.pack()) == entry


# -- many contenders, everything goes wrong ------------------------------------------------------------


def simulate(seed: int, *, wait: float = 1.0) -> dict[str, int]:
    """Contenders on clocks of their own, with answers that come late or never, writes that arrive late, and pauses.

    ``wait`` is what a contender takes ``ttl`` times: the mutation. Counts moments at which two held it by their own clocks,
    while both could run.
    """
    draw = random.Random(seed)
    bucket, events, count = Bucket(), [], 0
    names = "abc"
    machines = {name: machine(name) for name in names}
    offsets = {name: draw.randrange(10**6) for name in names}
    rates = {name: draw.uniform(0.96, 1.04) for name in names}
    paused = dict.fromkeys(names, 0)
    lives = dict.fromkeys(names, 0)
    result = {"taken": 0, "overlaps": 0, "pauses": 0, "lost": 0}
    epochs: list[int] = []

    def clock(name: str, now: int) -> int:
        return offsets[name] + int(now * rates[name])

    def at(when: int, what, *arguments) -> None:
        nonlocal count
        count += 1
        heapq.heappush(events, (when, count, what, arguments))

    def arrive(now: int, name: str, life: int, write: Write, answered: bool) -> None:
        revision = bucket.write(write)
        if answered:
            at(now + draw.randrange(1, 150), answer, name, life, revision)

    def answer(now: int, name: str, life: int, revision: int | None) -> None:
        if lives[name] == life:
            machines[name].answer(clock(name, now), revision)

    def look(now: int, name: str, life: int, revision: int, entry: Entry | None) -> None:
        if lives[name] == life:
            machines[name].observe(clock(name, now), revision, entry)

    def turn(now: int, name: str) -> None:
        at(max(paused[name], now + draw.randrange(60, 200)), turn, name)
        if now < paused[name]:
            return
        one = machines[name]
        if one.state is State.LOST:
            lives[name] += 1
            result["lost"] += 1
            machines[name] = one = machine(f"{name}{lives[name]}")
        before = one.state
        write = one.poll(clock(name, now))
        if write is not None:
            way = draw.randrange(1, 700 if draw.random() < 0.1 else 60)
            if draw.random() < 0.9:
                at(now + way, arrive, name, lives[name], write, draw.random() < 0.8)
        if one.reads and draw.random() < 0.9:
            at(now + draw.randrange(1, 120), look, name, lives[name], bucket.revision, bucket.entry)
        if before is State.HELD and draw.random() < 0.02:
            paused[name] = now + draw.randrange(100, 4_000)
            result["pauses"] += 1
        if wait != 1.0:
            one.seen = replace(one.seen, ttl_ns=int(TTL * wait)) if one.seen and one.state is State.FOLLOWING else one.seen

    for name in names:
        at(draw.randrange(200), turn, name)
    while events and events[0][0] < 200_000:
        now, _, what, arguments = heapq.heappop(events)
        what(now, *arguments)
        holders = [name for name in names if machines[name].held(clock(name, now)) and now >= paused[name]]
        result["overlaps"] += len(holders) > 1
        if bucket.entry and (not epochs or bucket.entry.epoch != epochs[-1]):
            epochs.append(bucket.entry.epoch)
    assert epochs == sorted(set(epochs)), "the epoch only rises"
    result["taken"] = len(epochs)
    return result


@pytest.mark.parametrize("seed", range(20))
def test_no_two_hold_it_at_once_whatever_is_late_or_lost(seed: int) -> None:
    result = simulate(seed)
    assert result["overlaps"] == 0
    assert result["taken"] > 5
    assert result["pauses"] > 5


def test_who_does_not_wait_long_enough_is_found() -> None:
    assert sum(simulate(seed, wait=0.2)["overlaps"] for seed in range(5)) > 0
