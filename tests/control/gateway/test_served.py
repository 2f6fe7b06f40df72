"""``hairpin serve`` with a FIX port, QuickFIX as its client, killed with -9 in the middle, and started again."""

import asyncio
import importlib.util
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest

from control.entries import described
from control.journal import entries, verify
from control.oms.entries import REPORT_KIND, Report
from tests.control.fix.loopback import free_port
from tests.shared_data import ROOT

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(importlib.util.find_spec("quickfix") is None, reason="quickfix-ssl is not installed"),
]
START_SECONDS = 240  # a machine that has compiled nothing yet
PATIENCE = 120.0  # one on which much else runs
KILLS, ORDERS = 2, 30

CONFIGURATION = """
[input]
symbols = ["AMZN"]
[limits]
collar = "5000"
max_position = 1000000
max_notional = "100000000"
[quoter]
enabled = false
[serve]
port = 0
minutes = 1
rate = 50
state = "{state}"
[fix]
port = {port}
[fix.sessions.alpha]
target = "QF"
strategy = 4
[fix.sessions.clearing]
kind = "drop_copy"
target = "CLR"
"""


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.02)


class Process:
    """A process whose lines are kept."""

    running: ClassVar[list["Process"]] = []

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process, self.lines = process, list[str]()
        self.running.append(self)
        self._reading = asyncio.ensure_future(self._read())

    @classmethod
    async def start(cls, *words: str) -> "Process":
        pipe = asyncio.subprocess.PIPE
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        return cls(
            await asyncio.create_subprocess_exec(sys.executable, *words, stdin=pipe, stdout=pipe, cwd=ROOT, env=environment)
        )

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.lines.append(line.decode().strip())

    async def says(self, start: str, seconds: float = PATIENCE) -> None:
        async with asyncio.timeout(seconds):
            while not any(line.startswith(start) for line in self.lines):
                assert self.process.returncode is None, self.lines
                await asyncio.sleep(0.02)

    def tell(self, *words: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write((" ".join(words) + "\n").encode())

    def count(self, word: str) -> int:
        return sum(line.split()[0] == word for line in self.lines)

    @classmethod
    def kill_the_rest(cls) -> None:
        """Nothing outlives its test."""
        for each in cls.running:
            if each.process.returncode is None:
                each.process.kill()
        cls.running.clear()

    async def end(self, number: int) -> None:
        self.process.send_signal(number)
        async with asyncio.timeout(PATIENCE):
            await self.process.wait()
        await self._reading


async def serve(folder: Path) -> Process:
    process = await Process.start("-m", "control.cli", "serve", "-c", str(folder / "hairpin.toml"))
    await process.says("fix: ", START_SECONDS)
    return process


async def quickfix_client(port: int, folder: Path, name: str) -> Process:
    folder.mkdir()
    module = "tests.control.gateway.quickfix_client"
    client = await Process.start("-m", module, "FIX.4.4", str(port), str(folder), name, "HAIRPIN")
    await client.says("ready")
    return client


def facts(process: Process) -> list[int]:
    """The facts that a client was told of, in its order."""
    found = []
    for line in process.lines:
        words = line.split()
        if words[0] == "report" and words[1] == "8" and words[5].isdigit() and words[5] != "0":
            found.append(int(words[5]))
    return found


def test_reports_come_once_and_orders_happen_once_through_kills(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    port, state = free_port(), tmp_path / "state"
    (tmp_path / "hairpin.toml").write_text(CONFIGURATION.format(state=state, port=port))

    async def scenario() -> tuple[Process, Process]:
        try:
            return await trade()
        finally:
            Process.kill_the_rest()

    async def trade() -> tuple[Process, Process]:
        server = await serve(tmp_path)
        client = await quickfix_client(port, tmp_path / "qf", "QF")
        clearing = await quickfix_client(port, tmp_path / "clr", "CLR")
        names = [f"order-{n}" for n in range(ORDERS)]
        for round_ in range(KILLS + 1):
            await until(lambda logons=round_: client.count("logon") > logons)
            for name in names[round_ * ORDERS // (KILLS + 1) : (round_ + 1) * ORDERS // (KILLS + 1)]:
                side, price = rng.choice((("1", "900.00"), ("2", "1.00")))
                client.tell("order", name, side, "10", price, "3")
                await asyncio.sleep(rng.random() * 0.02)
            if round_ < KILLS:
                await server.end(signal.SIGKILL)
                server = await serve(tmp_path)
        await until(lambda: set(names) <= {line.split()[2] for line in client.lines if line.startswith("report 8")})
        wanted = len([each for each in entries(state / "journal") if each.kind == REPORT_KIND])
        await until(lambda: len(facts(client)) >= wanted)
        await until(lambda: len(facts(clearing)) >= executions(state))
        await server.end(signal.SIGINT)
        for process in (client, clearing):
            process.tell("stop")
            await process.says("stopped")
            await process.process.wait()
            await process._reading
        return client, clearing

    def executions(state: Path) -> int:
        return sum(described(each).get("what") == "executed" for each in entries(state / "journal"))

    client, clearing = asyncio.run(scenario())
    assert verify(state / "journal").good
    told = [described(each) for each in entries(state / "journal")]
    orders = [each["client_order_id"] for each in told if each["kind"] == "order" and each["client"] == "alpha"]
    assert sorted(orders) == sorted(f"order-{n}" for n in range(ORDERS))  # each once
    reports = [each.sequence for each in entries(state / "journal") if each.kind == REPORT_KIND]
    assert facts(client) == reports  # each once, in order
    executed = [
        each.sequence
        for each in entries(state / "journal")
        if each.kind == REPORT_KIND and Report.unpack(each.payload).what.name == "EXECUTED"
    ]
    assert facts(clearing) == executed
    assert executed
    assert sum(each["kind"] == "started" for each in told) == KILLS + 1
