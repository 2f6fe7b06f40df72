"""The report for a terminal."""

from __future__ import annotations

import json

from rich.console import Console
from rich.table import Table
from rich.text import Text

from control.report import DeviceReport, Distribution, ParityReport, Report
from control.screen import clock

NAMES = {"software": "software", "twin": "simulated card"}


def show(report: Report, console: Console) -> None:
    """Print the report."""
    given = report.input
    console.print()
    console.print(Text("Hairpin", style="bold"), Text(given.description))
    console.print(
        f"{given.messages:,} messages, {clock(given.first_ns)} to {clock(given.last_ns)}, "
        f"as {given.inputs:,} frames, session bytes, commands and ticks",
        style="dim",
        highlight=False,
    )
    device = report.devices[0]
    for table in (_messages(device), _symbols(device), _orders(device), _feed(device)):
        console.print()
        console.print(table)
    console.print()
    console.print(_rejects(device))
    for each in report.devices:
        console.print()
        _speed(each, console)
    console.print()
    _verdict(report.parity, report.devices, console)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, header_style="dim", pad_edge=False)
    table.min_width = len(title)
    for i, column in enumerate(columns):
        table.add_column(column, justify="left" if i == 0 else "right", no_wrap=True)
    return table


def _messages(device: DeviceReport) -> Table:
    table = _table("Messages by type", *device.feed.by_type)
    table.columns[0].justify = "right"
    table.add_row(*(f"{count:,}" for count in device.feed.by_type.values()))
    return table


def money(amount: str) -> Text:
    """An amount with two decimals, green or red."""
    value = float(amount)
    return Text(f"{value:,.2f}", style="green" if value > 0 else "red" if value < 0 else "dim")


def _symbols(device: DeviceReport) -> Table:
    table = _table(
        "Books and positions",
        "stock", "bid", "size", "ask", "size", "trusted", "position", "bought", "sold", "orders", "refused",
        "P&L",
    )  # fmt: skip
    for each in device.symbols:
        bid, ask = (levels[0] if levels else None for levels in (each.bids, each.asks))
        table.add_row(
            each.stock,
            f"{float(bid.price):,.2f}" if bid else "",
            f"{bid.quantity:,}" if bid else "",
            f"{float(ask.price):,.2f}" if ask else "",
            f"{ask.quantity:,}" if ask else "",
            Text("yes", style="green") if each.trusted else Text("no", style="red"),
            f"{each.position:,}",
            f"{each.bought:,}",
            f"{each.sold:,}",
            f"{each.orders_sent:,}",
            f"{each.orders_refused:,}",
            money(each.pnl),
        )
    table.add_row("all", *[""] * 10, money(device.pnl), style="bold")
    return table


def _orders(device: DeviceReport) -> Table:
    o = device.orders
    table = _table(
        "Orders", "new", "replace", "cancel", "refused", "│", "accepted", "replaced", "executed", "cancelled",
        "rejected",
    )  # fmt: skip
    table.columns[0].justify = "right"
    answered = (o.accepted, o.replaced, o.executed, o.cancelled, o.rejected + o.cancel_rejected)
    table.add_row(*(f"{n:,}" for n in (o.new, o.replace, o.cancel, o.refused)), "│", *(f"{n:,}" for n in answered))
    return table


def _feed(device: DeviceReport) -> Table:
    f = device.feed
    table = _table(
        "Feed",
        "frames",
        "A",
        "B",
        "recovery",
        "seen already",
        "held",
        "dropped",
        "gaps",
        "recovered",
        "given up",
    )
    table.columns[0].justify = "right"
    numbers = (
        f.frames, f.packets_a, f.packets_b, f.packets_recovery, f.packets_duplicate, f.packets_held,
        f.packets_dropped, f.gaps, f.recovered, f.abandoned,
    )  # fmt: skip
    table.add_row(*(f"{n:,}" for n in numbers))
    return table


def _rejects(device: DeviceReport) -> Table | Text:
    if not device.rejects:
        return Text("The risk gate refused nothing.", style="dim")
    table = _table("Refused by the risk gate", "reason", "orders")
    for reason, count in sorted(device.rejects.items(), key=lambda item: -item[1]):
        table.add_row(reason.replace("_", " "), f"{count:,}")
    return table


def _speed(device: DeviceReport, console: Console) -> None:
    timing = device.timing
    console.print(Text(NAMES[device.name], style="bold"), end="  ")
    console.print(
        f"{timing.messages_per_second:,.0f} messages/s, {timing.seconds:.2f} s inside the device",
        highlight=False,
    )
    if timing.cycles is not None:
        console.print(
            f"  {timing.cycles:,} clock cycles, {timing.cycles_per_second or 0:,.0f} simulated per second",
            highlight=False,
        )
    for found in (device.latency, timing.latency):
        if found is not None:
            _latency(found, device.clock.mhz if device.clock else None, console)
    if device.clock is not None:
        console.print(f"  {device.clock.source}", style="dim", highlight=False)


def _latency(found: Distribution, mhz: float | None, console: Console) -> None:
    def said(value: float) -> str:
        nanoseconds = f" ({value * 1000 / mhz:,.1f} ns)" if mhz and found.unit == "cycles" else ""
        return f"{value:g} {found.unit}{nanoseconds}"

    quantiles = (
        ("least", found.minimum),
        ("median", found.median),
        ("99 %", found.p99),
        ("99.9 %", found.p999),
        ("most", found.maximum),
    )
    console.print("  " + "   ".join(f"{name} {said(value)}" for name, value in quantiles), highlight=False)
    console.print(f"  {found.what}", style="dim", highlight=False)


def _verdict(parity: ParityReport | None, devices: list[DeviceReport], console: Console) -> None:
    if parity is None:
        ran = NAMES[devices[0].name]
        console.print(f"Only the {ran} ran: --device both holds the two against each other.", style="dim")
        return
    compared = (
        f"{parity.outputs_compared:,} order packets, {parity.events_compared:,} events, "
        f"{parity.counters_compared} counters and {parity.snapshots_compared} snapshots compared"
    )
    if parity.agree:
        console.print(Text("✓ card and software agree, order for order", style="bold green"), highlight=False)
        console.print(f"  {compared}", style="dim", highlight=False)
        return
    console.print(Text("✗ card and software differ", style="bold red"))
    console.print(f"  {compared}", style="dim", highlight=False)
    if (first := parity.first_difference) is not None:
        console.print(f"  first difference: {first.what}, {first.where}", highlight=False)
        for name, value in (("software", first.software), ("card", first.twin)):
            console.print(f"    {name:8}  {json.dumps(value)}", highlight=False, soft_wrap=True)
