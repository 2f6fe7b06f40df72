"""Two of our own sessions facing each other over a line that can be cut, on a clock that is moved by hand."""

import random
from pathlib import Path

from control.gateway.fix.connection import Connection
from control.gateway.fix.session import Session, State
from control.gateway.fix.settings import SECOND, Identity, Settings
from control.gateway.fix.store import FileStore, MemoryStore, Store
from wire.fix.message import Message

START = 1_795_733_411 * SECOND


class Inbox:
    """Keeps what came in."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.events: list[str] = []

    def on_logon(self, session: Session) -> None:
        self.events.append("logon")

    def on_logout(self, session: Session, reason: str) -> None:
        self.events.append(reason)

    def may_resend(self, session: Session, message: Message) -> bool:
        return True

    def on_message(self, session: Session, message: Message) -> None:
        self.texts.append(message.text(11))


class Side:
    """One session with its store and inbox; ``restart`` is the process dying and coming back."""

    def __init__(self, version: str, initiator: bool, path: Path | None, **settings: object) -> None:
        names = ("ONE", "TWO") if initiator else ("TWO", "ONE")
        self.settings = Settings(Identity(version, *names), initiator=initiator, **settings)  # type: ignore[arg-type]
        self.path, self.inbox, self.sent = path, Inbox(), list[str]()
        self.store: Store = FileStore(path) if path else MemoryStore()
        self.session = Session(self.settings, self.store, self.inbox)
        self.connection: Connection | None = None

    def restart(self) -> None:
        self.connection = None
        if self.path is not None:
            self.store.close()
            self.store = FileStore(self.path)
        self.session = Session(self.settings, self.store, self.inbox)

    def order(self, now: int) -> None:
        name = f"{self.settings.identity.sender}-{len(self.sent)}"
        self.sent.append(name)
        body = [(11, name), (55, "MSFT"), (54, 1), (60, "20261126-12:00:00"), (38, 100), (40, 1), (21, 1)]
        self.session.send("D", sorted(body), now)


class Pair:
    """The two sides, and the bytes between them."""

    def __init__(self, version: str = "FIX.4.4", folder: Path | None = None, **settings: object) -> None:
        paths = (folder / "one", folder / "two") if folder else (None, None)
        self.sides = (Side(version, True, paths[0], **settings), Side(version, False, paths[1], **settings))
        self.flying = [bytearray(), bytearray()]
        """Bytes under way, to each side."""
        self.now = START

    @property
    def connected(self) -> bool:
        return self.sides[0].connection is not None

    def connect(self) -> None:
        one, two = self.sides
        one.connection, two.connection = Connection(one.session), Connection(choose=lambda message: two.session)
        self.flying = [bytearray(), bytearray()]
        one.session.connect(self.now)
        self.collect()

    def cut(self) -> None:
        """What was under way is lost."""
        self.flying = [bytearray(), bytearray()]
        for side in self.sides:
            if side.connection is not None:
                side.connection.lost(self.now)
                side.connection = None

    def collect(self) -> None:
        for n, side in enumerate(self.sides):
            if side.connection is not None:
                self.flying[1 - n] += side.connection.take_output()

    def deliver(self, to: int, size: int) -> None:
        """Up to ``size`` bytes arrive at one side."""
        side = self.sides[to]
        piece = bytes(self.flying[to][:size])
        del self.flying[to][:size]
        if side.connection is not None and piece:
            side.connection.receive(piece, self.now)
            self.collect()

    def closing(self) -> bool:
        return any(side.connection is not None and side.connection.closing for side in self.sides)

    def tick(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)
        for side in self.sides:
            side.session.tick(self.now)
        self.collect()

    def settle(self, rounds: int = 400) -> None:
        """Everything under way arrives, and what that causes; a connection that ends is made again."""
        for _ in range(rounds):
            if not self.connected or self.closing():
                self.cut()
                self.connect()
            if not any(self.flying) and all(side.session.state == State.LOGGED_ON for side in self.sides):
                return
            for to in (0, 1):
                self.deliver(to, len(self.flying[to]))
        raise AssertionError(f"no rest: {[side.session for side in self.sides]}")

    def trouble(self, rng: random.Random, steps: int, crashes: bool) -> None:
        """Orders, pieces of the stream, cuts and, if wanted, crashes, at random."""
        for _ in range(steps):
            what = rng.random()
            if not self.connected or self.closing():
                self.cut()
                self.connect()
            elif what < 0.30:
                rng.choice(self.sides).order(self.now)
                self.collect()
            elif what < 0.90:
                to = rng.randrange(2)
                self.deliver(to, rng.choice((1, 7, 60, 200, 1_000, 10_000)))
            elif what < 0.94:
                self.tick(rng.choice((0.1, 1.0, 31.0)))
            elif what < 0.98 or not crashes:
                self.cut()
                if rng.random() < 0.5:
                    rng.choice(self.sides).order(self.now)
            else:
                self.cut()
                rng.choice(self.sides).restart()
