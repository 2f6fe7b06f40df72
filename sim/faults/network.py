"""Lines of a small world: datagrams that are lost, and streams that break.

A stream keeps bytes in order and loses none while it is whole, as TCP does. It can be *cut*, which both ends are told a while
later and what is on its way is gone; be *half-open*, which nobody is told and everything vanishes; and be slow.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sim.faults.clockwork import Clockwork

MILLISECOND = 1_000_000


@dataclass
class Weather:
    """How a datagram line is now; probabilities per packet."""

    loss: float = 0.0
    duplication: float = 0.0
    reordering: float = 0.0
    corruption: float = 0.0


class Line:
    """A way for datagrams.

    Parameters
    ----------
    clockwork : Clockwork
    dice : Random
    deliver : callable
    wrap : callable, optional
        Makes a packet of what is sent: checksums are there before anything is struck.
    delay_ns, jitter_ns, late_ns : int
        Of every packet; at most so much more, in order; at most so much more for one that is reordered or comes twice.
    counts : Counter
        Counts what it does.
    """

    def __init__(
        self,
        clockwork: Clockwork,
        dice: random.Random,
        deliver: Callable[[bytes], None],
        counts: Counter[str],
        *,
        wrap: Callable[[bytes], bytes] = bytes,
        delay_ns: int = 20_000,
        jitter_ns: int = 30_000,
        late_ns: int = 3 * MILLISECOND,
    ) -> None:
        self.weather = Weather()
        self._clockwork, self._dice, self._deliver, self._counts = clockwork, dice, deliver, counts
        self._delay, self._jitter, self._late, self._wrap = delay_ns, jitter_ns, late_ns, wrap
        self._last = 0

    def send(self, payload: bytes) -> None:
        """A packet goes in."""
        weather, dice = self.weather, self._dice
        payload = self._wrap(payload)
        if dice.random() < weather.loss:
            self._counts["packets lost"] += 1
            return
        due = self._clockwork.now + self._delay + dice.randrange(self._jitter + 1)
        if dice.random() < weather.reordering:
            self._counts["packets reordered"] += 1
            due += dice.randrange(1, self._late)
        else:
            self._last = due = max(due, self._last)
        self._clockwork.at(due, self._deliver, self._struck(payload))
        if dice.random() < weather.duplication:
            self._counts["packets duplicated"] += 1
            self._clockwork.at(due + dice.randrange(1, self._late), self._deliver, payload)

    def _struck(self, payload: bytes) -> bytes:
        if self._dice.random() >= self.weather.corruption:
            return payload
        self._counts["packets corrupted"] += 1
        damaged = bytearray(payload)
        damaged[self._dice.randrange(len(damaged))] ^= 1 << self._dice.randrange(8)
        return bytes(damaged)


class End(Protocol):
    """One end of a stream."""

    def received(self, data: bytes) -> None:
        """Bytes came."""

    def lost(self) -> None:
        """The connection is gone."""


class Stream:
    """A connection between a client and a server.

    Parameters
    ----------
    clockwork : Clockwork
    dice : Random
    delay_ns, jitter_ns : int
        Of each piece.

    Attributes
    ----------
    slow_ns : int
        So much later does everything come from now on.
    is_half_open : bool
        Everything vanishes from now on.
    """

    def __init__(self, clockwork: Clockwork, dice: random.Random, *, delay_ns: int = 50_000, jitter_ns: int = 50_000) -> None:
        self.slow_ns, self.is_half_open, self.is_open = 0, False, True
        self._clockwork, self._dice, self._delay, self._jitter = clockwork, dice, delay_ns, jitter_ns
        self._ends: list[End | None] = [None, None]
        self._due = [0, 0]

    def attach(self, side: int, end: End) -> None:
        """Who is at the client's (0) or the server's side (1)."""
        self._ends[side] = end

    def send(self, side: int, data: bytes) -> None:
        """Bytes from one side to the other."""
        if not self.is_open or self.is_half_open or not data:
            return
        way = self._delay + self._dice.randrange(self._jitter + 1) + self.slow_ns
        self._due[side] = max(self._due[side], self._clockwork.now + way)
        self._clockwork.at(self._due[side], self._arrive, 1 - side, data)

    def _arrive(self, side: int, data: bytes) -> None:
        end = self._ends[side]
        if self.is_open and not self.is_half_open and end is not None:
            end.received(data)

    def close(self, side: int) -> None:
        """One side closes, or its process dies: the other one is told when everything before has come."""
        self._ends[side] = None
        self._clockwork.at(max(self._due[side], self._clockwork.now + self._delay), self._closed, 1 - side)

    def _closed(self, side: int) -> None:
        end, self._ends[side] = self._ends[side], None
        self.is_open = False
        if end is not None and not self.is_half_open:
            end.lost()

    def cut(self, after_ns: int = MILLISECOND) -> None:
        """The line breaks; both sides are told after a while."""
        self.is_open = False
        for side in (0, 1):
            end, self._ends[side] = self._ends[side], None
            if end is not None:
                self._clockwork.after(after_ns, end.lost)
