"""The order connection, kept up: lost, it is made again at the next address, from just the message on that the device lacks."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future

from control.wired.conversation import Address, RefusedError, UnreachableError
from control.wired.settlement import Account, settle
from drivers import commands
from drivers.device import OpenOrder
from drivers.sockets import SocketDevice
from wire.records import SessionState, SlotState

log = logging.getLogger("hairpin.orders")

SECONDS = 2.0
"""How long the host's own conversation with a port, a connection, and the login may take, each."""
PATIENCE_NS = 50_000_000
"""Between two rounds through all addresses, twice as long after each that failed, up to 32 times."""
UNANSWERED = (SlotState.PENDING_NEW, SlotState.PENDING_REPLACE, SlotState.PENDING_CANCEL)


class OrderLink:
    """The way to the order ports of one account.

    Parameters
    ----------
    device : SocketDevice
    addresses : sequence of Address
        In the order in which they are tried.
    account : Account
    executor : Executor
        Where errands wait.
    orders : callable
        The device's open orders.

    Attributes
    ----------
    connections : int
        Logins that were accepted.
    lost : int
        Sessions that went down after that.
    lost_at : int or None
        When the session went down, ns, until it is up again.
    back_ns : list of int
        How long each way back took, from the session's loss to the login accepted.
    problem : str
        What was wrong the last time.
    """

    def __init__(
        self,
        device: SocketDevice,
        addresses: Sequence[Address],
        account: Account,
        executor: Executor,
        orders: Callable[[], Sequence[OpenOrder]],
    ) -> None:
        self._device, self._addresses, self.account = device, tuple(addresses), account
        self._executor, self._orders = executor, orders
        self._state = SessionState.DOWN
        self._errand: Future[socket.socket] | None = None
        self._next = self._failures = 0
        self._not_before = self._login_until = 0
        self._session, self._base = "", 0
        self._wanted = False
        self.connections = self.lost = 0
        self.problem = ""
        self.at: Address | None = None
        self.lost_at: int | None = None
        self.back_ns: list[int] = []

    @property
    def session(self) -> str:
        """The exchange's session."""
        return self._session

    @property
    def state(self) -> SessionState:
        """Of the device's session."""
        return self._state

    def forget(self) -> None:
        """The device is a new one: it has no session, and has counted nothing."""
        self._state, self.lost_at = SessionState.DOWN, None
        self._drop_errand()

    @property
    def sequence(self) -> int:
        """Number of the session's next message, as the device has counted."""
        return self._base + self._device.session_messages

    def begin(self, session: str, sequence: int) -> None:
        """Connect from now on, to a session and from a message on."""
        self._session, self._base = session, sequence - self._device.session_messages
        self._wanted, self._failures, self._not_before = True, 0, 0

    def end(self) -> None:
        """Connect no more."""
        self._wanted = False
        self._drop_errand()

    def _drop_errand(self) -> None:
        errand, self._errand = self._errand, None
        if errand is not None and not errand.cancel():
            errand.add_done_callback(_close)

    def heard(self, state: int, now: int) -> None:
        """The device told of its session."""
        before, self._state = self._state, SessionState(state)
        if self._state is SessionState.UP and before is not SessionState.UP:
            self.connections += 1
            self._failures = 0
            if self.lost_at is not None:
                self.back_ns.append(now - self.lost_at)
                self.lost_at = None
            log.info("%s: logged in at message %d", self.at, self.sequence)
        elif self._state is SessionState.DOWN and before is not SessionState.DOWN:
            if before is SessionState.UP:
                self.lost += 1
                self.lost_at = now
                log.warning("%s: the session is down at message %d", self.at, self.sequence)
            else:
                self._failed(now)

    def poll(self, now: int) -> None:
        """Go on with what is being done.

        Raises
        ------
        NewSessionError
            The exchange has another session than the one that we know of.
        """
        if not self._wanted:
            return
        if self._errand is not None:
            if self._errand.done():
                self._take(now)
        elif self._state is SessionState.LOGIN_SENT:
            if now > self._login_until:
                log.warning("%s: no answer to the login", self.at)
                self._device.session_down()
        elif self._state is SessionState.DOWN and now >= self._not_before:
            self._device.connect(None)
            self.at = self._addresses[self._next % len(self._addresses)]
            self._next += 1
            unanswered = [order for order in self._orders() if order.state in UNANSWERED]
            self._errand = self._executor.submit(
                _connection, self.at, self.account, self._session, self.sequence, unanswered
            )

    def _take(self, now: int) -> None:
        errand, self._errand = self._errand, None
        assert errand is not None
        try:
            connection = errand.result()
        except (UnreachableError, RefusedError) as error:
            log.warning("%s", error)
            self.problem = str(error)
            self._failed(now)
            return
        account = self.account
        self._device.connect(connection)
        self._login_until = now + int(SECONDS * 1e9)
        self._device.command(
            commands.login(
                account.username, account.password, session=self._session, sequence=self.sequence, ouch=account.ouch
            )
        )

    def _failed(self, now: int) -> None:
        self._failures += 1
        rounds, rest = divmod(self._failures, len(self._addresses))
        self._not_before = now if rest else now + PATIENCE_NS * min(1 << (rounds - 1), 32)


def _close(errand: Future[socket.socket]) -> None:
    """Nobody wants the connection any more."""
    if errand.exception() is None:
        errand.result().close()


def _connection(
    address: Address, account: Account, session: str, sequence: int, unanswered: Sequence[OpenOrder]
) -> socket.socket:
    """A connection without a login, made after all orders are sure to be answered."""
    found = settle(address, account, session, sequence, unanswered, SECONDS)
    if found.entered or found.cancelled:
        log.warning(
            "%s: %d orders had not arrived and are rejected, %d are cancelled", address, found.entered, found.cancelled
        )
    try:
        return socket.create_connection(address, timeout=SECONDS)
    except OSError as error:
        raise UnreachableError(f"{address}: {error}") from error
