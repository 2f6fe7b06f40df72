"""An engine of another process, by its rings: commands, answers, and what it is like when the process is gone."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from drivers.attached import AttachedDevice
from drivers.device import Batch, DeviceError, Identity
from drivers.settings import SymbolSetup
from wire.records import INPUT, Port

OTHER = """
import dataclasses, json, socket, sys, time
from pathlib import Path
from drivers.live import LiveDevice

feeds = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
for each in feeds:
    each.bind(("127.0.0.1", 0))
device = LiveDevice(tuple(feeds), symbols=2, levels=1024, orders=1024, folder=Path(sys.argv[1]), idle_us=100)
print(json.dumps(dataclasses.asdict(device.identify())), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], AttachedDevice]]:
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    identity = Identity(**json.loads(process.stdout.readline()))
    yield process, AttachedDevice(tmp_path, identity, patience=10)
    process.kill()
    process.communicate()


def test_commands_are_answered_across_processes(other: tuple[subprocess.Popen[str], AttachedDevice]) -> None:
    _, device = other
    batches: list[Batch] = []
    device.subscribe(batches.append)
    setup = SymbolSetup(stock="HPNA", stock_locate=1, base_price=1_000_000, tick=100)
    assert device.configure_symbol(1, setup).ok
    assert device.mapped == (1,)
    assert device.set_position(1, position=-30, cash=5, mark=7).ok
    assert device.snapshot().positions[1].position == -30
    assert device.events_lost == 0
    events = np.concatenate([batch.events for batch in batches])
    assert (np.diff(events["sequence"].astype(np.int64)) == 1).all()


def test_an_engine_whose_process_was_killed_does_not_answer(other: tuple[subprocess.Popen[str], AttachedDevice]) -> None:
    process, device = other
    device.heartbeat()
    process.send_signal(signal.SIGKILL)
    process.wait()
    device._patience = 0.05
    with pytest.raises(DeviceError, match="does not answer: 0 of 1 commands"):
        device.heartbeat()


def test_what_the_engine_has_by_itself_is_not_taken(other: tuple[subprocess.Popen[str], AttachedDevice]) -> None:
    _, device = other
    with pytest.raises(ValueError, match="input 0: feeds"):
        device.process(np.array([(0, 0, 0, Port.TICK)], INPUT), b"")


def test_a_folder_without_rings_is_none(tmp_path: Path) -> None:
    identity = Identity("live", (1, 0), "x", 1, 1, 1, 1, 1)
    with pytest.raises(DeviceError, match="commands"):
        AttachedDevice(tmp_path, identity)
