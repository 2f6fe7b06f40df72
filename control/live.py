"""The one thread that owns a device: it lets the market's time pass, and between two moments does what it
is asked.

Nobody else touches world or device. Whoever wants something puts a question into the queue and gets a
future; it is answered after the device acknowledged, and events reach the log before.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from control.desk import Desk
from control.event_log import EventLog
from control.oms import Oms
from control.oms.flow import OrderFlow
from drivers.device import Batch

T = TypeVar("T")
log = logging.getLogger("hairpin.live")

SLICE_SECONDS = 0.02  # of wall time between two looks into the queue
IDLE_SECONDS = 0.005


class StoppedError(RuntimeError):
    """The owner of the device has ended; the text says why."""


class Owner:
    """The thread.

    Parameters
    ----------
    desk : Desk
        With its market; from `start` on only the owner's thread uses them.
    events : EventLog
        Takes every event.
    flow : OrderFlow, optional
        Every order goes through it; without one, through one that begins with nothing.
    speed : float
        Seconds of the market per second.
    idle : float
        Seconds: as long as less than this is due it waits for questions, and others can work.
    """

    def __init__(
        self,
        desk: Desk,
        events: EventLog,
        *,
        flow: OrderFlow | None = None,
        speed: float = 1.0,
        idle: float = IDLE_SECONDS,
    ) -> None:
        self.desk, self.events, self.speed = desk, events, speed
        self.flow = flow or OrderFlow(Oms(desk.keeper.append), desk)
        self._questions: queue.SimpleQueue[tuple[Callable[[Desk], Any], Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="device owner", daemon=True)
        self._stopping = threading.Event()
        self._idle = idle
        self._slice, self._least = (int(each * 1e9 * speed) for each in (SLICE_SECONDS, idle))
        self.error: BaseException | None = None
        self.behind = 0
        self.started = time.monotonic()
        desk.market.device.subscribe(self._record)

    def _record(self, batch: Batch) -> None:
        self.events.append(batch.events)

    def start(self) -> None:
        """Begin."""
        self.flow.later = self._later
        self.started = time.monotonic()
        self._thread.start()

    def stop(self, seconds: float = 10) -> None:
        """End, and wait for it."""
        self._stopping.set()
        self._questions.put(None)
        if self._thread.ident is not None:
            self._thread.join(seconds)

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._thread.is_alive()

    def ask(self, question: Callable[[Desk], T]) -> Future[T]:
        """Have a function called with the desk on the owner's thread.

        Raises
        ------
        StoppedError
            It does not run (any more).
        """
        if not self.alive:
            raise StoppedError(f"the device's owner does not run: {self.error or 'it was stopped'}")
        future: Future[T] = Future()
        self._questions.put((question, future))
        return future

    def _later(self, function: Callable[[], None]) -> None:
        """Have a function called on the owner's thread, by nobody who waits for it."""
        self.ask(lambda _: function())

    # -- on the thread -------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._live()
        except BaseException as error:
            self.error = error
            log.exception("the device's owner ended")
        finally:
            self._refuse_the_rest()

    def _live(self) -> None:
        market = self.desk.market
        begun, origin = time.monotonic(), market.now
        while not self._stopping.is_set():
            self._answer(0.0)
            due = origin + int((time.monotonic() - begun) * 1e9 * self.speed)
            self.behind = max(0, due - market.now)
            if market.finished or self.behind < self._least:
                self._answer(self._idle)
                continue
            before = time.monotonic()
            market.advance(min(due, market.now + self._slice))
            self._adapt(time.monotonic() - before)

    def _adapt(self, seconds: float) -> None:
        """A slice takes about `SLICE_SECONDS`, however fast the device is."""
        if seconds > 2 * SLICE_SECONDS:
            self._slice = max(self._slice // 2, 10_000)
        elif seconds < SLICE_SECONDS / 2 and self.behind > self._slice:
            self._slice = min(2 * self._slice, int(1e9 * max(self.speed, 1)))

    def _answer(self, seconds: float) -> None:
        """Answer what is asked, for the first question waiting up to so long."""
        while True:
            try:
                asked = self._questions.get(timeout=seconds) if seconds else self._questions.get_nowait()
            except queue.Empty:
                return
            seconds = 0.0
            if asked is None:
                return
            question, future = asked
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(question(self.desk))
            except Exception as error:
                future.set_exception(error)

    def _refuse_the_rest(self) -> None:
        reason = StoppedError(f"the device's owner ended: {self.error or 'it was stopped'}")
        while True:
            try:
                asked = self._questions.get_nowait()
            except queue.Empty:
                return
            if asked is not None and asked[1].set_running_or_notify_cancel():
                asked[1].set_exception(reason)
