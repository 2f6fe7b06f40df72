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
from control.market import DemoMarket
from control.screen import Lines


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
    owner = prepare(configuration, device, Lines(err))
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


def prepare(configuration: Configuration, device: Literal["software", "twin"], progress: Lines) -> Owner:
    """The owner of a configured device in its market, not started yet."""
    market = DemoMarket(configuration, device, progress.say)
    desk = Desk(market, configuration)
    events = EventLog(configuration.serve.history, desk.stocks)
    owner = Owner(desk, events, speed=float(configuration.input.speed))
    progress.say("opening the market")
    market.open()
    return owner
