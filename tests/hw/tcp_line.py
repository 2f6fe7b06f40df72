"""A line that loses, doubles, delays and damages frames, from a seed."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

TCP_AT, TCP_WORDS_AT = 34, 46
"""In a frame: the segment, and its byte with the length of the header."""


@dataclass
class Faults:
    """What the line does to frames of one direction, from a seed. Probabilities, and a longest delay in cycles."""

    seed: int = 0
    loss: float = 0.0
    duplication: float = 0.0
    delay: float = 0.0
    longest_delay: int = 2000
    flip: float = 0.0
    done: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._waiting: list[tuple[int, int, bytes, bool]] = []
        self._number = 0

    def put(self, now: int, frame: bytes) -> None:
        """A frame enters the line."""
        draw = self._random
        if draw.random() < self.loss:
            self.done["lost"] += 1
            return
        for _ in range(1 + (draw.random() < self.duplication)):
            late = draw.randrange(self.longest_delay) if draw.random() < self.delay else 0
            flip = draw.random() < self.flip
            self._number += 1
            self._waiting.append((now + late, self._number, self._flipped(frame) if flip else frame, flip))
        self._waiting.sort()

    def _flipped(self, frame: bytes) -> bytes:
        """A bit that nothing but the TCP checksum covers: behind the ports, and not in the header's length."""
        end = 14 + int.from_bytes(frame[16:18], "big")
        at = self._random.choice([n for n in range(TCP_AT + 4, end) if n != TCP_WORDS_AT])
        changed = bytearray(frame)
        changed[at] ^= 1 << self._random.randrange(8)
        return bytes(changed)

    def take(self, now: int) -> list[bytes]:
        """The frames that leave the line by now."""
        leaving = [each for each in self._waiting if each[0] <= now]
        del self._waiting[: len(leaving)]
        self.done["passed"] += len(leaving)
        self.done["flipped"] += sum(flip for _, _, _, flip in leaving)
        return [frame for _, _, frame, _ in leaving]
