"""A FIX client in this process, facing an order-entry session over bytes: no sockets, no threads, a clock by hand."""

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace

from control.gateway.clients import OrderEntry
from control.gateway.fix.connection import Connection
from control.gateway.fix.session import Session, State
from control.gateway.fix.settings import Identity, Settings
from control.gateway.fix.store import MemoryStore
from control.gateway.reports import Reporting
from tests.control.order_desk import Trading
from wire.fix.message import Message


class Client:
    """The client's side: its session, and every application message that came, as tag to text."""

    def __init__(self, version: str = "FIX.4.4", name: str = "CLIENT") -> None:
        self.version, self.settings = version, Settings(Identity(version, name, "HAIRPIN"), initiator=True)
        self.now = 1_795_733_411_000_000_000
        self.session = Session(self.settings, MemoryStore(), self, lambda: self.now)
        self.came: list[dict[int, str]] = []
        self.problems: list[str] = []

    def on_logon(self, session: Session) -> None: ...

    def on_logout(self, session: Session, reason: str) -> None: ...

    def may_resend(self, session: Session, message: Message) -> bool:
        return True

    def on_message(self, session: Session, message: Message) -> None:
        self.came.append({tag: bytes(value).decode() for tag, value in message})

    def send(self, kind: str, fields: dict[int, object], header: dict[int, str] | None = None) -> None:
        times = {60: "20261126-12:00:00"} if kind in "DFG" else {}
        hand = {21: "1"} if self.version == "FIX.4.2" and kind in "DG" else {}
        body = sorted({**times, **hand, **fields}.items())
        self.session.send(kind, [(tag, str(value)) for tag, value in body], header=list((header or {}).items()))

    def order(self, name: str, header: dict[int, str] | None = None, **changes: object) -> None:
        usual: dict[str, object] = {"t11": name, "t55": "AMZN", "t54": 1, "t38": 100, "t40": 2, "t44": "219.50"}
        fields = {int(tag[1:]): value for tag, value in (usual | changes).items() if value is not None}
        self.send("D", fields, header)

    def cancel(self, name: str, original: str, header: dict[int, str] | None = None) -> None:
        self.send("F", {11: name, 41: original, 55: "AMZN", 54: 1, 38: 100}, header)

    def replace(self, name: str, original: str, price: str, quantity: int) -> None:
        self.send("G", {11: name, 41: original, 55: "AMZN", 54: 1, 38: quantity, 40: 2, 44: price})


class Line:
    """The wire between a client and our session of a kind, with the trading behind it."""

    def __init__(self, made: Trading, ours: Reporting, client: Client) -> None:
        self.made, self.ours, self.client = made, ours, client
        self.queue: list[Callable[[], None]] = []
        ours.run = self.queue.append
        ours.clock = ours.session._clock = lambda: client.now
        ours.owner = SimpleNamespace(ask=self._ask, flow=made.flow, desk=made.desk)  # type: ignore[assignment]
        made.flow.subscribe(ours.hear)
        self.ends: tuple[Connection, Connection] | None = None

    def _ask(self, question: Callable[[object], object]) -> Future[object]:
        self.made.later.append(lambda: question(None))
        return Future()

    def connect(self) -> None:
        self.ends = (Connection(self.client.session), Connection(choose=lambda _: self.ours.session))
        self.client.session.connect(self.client.now)
        self.settle()
        assert self.ours.session.state == State.LOGGED_ON

    def cut(self) -> None:
        assert self.ends is not None
        for end in self.ends:
            end.lost(self.client.now)
        self.ends = None

    def die(self) -> None:
        """Our side ends as a process does that is killed: only the client sees that the line is gone."""
        assert self.ends is not None
        self.ends[0].lost(self.client.now)
        self.ours.store.close()
        self.made.close()

    def deliver(self) -> bool:
        """What is under way arrives; whether there was anything."""
        moved = False
        if self.ends is not None:
            for one, other in (self.ends, self.ends[::-1]):
                if octets := one.take_output():
                    moved = True
                    other.receive(octets, self.client.now)
        return moved

    def settle(self) -> None:
        """Everything under way arrives, and everything that it causes happens; the market stands still."""
        while True:
            self.made.run()
            while self.queue:
                self.queue.pop(0)()
            if not self.deliver() and not self.queue and not self.made.later:
                return

    def advance(self, steps: int = 2) -> None:
        self.settle()
        for _ in range(steps):
            self.made.advance()
            self.settle()


def order_entry(folder: Path, version: str = "FIX.4.4", **options: int) -> OrderEntry:
    return OrderEntry(Settings(Identity(version, "HAIRPIN", "CLIENT")), folder, "alpha", strategy=3, **options)  # type: ignore[arg-type]
