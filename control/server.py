"""``hairpin serve``: a market that goes on, a device that trades in it, and the API over both."""

from __future__ import annotations

import logging
import socket
import time
from typing import Literal

import uvicorn
from rich.console import Console

from control import VERSION
from control.api import auth
from control.api.app import PREFIX, create
from control.api.context import Context
from control.configuration import Configuration
from control.desk import Desk
from control.entries import Started
from control.event_log import EventLog
from control.failover.primary import Primary
from control.failover.settle import settle_flow
from control.failover.view import ExchangeView
from control.gateway.service import FixGateway
from control.keeper import Keeper
from control.live import Owner
from control.market import DemoMarket, RunError
from control.oms import Oms
from control.oms.flow import Listener, OrderFlow
from control.past import Past, Say, hold, past_of, restore
from control.screen import Lines
from control.store import Journal, JournalError
from control.store.committer import Committer
from control.wired.market import LiveMarket
from control.wired.opening import Holding

ServeDevice = Literal["software", "twin", "pair"]
JOURNAL = "journal"
"""The journal's folder in the state folder."""


def serve(configuration: Configuration, device: ServeDevice, out: Console, err: Console) -> None:
    """Serve until interrupted.

    Raises
    ------
    RunError
        The device or the market could not be made.
    OSError, ValueError
        The address is taken, or the token can't be used.
    """
    settings = configuration.serve
    listener = socket.create_server((settings.host, settings.port))  # taken at once: the rest takes seconds
    host, port = listener.getsockname()[:2]
    token = auth.token(settings.state)
    gateway = FixGateway(configuration.fix, settings.state / "fix") if configuration.fix.sessions else None
    make = prepare_live if configuration.market.kind == "live" else prepare
    owner = make(configuration, device, Lines(err), gateway.hear if gateway is not None else None)
    configuration = owner.desk.configuration
    owner.start()
    app = create(Context(owner, token, configuration, device))
    out.print(f"http://{host}:{port}{PREFIX}", highlight=False)
    if token.fresh:
        out.print(f"token: {token.value}", highlight=False, soft_wrap=True)
        err.print(f"kept in {token.path}, and not shown again", style="dim", highlight=False)
    else:
        err.print(f"token: as before, in {token.path}", style="dim", highlight=False)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    try:
        if gateway is not None:
            out.print(f"fix: {configuration.fix.host}:{gateway.start(owner)}", highlight=False)
        uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=3)).run([listener])
    finally:
        if gateway is not None:
            gateway.stop()
        owner.stop()
        if isinstance(owner.desk.market, LiveMarket):
            owner.desk.market.close()  # what the exchange says to the last cancels is kept too
        owner.desk.keeper.close()
        listener.close()


def prepare(
    configuration: Configuration, device: ServeDevice, progress: Lines, hear: Listener | None = None
) -> Owner:
    """The owner of a configured device in its market, as the journal in the state folder says it was left; not started yet.

    ``hear`` is told every report on an order, those of the journal first.

    Raises
    ------
    RunError
        The device, the market or the journal could not be made.
    """
    keeper, past = open_journal(configuration, device, progress.say, hear)
    market = DemoMarket(configuration, device, progress.say)
    desk = Desk(market, configuration, keeper)
    flow = OrderFlow(past.oms, desk, run=past.runs + 1)
    if hear is not None:
        flow.subscribe(hear)
    events = EventLog(configuration.serve.history, desk.stocks)
    owner = Owner(desk, events, flow=flow, speed=float(configuration.input.speed))
    progress.say("opening the market")
    hold(desk)
    market.open()
    restore(past, desk, progress.say)
    return owner


def prepare_live(
    configuration: Configuration, device: ServeDevice, progress: Lines, hear: Listener | None = None
) -> Owner:
    """The owner of a device that trades at an exchange, as the journal says it was left; not started yet.

    Raises
    ------
    RunError
        The exchange does not answer, a value does not fit, or the journal could not be made.
    """
    if device == "twin":
        raise RunError("a live market is traded by the engine, alone or as a pair, and not by the twin", used_wrongly=True)
    keeper, past = open_journal(configuration, device, progress.say, hear)
    market = LiveMarket(configuration, progress.say, pair=device == "pair")
    where = f"{configuration.feed.session} at {configuration.market.orders[0]}"
    shown = configuration.model_copy(update={"input": configuration.input.model_copy(update={"source": where})})
    desk = Desk(market, shown, keeper)
    flow = OrderFlow(past.oms, desk, run=past.runs + 1)
    if hear is not None:
        flow.subscribe(hear)
    market.halted_by(lambda stock, reason: desk.kill(reason, stock=stock if stock in desk.stocks else None, who="market"))
    events = EventLog(configuration.serve.history, desk.stocks)
    owner = Owner(desk, events, flow=flow, idle=LiveMarket.IDLE_SECONDS)
    progress.say("opening the market")
    try:
        hold(desk)
        market.settled_by(lambda view: settle_flow(flow, view))
        market.open(_before(past.oms, market.account))
        restore(past, desk, progress.say)
    except BaseException:
        market.close()
        raise
    return owner


def _before(oms: Oms, account: ExchangeView) -> dict[str, Holding]:
    """What was held before the exchange's session: by all that the journal has, without what the session's account has."""
    shares, cash, today, money = oms.positions(), oms.cash(), account.positions(), account.cash()
    found = {
        stock: Holding(shares[stock] - today.get(stock, 0), cash[stock] - money.get(stock, 0), oms.marks.get(stock, 0))
        for stock in shares
    }
    return {stock: holding for stock, holding in found.items() if holding.shares or holding.cash}


def open_journal(
    configuration: Configuration, device: str, say: Say, hear: Listener | None = None
) -> tuple[Keeper, Past]:
    """The journal of the state folder, and the past that it holds; the new run is its next entry.

    With ``[replication]`` it is a primary's: opened when no other can write to the stream any more, and failed from when another
    one can.

    Raises
    ------
    RunError
        It cannot be used; the text says why.
    """
    folder, replication = configuration.serve.state / JOURNAL, configuration.replication
    keeper: Keeper | None = None
    lost: list[str] = []

    def stand_down(reason: str) -> None:
        lost.append(reason)
        if keeper is not None:
            keeper.fail(reason)

    try:
        if replication.servers:
            say(f"journal: waiting for the lease of {replication.stream}")
            primary = Primary(folder, replication, stand_down)
            committer = primary.committer
            say(f"journal: primary, epoch {primary.promotion.epoch}")
        else:
            primary, committer = None, Committer(Journal(folder))
        journal = committer.journal
        entries = list(journal.records()) if journal.acknowledged else []
    except JournalError as error:
        raise RunError(str(error)) from error
    if journal.repaired is not None:
        say(f"journal: {journal.repaired.records} records that were never acknowledged are gone")
    keeper = Keeper(committer, committer.close if primary is None else lambda: primary.close())
    if lost:
        keeper.fail(lost[0])
    past = past_of(entries, keeper, hear)
    started = Started(run=past.runs + 1, device=device, version=VERSION)
    keeper.append(started.KIND, started.pack(), time.time_ns())
    if past.runs:
        orders = sum(not order.status.is_final for order in past.oms)
        say(f"journal: run {started.run}, {len(past.oms.orders)} orders from before, {orders} open when the device died")
    return keeper, past
