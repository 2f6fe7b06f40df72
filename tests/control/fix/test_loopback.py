"""The acceptance definitions over TCP, against the acceptor as it is run: all at once, each on a port of its own."""

import asyncio
import time
from pathlib import Path

import pytest

from control.gateway.fix.acceptor import Acceptor
from control.gateway.fix.session import Session
from control.gateway.fix.settings import Settings
from control.gateway.fix.store import FileStore
from tests.control.fix.definitions import difference, framed, steps, timed
from tests.control.fix.echo import Echo
from tests.control.fix.test_acceptance import IDENTITIES, recorded
from tests.shared_data import shared_data

PATIENCE = 15.0
SLOW = "6_SendTestRequest"
"""Waits for half a minute; it is run on the clock that jumps."""

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\x01")
    length = await reader.readuntil(b"\x01")
    body = await reader.readexactly(int(length[2:-1]))
    return head + length + body + await reader.readuntil(b"\x01")


async def follow(path: Path, port: int) -> None:
    """One definition, over TCP."""
    streams: dict[int, Stream] = {}
    for step in steps(path.read_bytes()):
        where = f"{path.parent.name}/{path.name}:{step.line}"
        body = framed(timed(step.body, time.time_ns()))
        if step.kind == "i" and step.body == b"CONNECT":
            streams[step.connection] = await asyncio.open_connection("127.0.0.1", port)
            continue
        reader, writer = streams[step.connection]
        if step.kind == "i":
            writer.close()
        elif step.kind == "I":
            writer.write(body)
        elif step.kind == "E":
            found = await asyncio.wait_for(message(reader), PATIENCE)
            assert difference(body, found) is None, f"{where}: {body!r}, {found!r}"
        else:
            assert await asyncio.wait_for(reader.read(), PATIENCE) == b"", where
            writer.close()


async def conform(folder: str, path: Path, store: Path) -> str | None:
    """What is wrong with one definition, None if nothing is."""
    kept = FileStore(store / f"{folder}-{path.stem}")
    acceptor = Acceptor([Session(Settings(IDENTITIES[folder], reset_on_logon=True), kept, Echo())])
    await acceptor.start()
    try:
        await follow(path, acceptor.port)
    except (AssertionError, OSError, TimeoutError, asyncio.IncompleteReadError) as error:
        return f"{folder}/{path.name}: {type(error).__name__}: {error}"
    finally:
        await acceptor.stop()
        kept.close()
    return None


@pytest.mark.oracle
def test_all_definitions_hold_over_tcp(tmp_path: Path) -> None:
    shared_data("fix")
    cases = [(folder, path) for folder in IDENTITIES for path in recorded(folder) if path.stem != SLOW]

    async def every() -> list[str | None]:
        return await asyncio.gather(*(conform(folder, path, tmp_path) for folder, path in cases))

    failed = [problem for problem in asyncio.run(every()) if problem]
    assert not failed, "\n".join(failed)
    assert len(cases) == 115


@pytest.mark.oracle
@pytest.mark.slow
@pytest.mark.parametrize("folder", IDENTITIES)
def test_the_slow_definition_holds_over_tcp(folder: str, tmp_path: Path) -> None:
    path = shared_data(f"fix/{folder}/{SLOW}.def")
    assert asyncio.run(conform(folder, path, tmp_path)) is None
