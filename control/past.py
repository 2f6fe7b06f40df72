"""What the journal says of earlier processes, and a desk set as the last of them left it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from control.desk import Desk, DeviceRefusedError
from control.entries import Changed, Cleared, Killed, Started, read
from control.keeper import Keeper, kept
from control.oms import Oms
from control.oms.flow import Heard, Listener
from control.parameters import Taker
from control.store import Record
from drivers import commands

Say = Callable[[str], None]


@dataclass
class Past:
    """What there was.

    Attributes
    ----------
    oms : Oms
        Every order, and what became of it.
    runs : int
        Processes that had the journal.
    settings : dict
        The last change by setting and stock, and when it was (ns since the epoch).
    kills : dict
        The kill switches that are thrown, by stock and strategy.
    """

    oms: Oms
    runs: int = 0
    settings: dict[tuple[str, str], tuple[Changed, int]] = field(default_factory=dict)
    kills: dict[tuple[str, int | None], Killed] = field(default_factory=dict)

    def take(self, record: Record, hear: Listener | None = None) -> None:
        """Take in the journal's next entry; reports are told to ``hear`` as when they came."""
        report = self.oms.replay(record)
        if report is not None:
            if hear is not None:
                hear(Heard(self.oms[report.order_id], report, record.timestamp, kept(record.sequence)))
            return
        match read(record):
            case Started() as entry:
                self.runs = entry.run
            case Changed() as entry:
                self.settings[entry.setting, entry.stock] = entry, record.timestamp
            case Killed() as entry:
                self.kills[entry.stock, entry.strategy] = entry
            case Cleared() as entry:
                self.kills.pop((entry.stock, entry.strategy), None)


def past_of(entries: Iterable[Record], keeper: Keeper, hear: Listener | None = None) -> Past:
    """The past that a journal holds; its orders go on in ``keeper``."""
    past = Past(Oms(keeper.append))
    for record in entries:
        past.take(record, hear)
    return past


def hold(desk: Desk) -> None:
    """Nothing goes out until `restore`."""
    desk.market.command(commands.kill())


def restore(past: Past, desk: Desk, say: Say) -> None:
    """Set positions, limits and switches as they were, then let go of what `hold` stopped, unless it was killed.

    What cannot be set any more, such as limits of a stock that is not followed today, is told and left. A taker's value that is
    older than it may be does not come back to life: its taker stays off.
    """
    cash, positions = past.oms.cash(), past.oms.positions()
    for stock, shares in positions.items():
        if stock in desk.symbols:
            desk.set_position(stock, shares, cash[stock], past.oms.marks.get(stock, 0))
        elif shares:
            say(f"{stock}: {shares:+} shares from before, and the device does not follow it")
    for entry, timestamp in past.settings.values():
        if entry.stock and entry.stock not in desk.symbols:
            say(f"{entry.stock}: its {entry.setting} from before is left, the device does not follow it")
            continue
        try:
            desk.restore(_fresh(entry, desk.clock() - timestamp))
        except (ValueError, DeviceRefusedError) as error:
            say(f"{entry.stock or 'all'}: its {entry.setting} from before can't be set: {error}")
    for killed in past.kills.values():
        if killed.stock and killed.stock not in desk.symbols:
            continue
        desk.throw(killed)
    if ("", None) not in past.kills:
        desk.market.command(commands.clear_kill())


def _fresh(entry: Changed, age: int) -> Changed:
    if entry.setting != "taker":
        return entry
    taker = Taker(**entry.value)
    if not taker.max_age_ns or age < taker.max_age_ns:
        return entry
    return entry.model_copy(update={"value": entry.value | {"enabled": False}})
