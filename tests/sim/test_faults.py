"""Loss, duplication, reordering, delay and corruption do what their numbers say."""

import numpy as np
import pytest

from sim.faults import CommonLoss, FaultConfig, arrivals, holes
from sim.publisher import FEED_B, FeedConfig, Packets, publish
from sim.sources.flow import FlowConfig, flow
from sim.sources.tape import Tape


@pytest.fixture(scope="module")
def tape() -> Tape:
    return flow(FlowConfig(seed=7, messages=60_000))


@pytest.fixture(scope="module")
def packets(tape: Tape) -> Packets:
    return publish(tape)


def assert_rate(count: int, of: int, rate: float) -> None:
    """Within five standard errors of a binomial sample."""
    assert abs(count - of * rate) < 5 * (of * rate * (1 - rate)) ** 0.5


def test_without_faults_every_packet_arrives_in_order_after_its_delay(packets: Packets) -> None:
    found = arrivals(packets, FaultConfig(delay_ns=777))
    assert (found.packets == np.arange(len(packets))).all()
    assert (found.timestamps == packets.timestamps + 777).all()
    assert (found.offsets == packets.offsets).all()


def test_each_fault_comes_as_often_as_it_should(packets: Packets, seed: int) -> None:
    rates = {"loss": 0.02, "duplication": 0.03, "reordering": 0.04, "corruption": 0.05}
    found = arrivals(packets, FaultConfig(**rates), seed=seed)
    assert_rate(found.lost, len(packets), 0.02)
    assert_rate(found.duplicated, len(packets) - found.lost, 0.03)
    assert_rate(found.reordered, len(packets) - found.lost, 0.04)
    assert_rate(found.corrupted, len(found), 0.05)
    copies = np.bincount(found.packets, minlength=len(packets))
    assert (copies == 0).sum() == found.lost
    assert (copies == 2).sum() == found.duplicated
    assert copies.max() <= 2
    assert (np.diff(found.timestamps) >= 0).all()


def test_losses_of_the_two_feeds_are_independent(packets: Packets, seed: int) -> None:
    config = FaultConfig(loss=0.1)
    lost = []
    for feed in (0, 1):
        there = np.zeros(len(packets), bool)
        there[arrivals(packets, config, seed=seed, feed=feed).packets] = True
        lost.append(~there)
    assert_rate(int((lost[0] & lost[1]).sum()), len(packets), 0.01)


def test_one_fault_does_not_change_the_numbers_of_another(packets: Packets, seed: int) -> None:
    few = arrivals(packets, FaultConfig(loss=0.1), seed=seed)
    many = arrivals(packets, FaultConfig(loss=0.1, corruption=0.2, duplication=0.2, jitter_ns=900), seed=seed)
    assert set(few.packets.tolist()) == set(many.packets.tolist())


def test_the_same_seed_gives_the_same_arrivals_and_another_does_not(packets: Packets, seed: int) -> None:
    config = FaultConfig(0.1, 0.1, 0.1, 0.1, 100, 1_000, 10_000)
    one, same, other = (arrivals(packets, config, seed=n) for n in (seed, seed, seed + 1))
    for name in ("buffer", "offsets", "lengths", "timestamps", "packets"):
        assert (getattr(one, name) == getattr(same, name)).all()
    assert one.packets.tolist() != other.packets.tolist()


def test_late_packets_are_late_by_no_more_than_said(packets: Packets, seed: int) -> None:
    config = FaultConfig(reordering=0.5, duplication=0.5, delay_ns=100, jitter_ns=50, late_ns=3_000)
    found = arrivals(packets, config, seed=seed)
    extra = found.timestamps - packets.timestamps[found.packets] - 100
    # Order is kept up to the jitter of the packets before: none waits longer than for its own and theirs.
    assert extra.min() >= 0
    assert extra.max() <= 50 + 2 * 3_000
    assert (np.diff(found.packets) < 0).any()


def test_jitter_alone_never_reorders(packets: Packets, seed: int) -> None:
    found = arrivals(packets, FaultConfig(jitter_ns=1_000_000), seed=seed)
    assert (np.diff(found.packets) > 0).all()


def test_corruption_flips_one_bit_of_a_copy(packets: Packets, seed: int) -> None:
    before = packets.buffer.copy()
    found = arrivals(packets, FaultConfig(corruption=0.01, duplication=0.5), seed=seed)
    assert (packets.buffer == before).all()
    differing = 0
    for i in range(len(found)):
        at, length = int(found.offsets[i]), int(found.lengths[i])
        if at >= len(before):
            frame = found.buffer[at : at + length]
            original = np.frombuffer(packets[int(found.packets[i])], np.uint8)
            assert np.unpackbits(frame ^ original).sum() == 1
            differing += 1
    assert differing == found.corrupted > 100


def test_a_common_hole_is_missing_on_both_feeds_whatever_their_packets(tape: Tape, seed: int) -> None:
    config = CommonLoss(rate=0.002, messages=5.0)
    missing = holes(len(tape), config, seed)
    starts = np.flatnonzero(missing & ~np.append(False, missing[:-1]))
    # Holes that overlap count once; with 0.2 % they are 1 % at most.
    assert_rate(len(starts), len(tape), 0.002 * (1 - 0.004))
    assert abs(missing.sum() / len(starts) - 5.0) < 5 * 5.0 / len(starts) ** 0.5
    wide = FeedConfig(address=FEED_B.address, window_ns=2_000_000)
    for feed, packets in enumerate((publish(tape), publish(tape, wide))):
        there = np.zeros(len(tape), bool)
        found = arrivals(packets, seed=seed, feed=feed, holes=missing)
        for i in found.packets.tolist():
            first = int(packets.sequences[i]) - 1
            there[first : first + int(packets.counts[i])] = True
        assert not (there & missing).any()
        if feed == 0:  # what else is lost shares a packet with the hole
            assert (~there).sum() < 2 * missing.sum()


@pytest.mark.parametrize("wrong", [{"loss": 1.1}, {"corruption": -0.1}, {"delay_ns": -1}, {"late_ns": 0}])
def test_impossible_faults_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        FaultConfig(**wrong)
