"""What a network does to a feed, from a seed: loss, duplication, reordering, delay, jitter, flipped bits.

Works on the whole schedule of a day at once. Each feed and each kind of fault has random numbers of its own, so that
changing one leaves the others as they were.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.publisher import FIRST_SEQUENCE, Packets
from sim.sources.tape import Vector

# streams of random numbers
_LOSS, _DUPLICATION, _REORDERING, _JITTER, _CORRUPTION, _COMMON = range(6)


@dataclass(frozen=True, slots=True)
class FaultConfig:
    """The way from the exchange to us on one feed. Probabilities are per packet and independent.

    Parameters
    ----------
    loss, duplication, reordering, corruption : float
        A packet is lost; comes twice; comes late, behind others; has one bit flipped.
    delay_ns : int
        Every packet's way.
    jitter_ns : int
        At most so much more, uniform; packets keep their order.
    late_ns : int
        At most so much later comes a reordered packet, or the second copy of a duplicated one; uniform from 1.

    One bit: what is worse does not pass the frame check sequence of the link.
    """

    loss: float = 0.0
    duplication: float = 0.0
    reordering: float = 0.0
    corruption: float = 0.0
    delay_ns: int = 1_000
    jitter_ns: int = 0
    late_ns: int = 50_000

    def __post_init__(self) -> None:
        for name in ("loss", "duplication", "reordering", "corruption"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} {getattr(self, name)}: a probability is 0 to 1")
        for name in ("delay_ns", "jitter_ns"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} {getattr(self, name)}: not negative")
        if self.late_ns < 1:
            raise ValueError(f"late_ns {self.late_ns}: at least 1")


@dataclass(frozen=True, slots=True)
class CommonLoss:
    """Loss of the same messages on both feeds, which is what makes gaps.

    ``rate`` is the probability per message that a hole begins with it, ``messages`` the mean length of a hole
    (geometric). A packet with any message of a hole is lost.
    """

    rate: float = 0.0
    messages: float = 3.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.rate <= 1.0 or self.messages < 1.0:
            raise ValueError(f"{self}: rate is 0 to 1, messages at least 1")


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Frames as they arrive: frame ``i`` is ``buffer[offsets[i] : offsets[i] + lengths[i]]`` at ``timestamps[i]``.

    ``packets`` says which packet of the publisher each was. The counts say what was done.
    """

    buffer: Vector
    offsets: Vector
    lengths: Vector
    timestamps: Vector
    packets: Vector
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0
    corrupted: int = 0

    def __len__(self) -> int:
        return len(self.offsets)


def holes(messages: int, config: CommonLoss, seed: int) -> Vector:
    """Which of the messages are lost on both feeds, ``bool``."""
    rng = np.random.default_rng([seed, _COMMON])
    starts = np.flatnonzero(rng.random(messages) < config.rate)
    lengths = rng.geometric(1 / config.messages, len(starts))
    depth = np.zeros(messages + 1, np.int64)
    np.add.at(depth, starts, 1)
    np.add.at(depth, np.minimum(starts + lengths, messages), -1)
    return np.cumsum(depth[:-1]) > 0


def arrivals(
    packets: Packets,
    config: FaultConfig = FaultConfig(),
    *,
    seed: int = 0,
    feed: int = 0,
    holes: Vector | None = None,
    first_sequence: int = FIRST_SEQUENCE,
) -> Arrivals:
    """How the packets of one feed arrive.

    Parameters
    ----------
    packets : Packets
    config : FaultConfig
    seed, feed : int
        Choose the random numbers.
    holes : bool or None
        Messages that are lost whatever happens, by place on the tape; see :func:`holes`.
    first_sequence : int
        Number of the tape's first message.
    """
    count = len(packets)

    def random(stream: int) -> np.random.Generator:
        return np.random.default_rng([seed, 1 + feed, stream])

    def chance(stream: int, probability: float, size: int) -> Vector:
        return random(stream).random(size) < probability if probability else np.zeros(size, bool)

    keep = ~chance(_LOSS, config.loss, count)
    if holes is not None and len(holes):
        before = np.append(0, np.cumsum(holes))
        first = np.clip(packets.sequences - first_sequence, 0, len(holes))
        keep &= before[np.minimum(first + packets.counts, len(holes))] == before[first]
    kept = np.flatnonzero(keep)

    times = packets.timestamps[kept] + config.delay_ns
    if config.jitter_ns:
        times = times + random(_JITTER).integers(0, config.jitter_ns + 1, count)[kept]
    times = np.maximum.accumulate(times) if len(times) else times
    late = chance(_REORDERING, config.reordering, count)[kept]
    times = times + late * random(_REORDERING + 16).integers(1, config.late_ns + 1, count)[kept]
    twice = np.flatnonzero(chance(_DUPLICATION, config.duplication, count)[kept])
    second = times[twice] + random(_DUPLICATION + 16).integers(1, config.late_ns + 1, count)[kept[twice]]
    which, times = np.concatenate([kept, kept[twice]]), np.concatenate([times, second])
    order = np.argsort(times, kind="stable")
    which, times = which[order], times[order]

    offsets, lengths = packets.offsets[which], packets.lengths[which]
    buffer = packets.buffer
    struck = np.flatnonzero(chance(_CORRUPTION, config.corruption, len(which)))
    if len(struck):
        bits = random(_CORRUPTION + 16).random(len(struck)) * (8 * lengths[struck])
        damaged, at = [buffer], len(buffer)
        for i, bit in zip(struck.tolist(), bits.astype(np.int64).tolist(), strict=True):
            frame = buffer[offsets[i] : offsets[i] + lengths[i]].copy()
            frame[bit >> 3] ^= 1 << (bit & 7)
            damaged.append(frame)
            offsets[i] = at
            at += len(frame)
        buffer = np.concatenate(damaged)
    return Arrivals(
        buffer=buffer,
        offsets=offsets,
        lengths=lengths,
        timestamps=times,
        packets=which,
        lost=count - len(kept),
        duplicated=len(twice),
        reordered=int(np.count_nonzero(late)),
        corrupted=len(struck),
    )
