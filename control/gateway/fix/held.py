"""A store whose expected number may run ahead of what is on record, while what came with it is not safe yet."""

from __future__ import annotations

from pathlib import Path

from control.gateway.fix.store import EXPECT, FileStore


class HeldStore(FileStore):
    """A file store for an application that journals what it is told.

    A message that is held counts as received for the session, and on record it does not: a process that is killed before
    `release` gets it again, with PossDupFlag. For what it sent itself it is a `FileStore`.
    """

    def __init__(self, path: Path, *, durable: bool = False) -> None:
        self._held: dict[int, object] = {}
        super().__init__(path, durable=durable)
        self._recorded = self.next_expected

    def hold(self, number: int) -> object:
        """The message with this number is not safe yet; what `release` wants."""
        self._held[number] = token = object()
        return token

    def release(self, number: int, token: object) -> None:
        """It is. A token of before a `reset` means nothing any more."""
        if self._held.get(number) is not token:
            return
        del self._held[number]
        self._record()

    def expect(self, number: int) -> None:
        """See `Store`."""
        self.next_expected = number
        self._record()

    def reset(self, now: int) -> None:
        """See `Store`."""
        self._held.clear()
        super().reset(now)
        self._recorded = self.next_expected

    def _record(self) -> None:
        safe = min(self._held, default=self.next_expected)
        if safe == self._recorded:
            return
        ahead, self._recorded = self.next_expected, safe
        self._append(EXPECT, safe)
        self.next_expected = ahead
