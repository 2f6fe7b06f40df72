"""``hairpin serve``: a market that goes on, a device that trades in it, and the API over both."""

from __future__ import annotations

import logging
import socket
from typing import Literal

import uvicorn
from rich.console import Console

from control.api import auth
from control.api.app import PREFIX, create
from control.api.context import Context
from control.configuration import Configuration
from control.desk import Desk
from control.event_log import EventLog
from control.live import Owner
from control.market import DemoMarket, RunError
from control.screen import Lines
from control.wired.market import LiveMarket


def serve(configuration: Configuration, device: Literal["software", "twin"], out: Console, err: Console) -> None:
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
    live = configuration.market.kind == "live"
    owner = (prepare_live if live else prepare)(configuration, device, Lines(err))
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
        uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=3)).run([listener])
    finally:
        owner.stop()
        listener.close()
        if isinstance(owner.desk.market, LiveMarket):
            owner.desk.market.close()


def prepare(configuration: Configuration, device: Literal["software", "twin"], progress: Lines) -> Owner:
    """The owner of a configured device in its market, not started yet."""
    market = DemoMarket(configuration, device, progress.say)
    desk = Desk(market, configuration)
    events = EventLog(configuration.serve.history, desk.stocks)
    owner = Owner(desk, events, speed=float(configuration.input.speed))
    progress.say("opening the market")
    market.open()
    return owner


def prepare_live(configuration: Configuration, device: Literal["software", "twin"], progress: Lines) -> Owner:
    """The owner of a device that trades at an exchange, not started yet.

    Raises
    ------
    RunError
        The exchange does not answer, or a value does not fit.
    """
    if device != "software":
        raise RunError(f"a live market is traded by the engine, and not by {device}", used_wrongly=True)
    market = LiveMarket(configuration, progress.say)
    where = f"{configuration.feed.session} at {configuration.market.orders[0]}"
    shown = configuration.model_copy(update={"input": configuration.input.model_copy(update={"source": where})})
    desk = Desk(market, shown)
    market.halted_by(lambda stock, reason: desk.kill(reason, stock=stock if stock in desk.stocks else None))
    events = EventLog(configuration.serve.history, desk.stocks)
    owner = Owner(desk, events, idle=LiveMarket.IDLE_SECONDS)
    progress.say("opening the market")
    try:
        market.open()
    except BaseException:
        market.close()
        raise
    return owner
