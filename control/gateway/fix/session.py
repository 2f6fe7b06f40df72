"""The FIX session layer as a state machine: no sockets, no clock of its own.

After the FIX 4.4 specification, volume 2, and the FIXT 1.1 specification; where both leave a choice, as QuickFIX's
acceptance definitions have it. Times are nanoseconds since the epoch, UTC, and passed in.

Messages are told apart in this order: version, number, then dictionary, clock and names. A number that is too high
opens a gap: the message waits, and what is missing is asked for once.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from enum import Enum

from control.gateway.fix import answers
from control.gateway.fix.application import Application, BusinessReason, Refused
from control.gateway.fix.gap import Gap
from control.gateway.fix.pulse import Due, Pulse
from control.gateway.fix.sender import NUMBER, Fields, Sender
from control.gateway.fix.settings import SECOND, Settings
from control.gateway.fix.store import Store
from wire.fix.dictionary import dictionary
from wire.fix.faults import Fault
from wire.fix.message import Garbled, Message
from wire.fix.numbers import unix_time
from wire.fix.validate import TEXTS, RejectReason, UnsupportedType, Violation, validate
from wire.fix.write import Value

HEARTBEAT, TEST_REQUEST, RESEND_REQUEST, REJECT, SEQUENCE_RESET, LOGOUT, LOGON = b"0", b"1", b"2", b"3", b"4", b"5", b"A"
BUSINESS_REJECT = b"j"
INFINITE_42 = 999_999
"""EndSeqNo of "all that came after" up to FIX 4.2; later ones say 0."""


class State(Enum):
    """Where the session is."""

    DISCONNECTED = "disconnected"
    AWAITING_LOGON = "awaiting logon"
    LOGGED_ON = "logged on"
    LOGGING_OUT = "logging out"
    """Our Logout has gone out, the answer has not come."""


class Session:
    """One session over all its connections.

    Parameters
    ----------
    settings : Settings
        Who, which version, how long.
    store : Store
        Numbers and sent messages.
    application : Application
        Who gets the messages.
    clock : callable
        The time of what is sent between two calls that say theirs.

    Attributes
    ----------
    state : State
    closing : bool
        The connection is to be closed once ``take_output()`` has gone out.
    counters : Counter
        Rejects, garbled messages, gaps and resends, by name.
    """

    def __init__(
        self, settings: Settings, store: Store, application: Application, clock: Callable[[], int] = time.time_ns
    ) -> None:
        identity = settings.identity
        self.settings, self.store, self.application = settings, store, application
        self._clock = clock
        self.dictionary = dictionary(identity.version)
        self.sender = Sender(self.dictionary, identity.sender, identity.target, store)
        self.state = State.DISCONNECTED
        self.closing = False
        self.counters: Counter[str] = Counter()
        self.wake: Callable[[], None] | None = None
        """Called when there is output that no incoming message caused; the connection sets it."""
        self.reason = ""
        """Why the session ended last."""
        self._now = self._since = 0
        self._arrived = 0
        self._handling = False
        self._pulse = Pulse()
        self._period: int | None = None
        self._gap = Gap(settings.queue_limit)
        self._names = (identity.target.encode("latin-1"), identity.sender.encode("latin-1"))

    def __repr__(self) -> str:
        return f"Session({self.settings.identity}, {self.state.value})"

    # -- the connection ------------------------------------------------------------------------

    def connect(self, now: int) -> None:
        """A connection was made; an initiator logs on."""
        self.state, self.closing, self.reason = State.AWAITING_LOGON, False, ""
        self._now = self._since = now
        self._pulse.interval = self.settings.heartbeat
        self._pulse.heard(now)
        schedule = self.settings.schedule
        self._period = schedule.period(now) if schedule else None
        if schedule and self._period is None:
            self._close("outside of the schedule")
            return
        if self._period is not None and self.store.created < self._period:
            self.store.reset(now)
        self._gap.clear()
        self.sender.connect(self.settings.initiator)
        if self.settings.initiator:
            if self.settings.reset_on_logon:
                self.store.reset(now)
            self._send_logon(reset=self.settings.reset_on_logon)

    def disconnected(self, now: int, reason: str = "connection lost") -> None:
        """The connection is gone, whoever closed it. Numbers and messages stay."""
        if self.state == State.DISCONNECTED:
            return
        self._now = now
        was = self.state
        self.state, self.closing = State.DISCONNECTED, False
        self.sender.disconnect()
        self._gap.clear()
        self.reason = self.reason or reason
        if was in (State.LOGGED_ON, State.LOGGING_OUT):
            self.application.on_logout(self, self.reason)

    def take_output(self) -> bytes:
        """The bytes to write to the connection."""
        octets = bytes(self.sender.output)
        self.sender.output.clear()
        return octets

    # -- the application's side ----------------------------------------------------------------

    def send(self, message_type: bytes | str, body: Fields, now: int | None = None, header: Fields = ()) -> int:
        """Sends an application message, now or after the next logon; its number.

        Without ``now``, at the time of what the session is doing, or of its clock.

        Raises
        ------
        FieldError
            A value that cannot stand in a message.
        """
        kind = message_type.encode("ascii") if isinstance(message_type, str) else message_type
        if not self._handling:
            self._now = self._clock() if now is None else now
        number = self.sender.send(kind, body, self._now, header)
        self._wake()
        return number

    def logout(self, now: int, text: str = "") -> None:
        """Ends the session in order: Logout, the peer's answer, then the connection is closed."""
        self._now = now
        if self.state == State.LOGGED_ON:
            self._logout(text)
        elif self.state == State.AWAITING_LOGON:
            self._close(text or "logged out before the logon was answered")
        self._wake()

    def _wake(self) -> None:
        if self.wake is not None:
            self.wake()

    # -- time ----------------------------------------------------------------------------------

    def deadline(self) -> int | None:
        """When ``tick`` has something to do next, None while disconnected."""
        if self.state == State.DISCONNECTED or self.closing:
            return None
        if self.state == State.AWAITING_LOGON:
            return self._since + int(self.settings.logon_timeout * SECOND)
        moments = []
        if self.settings.schedule and self._period is not None and self.state == State.LOGGED_ON:
            moments.append(self.settings.schedule.end_of(self._period))
        if self.state == State.LOGGING_OUT:
            moments.append(self._since + int(self.settings.logout_timeout * SECOND))
        if self._gap.asked:
            moments.append(self._gap.since + int(self.settings.resend_timeout * SECOND))
        if (moment := self._pulse.deadline(self.sender.last_sent)) is not None:
            moments.append(moment)
        return min(moments, default=None)

    def tick(self, now: int) -> None:
        """Sends what is due: heartbeat, test request, the end."""
        self._now = now
        if self.state == State.DISCONNECTED or self.closing:
            return
        if self.state == State.AWAITING_LOGON:
            if now - self._since >= self.settings.logon_timeout * SECOND:
                self._close("no logon in time")
            return
        if self.state == State.LOGGING_OUT and now - self._since >= self.settings.logout_timeout * SECOND:
            self._close(self.reason or "logout was not answered")
            return
        if self._period is not None and self.settings.schedule and self.settings.schedule.period(now) != self._period:
            self._period = None
            self._logout("end of the session's schedule")
            return
        if self._gap.asked and now - self._gap.since >= self.settings.resend_timeout * SECOND:
            self._ask(self._gap.asked[1])
        due = self._pulse.due(self.sender.last_sent, now)
        if due == Due.END:
            self._close("peer is silent")
        elif due == Due.TEST_REQUEST:
            self._send(TEST_REQUEST, [(112, b"TEST")])
        elif due == Due.HEARTBEAT:
            self._send(HEARTBEAT, [])

    # -- what comes in -------------------------------------------------------------------------

    def garbled(self, found: Garbled, now: int) -> None:
        """Bytes that are no message: ignored, as FIX wants; before the logon the connection ends."""
        self._now = now
        self.counters[f"garbled: {found.fault.name.lower()}"] += 1
        if self.state == State.AWAITING_LOGON and found.fault != Fault.LEADING:
            self._close(f"garbled logon: {found.fault.name.lower()}")

    def handle(self, message: Message, now: int) -> None:
        """One whole message."""
        self._now = self._arrived = now
        if self.closing or self.state == State.DISCONNECTED:
            return
        self._handling = True
        try:
            self._take(message)
            self._take_waiting()
        finally:
            self._handling = False

    def _take_waiting(self) -> None:
        """What waited for the gap to close, as far as the numbers now go on."""
        while not self.closing and (kept := self._gap.take(self.store.next_expected)) is not None:
            waited, self._arrived = kept
            if waited is None or waited.type == LOGON:
                self._advance()
            else:
                self._take(waited)

    def _take(self, message: Message) -> None:
        kind = message.type
        if self.state == State.AWAITING_LOGON and kind != LOGON:
            self._close("first message is no logon")
            return
        if message[8] != self.dictionary.begin_string:
            if self.state == State.AWAITING_LOGON:
                self._close("incorrect BeginString")
            elif kind == LOGOUT:
                self._on_logout(message)
            else:
                self._logout("Incorrect BeginString")
                self._advance()
            return
        number = message.number(NUMBER)
        if number is None:
            self._logout_and_close("Required tag missing: MsgSeqNum")
            return
        if kind not in _IN_ANY_ORDER and number > self.store.next_expected and message.places.keys() >= _ADDRESS:
            self._in_order(message)
            return
        try:
            validate(message, self.dictionary, user_defined=self.settings.user_defined)
        except Violation as violation:
            self._reject(message, violation.reason, violation.tag)
            return
        except UnsupportedType:
            if self._in_order(message):
                self._refuse(message, number, Refused(BusinessReason.UNSUPPORTED_MESSAGE_TYPE))
                self._advance()
            return
        self.counters["received"] += 1
        handler = _HANDLERS.get(kind)
        if handler is not None:
            handler(self, message)
        elif self._in_order(message):
            try:
                self.application.on_message(self, message)
            except Refused as refused:
                self._refuse(message, number, refused)
            self._advance()

    def _in_order(self, message: Message, *, high: bool = True, low: bool = True) -> bool:
        """Clock, names and number; what is wrong has been answered when it says no."""
        sent = unix_time(message.get(52) or b"")
        if sent is None or abs(sent - self._arrived) > self.settings.clock_tolerance * SECOND:
            self._problem(message, RejectReason.SENDING_TIME)
            return False
        if (message.get(49), message.get(56)) != self._names:
            self._problem(message, RejectReason.COMP_ID)
            return False
        number, expected = message.number(NUMBER) or 0, self.store.next_expected
        if high and number > expected:
            self._too_high(message, number)
            return False
        if low and number < expected:
            self._too_low(message, number)
            return False
        if high or low:
            self._gap.reached(number)
        self._pulse.heard(self._now)
        return True

    def _problem(self, message: Message, reason: RejectReason) -> None:
        """A reject that ends the session."""
        if self.state == State.AWAITING_LOGON:
            self._close(TEXTS[reason])
        else:
            self._reject(message, reason)
            self._logout("", TEXTS[reason])

    def _too_high(self, message: Message, number: int) -> None:
        self._pulse.heard(self._now)
        self._gap.keep(number, message, self._now)
        if self._gap.must_ask(number, self.store.next_expected, message.flag(43)):
            self._ask(number - 1)

    def _ask(self, last: int) -> None:
        """Asks for everything from the next expected number on."""
        self._gap.ask(self.store.next_expected, last, self._now)
        self.counters["gaps"] += 1
        self._send(RESEND_REQUEST, [(7, self.store.next_expected), (16, 0)])

    def _too_low(self, message: Message, number: int) -> None:
        if not message.flag(43):
            self.sender.connected = True  # whoever logs on with an old number is told why it is refused
            self._logout_and_close(f"MsgSeqNum too low, expecting {self.store.next_expected} but received {number}")
            return
        self._pulse.heard(self._now)
        self.counters["duplicates"] += 1
        if message.type == SEQUENCE_RESET:
            return
        original = message.get(122)
        if original is None:
            self._reject(message, RejectReason.REQUIRED_TAG_MISSING, 122)
        elif (unix_time(original) or 0) > (unix_time(message.get(52) or b"") or 0):
            self._problem(message, RejectReason.SENDING_TIME)

    # -- session messages ----------------------------------------------------------------------

    def _on_logon(self, message: Message) -> None:
        number, reset = message.number(NUMBER) or 0, message.flag(141)
        if self.state != State.AWAITING_LOGON and not reset:
            if self._in_order(message):
                self._advance()
                self._logout_and_close("Logon while logged on")
            return
        if message.number(98):
            self._logout_and_close("EncryptMethod must be 0")
            return
        if reset and number != 1:
            self._logout_and_close("MsgSeqNum must be 1 when ResetSeqNumFlag is set")
            return
        first = self.state == State.AWAITING_LOGON
        answered = first and self.settings.initiator
        if (first and self.settings.reset_on_logon and not answered) or (reset and not answered):
            self.store.reset(self._now)
            self._gap.clear()
        elif reset and self.store.next_expected != 1:
            self.store.expect(1)
        if not self._in_order(message, high=False):
            return
        if not answered:
            self.sender.connected = True
            self._pulse.interval = max(message.number(108) or 0, 0)
            self._send_logon(reset)
        self.state = State.LOGGED_ON
        self.sender.open(self._now)
        if number > self.store.next_expected:
            self._too_high(message, number)
        else:
            self._advance()
        if first:
            self.counters["logons"] += 1
            self.application.on_logon(self)

    def _send_logon(self, reset: bool) -> None:
        body: list[tuple[int, Value]] = [(98, 0), (108, self._pulse.interval)]
        if reset:
            body.append((141, b"Y"))
        if self.dictionary.application_version:
            body.append((1137, self.dictionary.application_version))
        self._send(LOGON, body)

    def _on_heartbeat(self, message: Message) -> None:
        if self._in_order(message):
            self._advance()

    def _on_test_request(self, message: Message) -> None:
        if self._in_order(message):
            self._send(HEARTBEAT, [(112, bytes(message[112]))])
            self._advance()

    def _on_resend_request(self, message: Message) -> None:
        if not self._in_order(message, high=False, low=False):
            return
        first, last = max(message.number(7) or 0, 1), message.number(16) or 0
        newest = self.store.next_sent - 1
        if last == 0 or last > newest or (last == INFINITE_42 and self.settings.identity.version == "FIX.4.2"):
            last = newest
        if first <= last:
            count = self.sender.resend(first, last, self._now, self._wanted(first, last))
            self.counters["resent"] += count
        number, expected = message.number(NUMBER) or 0, self.store.next_expected
        if number == expected:
            self._advance()
        elif number > expected:  # answered before the gap is closed, or two gaps wait for each other
            self._gap.keep(number, None, self._now)

    def _wanted(self, first: int, last: int) -> Iterator[tuple[int, Message]]:
        for number, octets in self.store.messages(first, last):
            message = Message.parse(octets)
            if self.application.may_resend(self, message):
                yield number, message

    def _on_reject(self, message: Message) -> None:
        if self._in_order(message):
            self.counters["rejected by peer"] += 1
            self._advance()

    def _on_sequence_reset(self, message: Message) -> None:
        fills = message.flag(123)
        if not self._in_order(message, high=fills, low=fills):
            return
        new, expected = message.number(36) or 0, self.store.next_expected
        if new < expected:
            self._reject(message, RejectReason.VALUE_INCORRECT)
        elif new > expected:
            self.store.expect(new)
            self._gap.skip_to(new)

    def _on_logout(self, message: Message) -> None:
        if not self._in_order(message, high=False, low=False):
            return
        if message.number(NUMBER) == self.store.next_expected:
            self._advance()
        if self.state != State.LOGGING_OUT:
            self.reason = message.text(58) or "peer logged out"
            self._send(LOGOUT, [])
        self._close(self.reason or "logged out")

    # -- what goes out -------------------------------------------------------------------------

    def _send(self, kind: bytes, body: list[tuple[int, Value]], header: Fields = ()) -> None:
        self.sender.send(kind, body, self._now, header)

    def _advance(self) -> None:
        self.store.expect(self.store.next_expected + 1)

    def _logout(self, text: str, reason: str = "") -> None:
        self._send(LOGOUT, [(58, text)] if text else [])
        self.state, self._since, self.reason = State.LOGGING_OUT, self._now, reason or text

    def _logout_and_close(self, text: str) -> None:
        if self.sender.connected:
            self._send(LOGOUT, [(58, text)])
        self._close(text)

    def _close(self, reason: str) -> None:
        self.closing, self.reason = True, reason

    def _reject(self, message: Message, reason: RejectReason, tag: int | None = None) -> None:
        """A Reject (3); the message counts as received if its number was the expected one."""
        number, kind = message.number(NUMBER), message.type
        if self.state == State.AWAITING_LOGON or kind == LOGON:
            self._logout_and_close(f"{TEXTS[reason]}{f': {tag}' if tag else ''}")
            return
        self.counters[f"rejected: {reason.name.lower()}"] += 1
        self._pulse.heard(self._now)
        if kind != REJECT:
            body = answers.reject(message, number or 0, reason, tag, self.settings.identity.version)
            self._send(REJECT, body, answers.route_back(message))
        if kind != SEQUENCE_RESET and number == self.store.next_expected:
            self._advance()

    def _refuse(self, message: Message, number: int, refused: Refused) -> None:
        """A BusinessMessageReject (j)."""
        self.counters[f"refused: {refused.reason.name.lower()}"] += 1
        self._send(BUSINESS_REJECT, answers.refuse(message, number, refused), answers.route_back(message))


_IN_ANY_ORDER = frozenset((LOGON, RESEND_REQUEST, SEQUENCE_RESET, LOGOUT))
"""Types whose handlers look at the number themselves."""
_ADDRESS = frozenset((49, 52, 56))
"""Who, whom and when: without them a message is rejected, whatever its number."""
_HANDLERS = {
    LOGON: Session._on_logon,
    HEARTBEAT: Session._on_heartbeat,
    TEST_REQUEST: Session._on_test_request,
    RESEND_REQUEST: Session._on_resend_request,
    REJECT: Session._on_reject,
    SEQUENCE_RESET: Session._on_sequence_reset,
    LOGOUT: Session._on_logout,
}
