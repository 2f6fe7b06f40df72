"""What has to hold when a seed's day is over."""

from __future__ import annotations

from pathlib import Path

from control.failover.failover import Stage
from control.failover.view import ExchangeView
from control.gateway.ouch import Ouch
from control.oms import Oms
from control.oms.events import identity
from control.rehearsal.clients import NAME
from control.rehearsal.host import Host
from control.store import Journal
from drivers.device import DeviceError
from sim.faults.exchange import SimulatedExchange
from wire.records import OuchVersion, SessionState


def account(exchange: SimulatedExchange, ouch: Ouch) -> ExchangeView:
    """The exchange's account of all that we did."""
    view = ExchangeView()
    for message in exchange.day.entries[0].account.journal:
        view.take(ouch.read(message))
    return view


def judge(host: Host, exchange: SimulatedExchange, acknowledged: set[str]) -> list[str]:
    """What does not hold of a host that had time to come to rest; a line each."""
    found = []
    view = account(exchange, Ouch(OuchVersion.V4_2, host.site.configuration.portfolio.token_prefix))
    found += _compare("orders", host.oms, view)
    if host.failover.stage is not Stage.IDLE:
        found.append(f"the session is still being taken over: {host.failover.stage}, {host.failover.reason}")
    elif host.desk.watch.session is not SessionState.UP:
        found.append("the order session is not up")
    found += _device(host, view)
    names = {order.ordered.client_order_id for order in host.oms if order.ordered.client == NAME}
    lost = acknowledged - names
    if lost:
        found.append(f"orders that were acknowledged and are not there: {sorted(lost)[:5]}")
    found += [f"violation: {each.text}: {each.report}" for each in host.oms.violations[:3]]
    if view.foreign:
        found.append(f"{view.foreign} messages about orders that are none of ours")
    return found


def _device(host: Host, view: ExchangeView) -> list[str]:
    """Positions and open orders of the device that trades."""
    found = []
    try:
        snapshot = host.pair.snapshot()
    except DeviceError as error:
        return [f"no device: {error}"]
    for symbol, setup in host.site.setups.items():
        theirs, ours = view.positions().get(setup.stock, 0), snapshot.positions[symbol].position
        if ours != theirs:
            found.append(f"{setup.stock}: {ours} shares by the device, {theirs} at the exchange")
    device, there = {order.order_id for order in snapshot.orders}, {seen.order_id for seen in view.open}
    if device != there:
        found.append(f"open orders {_ids(device)} by the device, {_ids(there)} at the exchange")
    return found


def _compare(who: str, oms: Oms, view: ExchangeView) -> list[str]:
    """Positions, executions and open orders against the account."""
    found = []
    ours = {stock: shares for stock, shares in oms.positions().items() if shares}
    theirs = {stock: shares for stock, shares in view.positions().items() if shares}
    if ours != theirs:
        found.append(f"{who}: positions {ours}, at the exchange {theirs}")
    executions = {key[1] for order in oms for key in order.executions}
    if executions != {key[0] for key in view.executions}:
        missing = sorted({key[0] for key in view.executions} - executions)
        found.append(f"{who}: {len(executions)} executions, at the exchange {len(view.executions)}; not known: {missing[:5]}")
    opened = {identity(order.venue_order_id) for order in oms if order.sent is not None and not order.status.is_final}
    there = {seen.order_id for seen in view.open}
    if opened != there:
        found.append(f"{who}: open orders {_ids(opened)}, at the exchange {_ids(there)}")
    return found


def judge_journals(folders: list[Path], primary: Path, exchange: SimulatedExchange) -> list[str]:
    """The primary's journal verifies, and has every execution that there was; every other one has a beginning of it."""
    found = []
    journal = Journal(primary)
    try:
        oms = Oms(lambda kind, payload, timestamp: None, journal.records())
        view = account(exchange, Ouch(OuchVersion.V4_2, "HP"))
        found += [line for line in _compare("journal", oms, view) if "open orders" not in line]
        for folder in folders:
            if folder != primary and folder.exists():
                with Journal(folder) as other:
                    known = min(other.acknowledged, journal.acknowledged)
                    if other.reader().digest(known) != journal.reader().digest(known):
                        found.append(f"the journals of {primary.name} and {folder.name} differ at record {known}, or before")
    finally:
        journal.close()
    return found


def _ids(ids: set[int]) -> str:
    return " ".join(f"{each:X}" for each in sorted(ids)[:6]) or "none"
