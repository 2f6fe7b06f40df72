"""When a session may run: days of a week and hours of a day, UTC. Each period has numbers of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from control.gateway.fix.settings import SECOND

WEEKDAYS = (0, 1, 2, 3, 4)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Schedule:
    """From ``begin`` to ``end`` on each of ``days`` (Monday is 0); an end not after the beginning is the next day's.

    Raises
    ------
    ValueError
        No day, or one that no week has.
    """

    begin: time
    end: time
    days: tuple[int, ...] = WEEKDAYS

    def __post_init__(self) -> None:
        if not self.days or any(day not in range(7) for day in self.days):
            raise ValueError(f"days {self.days!r}: 0 to 6, at least one")

    def period(self, now: int) -> int | None:
        """When the period that ``now`` is in began, in nanoseconds since the epoch; None outside of all."""
        moment = datetime.fromtimestamp(now // SECOND, UTC)
        for day in (moment.date(), moment.date() - DAY):
            begin = datetime.combine(day, self.begin, UTC)
            end = datetime.combine(day + (DAY if self.end <= self.begin else timedelta(0)), self.end, UTC)
            if day.weekday() in self.days and begin <= moment < end:
                return int(begin.timestamp()) * SECOND
        return None

    def end_of(self, period: int) -> int:
        """When the period that began then ends, in nanoseconds since the epoch."""
        begin = datetime.fromtimestamp(period // SECOND, UTC)
        day = begin.date() + (DAY if self.end <= self.begin else timedelta(0))
        return int(datetime.combine(day, self.end, UTC).timestamp()) * SECOND
