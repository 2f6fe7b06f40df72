"""A whole acceptor killed with -9 again and again while orders come in and reports go out."""

import asyncio
import random
import signal
import sys
from itertools import groupby, islice
from pathlib import Path

from control.gateway.fix.initiator import Initiator
from control.gateway.fix.session import Session, State
from control.gateway.fix.settings import Identity, Settings
from control.gateway.fix.store import FileStore
from tests.control.fix.loopback import free_port, order, until
from tests.control.fix.pair import Inbox
from tests.shared_data import ROOT

KILLS = 6
ORDERS = 240

ACCEPTOR = """
import asyncio, os, sys
from pathlib import Path
from control.gateway.fix.acceptor import Acceptor
from control.gateway.fix.session import Session
from control.gateway.fix.settings import Identity, Settings
from control.gateway.fix.store import FileStore

class Desk:
    def __init__(self, path):
        self.file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    def on_logon(self, session): ...
    def on_logout(self, session, reason): ...
    def may_resend(self, session, message): return True
    def on_message(self, session, message):
        name = message.text(11)
        os.write(self.file, name.encode() + b"\\n")
        body = [(37, name), (17, name), (150, "0"), (39, "0"), (11, name), (55, "MSFT"), (54, "1")]
        session.send("8", [*body, (151, 100), (14, 0), (6, 0)])

async def main():
    folder = Path(sys.argv[1])
    settings = Settings(Identity("FIX.4.4", "HUB", "C"))
    acceptor = Acceptor([Session(settings, FileStore(folder / "hub"), Desk(folder / "orders"))])
    await acceptor.start(port=int(sys.argv[2]))
    await asyncio.sleep(600)

asyncio.run(main())
"""


def test_no_order_and_no_report_is_lost(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)

    async def start(port: int) -> asyncio.subprocess.Process:
        words = [sys.executable, "-c", ACCEPTOR, str(tmp_path), str(port)]
        return await asyncio.create_subprocess_exec(*words, cwd=ROOT)

    async def scenario() -> None:
        port, inbox, store = free_port(), Inbox(), FileStore(tmp_path / "client")
        session = Session(Settings(Identity("FIX.4.4", "C", "HUB"), initiator=True), store, inbox)
        initiator = Initiator(session, "127.0.0.1", port, (0.05, 0.2))
        running = asyncio.ensure_future(initiator.run())
        names = [f"order-{n}" for n in range(ORDERS)]
        waiting = iter(names)
        for round_ in range(KILLS + 1):
            process = await start(port)
            await until(lambda: session.state == State.LOGGED_ON)
            for name in list(islice(waiting, ORDERS // (KILLS + 1) + 1)):
                order(session, name)
                if rng.random() < 0.2:
                    await asyncio.sleep(rng.random() * 0.01)
            if round_ < KILLS:
                process.send_signal(signal.SIGKILL)
                await process.wait()
                await until(lambda: session.state == State.DISCONNECTED)
        await until(lambda: set(inbox.texts) == set(names))
        await initiator.stop()
        await running
        process.kill()
        await process.wait()
        store.close()
        taken = (tmp_path / "orders").read_text().split()
        for found in (taken, inbox.texts):  # in order, each once, but for what a kill interrupted
            assert [name for name, _ in groupby(found)] == names
            assert len(found) - len(names) <= KILLS

    asyncio.run(scenario())
