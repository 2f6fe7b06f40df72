"""What tests over TCP share: waiting for something, a port, an order."""

import asyncio
import socket
from collections.abc import Callable

from control.gateway.fix.session import Session

PATIENCE = 30.0


async def until(condition: Callable[[], bool]) -> None:
    """Waits for the condition, some seconds at most."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.01)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def order(session: Session, name: str) -> None:
    moment = "20261126-12:00:00"
    session.send("D", [(11, name), (21, 1), (55, "MSFT"), (54, 1), (60, moment), (38, 100), (40, 1)])
