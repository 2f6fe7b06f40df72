"""Progress of a run on standard error: one live screen at a terminal, plain lines otherwise."""

from __future__ import annotations

import time
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from control.monitor import Monitor, Standing
from wire.records import Side

FRAMES_PER_SECOND = 8
LINE_SECONDS = 5.0
SHOWN = 16  # stocks


class Progress(Protocol):
    """Told how a run goes."""

    def say(self, text: str) -> None:
        """Something worth a line."""
        ...

    def begin(self, device: str, monitor: Monitor, messages: int) -> None:
        """A device starts on so many messages."""
        ...

    def step(self, messages: int) -> None:
        """So many are through."""
        ...

    def end(self) -> None:
        """The device is done."""
        ...


class Silence:
    """Nobody wants to know."""

    def say(self, text: str) -> None:
        """Nothing."""

    def begin(self, device: str, monitor: Monitor, messages: int) -> None:
        """Nothing."""

    def step(self, messages: int) -> None:
        """Nothing."""

    def end(self) -> None:
        """Nothing."""


class Lines:
    """A line now and then."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._device, self._total, self._done = "", 0, 0
        self._begun = self._shown = 0.0

    def say(self, text: str) -> None:
        """One line."""
        self.console.print(text, highlight=False)

    def begin(self, device: str, monitor: Monitor, messages: int) -> None:
        """A line for the start."""
        self._device, self._total, self._done = device, messages, 0
        self._begun = self._shown = time.monotonic()

    def step(self, messages: int) -> None:
        """A line when the last is some seconds old."""
        self._done = messages
        now = time.monotonic()
        if now - self._shown >= LINE_SECONDS:
            self._shown = now
            share = messages / self._total if self._total else 1
            self.say(f"{self._device}: {messages:,} of {self._total:,} messages ({share:.0%}), {self._rate(now)}")

    def end(self) -> None:
        """A line for the end."""
        self.finish(self._done)

    def finish(self, messages: int) -> None:
        """A line for the end, after so many messages."""
        self._done = messages
        now = time.monotonic()
        self.say(
            f"{self._device}: {self._done:,} messages in {now - self._begun:.1f} s, {self._rate(now)}, venue included"
        )

    def _rate(self, now: float) -> str:
        return f"{self._done / max(now - self._begun, 1e-9):,.0f} messages/s"


class Screen:
    """One screen that stays in place: books, quotes, positions, rejects, rates."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._live: Live | None = None
        self._lines = Lines(console)
        self._monitor: Monitor | None = None
        self._device, self._total, self._done = "", 0, 0
        self._begun = self._drawn = 0.0

    def close(self) -> None:
        """Give the terminal back."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def say(self, text: str) -> None:
        """A line above the screen."""
        self._lines.say(text)

    def begin(self, device: str, monitor: Monitor, messages: int) -> None:
        """Put the screen up."""
        self._device, self._monitor, self._total, self._done = device, monitor, messages, 0
        self._begun = time.monotonic()
        self._lines.begin(device, monitor, messages)
        self._live = Live(console=self.console, auto_refresh=False, transient=True)
        self._live.start()
        self._draw(self._begun)

    def step(self, messages: int) -> None:
        """Draw, some times a second."""
        self._done = messages
        now = time.monotonic()
        if now - self._drawn >= 1 / FRAMES_PER_SECOND:
            self._draw(now)

    def end(self) -> None:
        """Take the screen down and leave a line."""
        self.close()
        self._lines.finish(self._done)

    def _draw(self, now: float) -> None:
        self._drawn = now
        if self._live is not None and self._monitor is not None:
            self._monitor.look()
            seconds = now - self._begun
            self._live.update(picture(self._device, self._monitor, self._done, self._total, seconds), refresh=True)


def picture(device: str, monitor: Monitor, done: int, total: int, seconds: float) -> Panel:
    """The screen."""
    head = Table.grid(expand=True, padding=(0, 2))
    head.add_column(ratio=1)
    head.add_column(justify="right")
    head.add_row(
        ProgressBar(total=max(total, 1), completed=done),
        f"{done:,} of {total:,} messages   {done / max(seconds, 1e-9):,.0f}/s",
    )
    table = Table(expand=True, box=None, pad_edge=False, header_style="dim")
    for name in (
        "stock", "bid", "size", "ask", "size", "our bid", "our ask", "position", "fills", "refused", "P&L",
    ):  # fmt: skip
        table.add_column(name, justify="left" if name == "stock" else "right", no_wrap=True)
    for standing in monitor.symbols[:SHOWN]:
        table.add_row(*_row(standing))
    if len(monitor.symbols) > SHOWN:
        table.add_row(f"and {len(monitor.symbols) - SHOWN} more", style="dim")
    pnl = sum(each.pnl for each in monitor.symbols)
    sent = "  ".join(f"{action.name.lower()} {count:,}" for action, count in monitor.sent.items())
    reasons = sorted(((n, r) for r, n in monitor.refused.items() if n), reverse=True)
    refused = "  ".join(f"{r.name.lower().replace('_', ' ')} {n:,}" for n, r in reasons[:6]) or "nothing"
    foot = Text.assemble(
        ("sent  ", "dim"), f"{sent}   ", ("fills  ", "dim"), f"{monitor.fills:,}   ",
        ("gaps  ", "dim"), f"{monitor.gaps:,}   ", ("P&L  ", "dim"), _money(pnl),
        ("\nrefused  ", "dim"), refused,
    )  # fmt: skip
    return Panel(
        Group(head, "", table, "", foot),
        title=f"[bold]Hairpin[/bold] · {device} · session {monitor.session.name.lower()}",
        subtitle=clock(monitor.clock),
        border_style="blue",
    )


def clock(ns: int) -> str:
    """A time of the market's day."""
    seconds, rest = divmod(ns, 1_000_000_000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest // 1_000_000:03}"


def _money(amount: int) -> Text:
    style = "green" if amount > 0 else "red" if amount < 0 else "dim"
    return Text(f"{amount / 1e4:,.2f}", style=style)


def _row(standing: Standing) -> list[str | Text]:
    def price(value: int | None) -> str:
        return "" if value is None else f"{value / 1e4:,.2f}"

    def side(level: tuple[int, int] | None) -> list[str]:
        return [price(level[0]), f"{level[1]:,}"] if level else ["", ""]

    name = Text(standing.stock, style="bold" if standing.trusted else "red strike")
    position = Text(f"{standing.position:,}", style="" if standing.position else "dim")
    return [
        name,
        *side(standing.bid),
        *side(standing.ask),
        Text(price(standing.quotes[Side.BUY]), style="blue"),
        Text(price(standing.quotes[Side.SELL]), style="yellow"),
        position,
        f"{standing.fills:,}",
        f"{standing.refused:,}",
        _money(standing.pnl),
    ]
