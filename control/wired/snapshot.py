"""The books as the exchange's snapshot server (in the way of GLIMPSE) tells them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from control.gateway.soupbin import Client
from control.wired.conversation import Address, Conversation, UnreachableError
from wire import itch

if TYPE_CHECKING:
    from sim.sources.tape import Tape

_END = b"G"


@dataclass(frozen=True)
class Snapshot:
    """A snapshot.

    Parameters
    ----------
    session : str
        Of the server.
    sequence : int
        Number of the feed's message from which to go on.
    messages : tuple of bytes
        ITCH, as it came.
    """

    session: str
    sequence: int
    messages: tuple[bytes, ...]

    @cached_property
    def tape(self) -> Tape:
        """The messages as a tape."""
        from sim.sources.messages import tape_of

        return tape_of(np.frombuffer(b"".join(self.messages), np.uint8))

    @cached_property
    def locates(self) -> dict[str, int]:
        """Every stock's number on this day."""
        return {listing.stock: listing.stock_locate for listing in self.tape.listings()}

    @cached_property
    def orders(self) -> int:
        """How many orders there are."""
        return sum(message[0] in b"AF" for message in self.messages)

    def of(self, locates: set[int]) -> list[bytes]:
        """What sets the books of some stocks: states, restrictions, orders; then whether the market is open."""
        found = [each for each in self.messages if each[0] in b"HYAF" and int.from_bytes(each[1:3], "big") in locates]
        return found + [each for each in self.messages if each[0] == ord("S")]


def fetch(address: Address, seconds: float) -> Snapshot:
    """A snapshot of now.

    Raises
    ------
    UnreachableError, RefusedError
        There is none to be had.
    """
    found: list[bytes] = []
    with Conversation(address, Client("", "", sequence=0), seconds) as talk:
        while True:
            message = talk.message()
            if message[:1] == _END:
                try:
                    return Snapshot(talk.login.session, int(message[1:]), tuple(found))
                except ValueError as error:
                    raise UnreachableError(f"{address}: a snapshot for message {message[1:]!r}") from error
            if not message or len(message) != int(itch.ITCH.lengths[message[0]]):
                raise UnreachableError(f"{address}: message {len(found) + 1} is no ITCH: {message[:40].hex()}")
            found.append(message)
