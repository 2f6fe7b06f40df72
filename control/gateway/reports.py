"""How a FIX session is told facts: each once, in the journal's order, also through a kill -9 and a restart.

A message about a fact has the fact's number in the journal, and lies in the session's store before it can go out. So the store
itself says how far the session was told: what the journal has beyond the last number there is told at the next start, and nothing
else. For a store that was reset the number is kept in a file beside it, written at every logon and logout.
"""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from control.gateway.execution import CANCEL_REJECT, EXECUTION_REPORT, Fields, Told
from control.gateway.fix.held import HeldStore
from control.gateway.fix.link import Clock
from control.gateway.fix.session import Session
from control.gateway.fix.settings import Settings
from control.live import Owner
from control.oms.flow import Heard
from wire.fix.message import Message

log = logging.getLogger("hairpin.fix")

EXEC_ID, SECONDARY_ORDER_ID, EXEC_REF_ID = 17, 198, 19
Run = Callable[[Callable[[], None]], None]


class Reporting(ABC):
    """The application of one session; those of clients and of drop copies say which facts are for them.

    Parameters
    ----------
    settings : Settings
    folder : Path
        Of store and number.
    name : str
        Of the session: its files are called so.
    durable : bool
        See `FileStore`.
    clock : callable
        ns since the epoch.

    Attributes
    ----------
    told : int
        Number of the last fact that was told.
    owner : Owner
        Who has device and orders; set before the first connection.
    """

    owner: Owner

    def __init__(
        self, settings: Settings, folder: Path, name: str, *, durable: bool = False, clock: Clock = time.time_ns
    ) -> None:
        self.name, self.clock = name, clock
        self.version = settings.identity.version
        self.store = HeldStore(folder / f"{name}.fix", durable=durable)
        self.session = Session(settings, self.store, self, clock)
        self._file = folder / f"{name}.told"
        self.told = _last(self.store) or _kept(self._file)
        self.run: Run = lambda function: function()
        """Has a function called on the thread of the sessions."""
        self._executions: dict[tuple[int, int, int], int] = {}
        self._unkept = 0
        self._failed = False

    @abstractmethod
    def message_of(self, heard: Heard) -> Told | None:
        """What the session is told of a fact, None for nothing."""

    def hear(self, heard: Heard) -> None:
        """Take a fact, on the owner's thread; it goes out when it is on the disk."""
        try:
            message = self.message_of(heard)
        except Exception:
            log.exception("FIX %s: report %s", self.name, heard.report)
            return
        if message is not None:
            heard.kept.add_done_callback(lambda kept: self.later(lambda: self._tell(message, kept)))

    def later(self, function: Callable[[], None]) -> None:
        """Have a function called on the thread of the sessions; not any more where that has ended."""
        try:
            self.run(function)
        except RuntimeError:  # the next start tells what was not told
            log.info("FIX %s: stopped", self.name)

    def _tell(self, message: Told, kept: Future[int]) -> None:
        if kept.exception() is not None:  # the client is told all the same: it happened
            self._unkept += 1
            self._send(message, f"U{self.clock()}-{self._unkept}")
            return
        number = kept.result()
        if message.execution is not None and not message.is_bust:
            self._executions[message.execution] = number
        if number > self.told and not self._failed:
            try:
                self._send(message, str(number))
            except OSError:  # the store: a fact that is left out must not be overtaken by the next
                self._failed = True
                log.exception("FIX %s: nothing is told until the next start", self.name)
                return
            self.told = number

    def _send(self, message: Told, number: str) -> None:
        fields: Fields = [(EXEC_ID if message.kind == EXECUTION_REPORT else SECONDARY_ORDER_ID, number), *message.fields]
        if message.is_bust and message.execution in self._executions:
            fields.append((EXEC_REF_ID, self._executions[message.execution]))
        self.session.send(message.kind, fields)

    # -- what a session calls ----------------------------------------------------------------------

    def on_logon(self, session: Session) -> None:
        """See `Application`."""
        self.keep()

    def on_logout(self, session: Session, reason: str) -> None:
        """See `Application`."""
        self.keep()

    def may_resend(self, session: Session, message: Message) -> bool:
        """See `Application`: a fact stays one."""
        return True

    @abstractmethod
    def on_message(self, session: Session, message: Message) -> None:
        """See `Application`."""

    def begin(self) -> None:  # noqa: B027 - most have nothing to say
        """Say what a restart makes necessary, once `owner` is known."""

    def keep(self) -> None:
        """Write down how far the session was told."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{self.told}\n")
        fresh.replace(self._file)

    def close(self) -> None:
        """Let go of the files."""
        self.keep()
        self.store.close()


def _kept(file: Path) -> int:
    text = file.read_text().strip() if file.exists() else ""
    return int(text) if text.isdigit() else 0


def _last(store: HeldStore) -> int:
    """Number of the last fact in a store."""
    for number in range(store.next_sent - 1, 0, -1):
        for _, octets in store.messages(number, number):
            message = Message.parse(octets)
            tag = {EXECUTION_REPORT: EXEC_ID, CANCEL_REJECT: SECONDARY_ORDER_ID}.get(message.type)
            text = message.text(tag) if tag is not None else ""
            if text.isdigit() and int(text):
                return int(text)
    return 0
