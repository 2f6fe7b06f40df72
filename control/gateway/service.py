"""The FIX port of ``hairpin serve``: its sessions, and the thread that they run on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from control.configuration import Fix, FixSession
from control.gateway.clients import OrderEntry
from control.gateway.dropcopy import DropCopy
from control.gateway.fix.acceptor import Acceptor
from control.gateway.fix.settings import Identity, Settings
from control.gateway.reports import Reporting
from control.live import Owner
from control.oms.flow import Heard

START_SECONDS, STOP_SECONDS = 30, 15


class FixGateway:
    """All sessions of a configuration, on one port.

    Parameters
    ----------
    fix : Fix
    folder : Path
        Of the stores, where ``fix`` names none.

    Raises
    ------
    ValueError, OSError
        A store that can't be used, or that another process has.
    """

    def __init__(self, fix: Fix, folder: Path) -> None:
        self._fix = fix
        self.applications: dict[str, Reporting] = {}
        for name, session in fix.sessions.items():
            self.applications[name] = _application(fix, fix.store or folder, name, session)
        self._loop = asyncio.new_event_loop()
        self._acceptor = Acceptor([each.session for each in self.applications.values()])
        self._thread = threading.Thread(target=self._loop.run_forever, name="fix gateway", daemon=True)

    def hear(self, heard: Heard) -> None:
        """Tell every session that it concerns, on the owner's thread; before `start`, of what the journal has."""
        for each in self.applications.values():
            each.hear(heard)

    def start(self, owner: Owner) -> int:
        """Listen; the port.

        Raises
        ------
        OSError
            The port is taken.
        """
        for each in self.applications.values():
            each.owner = owner
            each.begin()
            each.run = self._run
        self._thread.start()
        listening = asyncio.run_coroutine_threadsafe(self._acceptor.start(self._fix.host, self._fix.port), self._loop)
        listening.result(START_SECONDS)
        return self._acceptor.port

    def _run(self, function: Callable[[], None]) -> None:
        self._loop.call_soon_threadsafe(function)

    def stop(self) -> None:
        """Log everybody out, and let go of port and stores. What is heard from now on the next start tells."""
        if self._thread.ident is not None:
            stopping: Future[None] = asyncio.run_coroutine_threadsafe(self._acceptor.stop("the gateway stops"), self._loop)
            stopping.result(STOP_SECONDS)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(STOP_SECONDS)
        self._loop.close()
        for each in self.applications.values():
            each.close()


def _application(fix: Fix, folder: Path, name: str, session: FixSession) -> Reporting:
    identity = Identity(session.version, session.sender, session.target)
    settings = Settings(identity, reset_on_logon=session.reset_on_logon)
    if session.kind == "drop_copy":
        return DropCopy(settings, folder, name, durable=fix.durable)
    return OrderEntry(
        settings,
        folder,
        name,
        durable=fix.durable,
        strategy=session.strategy,
        interval=session.rate_interval,
        tolerance=session.rate_burst,
    )
