"""The engine on sockets in a process of its own: neither process takes the other along when it dies.

Commands and events go through rings, as they do within one process. What is asked once in a while (an order connection to take
over, how many messages there were) goes by a channel between the two, one JSON object a datagram; a connection is handed over as
an open file. The channel's end is how the engine's process learns that its host is gone: it throws the kill switch, waits until
nothing is open, and ends. A host that hangs it notices as a card does, by the heartbeat (HOST_HEARTBEAT).
"""

from __future__ import annotations

import dataclasses
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from drivers import commands
from drivers.device import DeviceError, Identity
from drivers.live import LiveDevice
from drivers.ringed import RingDevice, Rings, ring_folder
from drivers.snapshots import read_snapshot
from drivers.sockets import FeedSockets
from engine.references import Alive
from wire.counters import COUNTERS
from wire.records import SnapshotPart

PATIENCE_SECONDS = 0.25
START_SECONDS = 300.0
"""Without compiled code in the cache a start takes half a minute, and longer beside others that compile the same."""
END_SECONDS = 5.0
LAST_SECONDS = 2.0
"""How long an engine without a host waits for the exchange to confirm its cancels."""
_DATAGRAM = 1 << 16


class EngineProcess(RingDevice):
    """A `drivers.live.LiveDevice` in a process of its own.

    Parameters
    ----------
    feeds : pair of socket
        As `LiveDevice` takes them; the process has them too.
    patience : float
        Seconds after which a process that does not answer counts as dead.
    options
        The others of `LiveDevice`.

    Raises
    ------
    DeviceError
        It did not start.
    """

    def __init__(self, feeds: FeedSockets, *, patience: float = PATIENCE_SECONDS, **options: Any) -> None:
        self._feeds, self._options = feeds, options
        self._start()
        super().__init__(self._rings, patience)

    def _start(self) -> None:
        self._folder = ring_folder()
        self._channel, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        files = [other.fileno(), *(each.fileno() for each in self._feeds)]
        command = [sys.executable, "-m", "drivers.process", str(self._folder), json.dumps(self._options), *map(str, files)]
        # A session of its own: an interrupt at the terminal is for the host, which ends it in order.
        self._process = subprocess.Popen(command, pass_fds=files, stdin=subprocess.DEVNULL, start_new_session=True)
        other.close()
        self._asked = 0
        try:
            self._channel.settimeout(START_SECONDS)
            self._identity = Identity(**self._heard())
            self._rings = Rings.open(self._folder)
        except DeviceError:
            self.kill_process()
            self._channel.close()
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    # -- the process -------------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone, and its order connection with it."""
        return self._process.poll() is not None

    def kill_process(self) -> None:
        """End the process at once, whatever it does. Its connections are closed when this returns."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End the process, and throw the rings away."""
        if not self.has_ended:
            with suppress(DeviceError):
                self._ask("end")
            try:
                self._process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill_process()
        self._channel.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def restart(self) -> None:
        """Have another process in the place of this one; its engine is not configured and knows of no order, position or session.

        The numbers of orders go on, if the old one can be asked for them; those of events begin anew. The order connection is
        closed.
        """
        last = 0
        with suppress(DeviceError):
            last = self.generation
            self._deliver_rest()
        self.close()
        self._mapped.clear()
        self._next_event = 0
        self._start()
        self.begin_after(last)

    # -- what it is asked --------------------------------------------------------------------------

    def identify(self) -> Identity:
        """What it is."""
        return self._identity

    def counters(self) -> dict[str, int]:
        """Every counter by name."""
        return dict(zip(COUNTERS, self._ask("counters")["counters"], strict=True))

    @property
    def session_messages(self) -> int:
        """Sequenced messages of the order session that were ever taken, over all connections."""
        return int(self._ask("session_messages")["value"])

    @property
    def generation(self) -> int:
        """Number of the last order."""
        return int(self._ask("generation")["value"])

    def begin_after(self, generation: int) -> None:
        """Number the next order behind ``generation``.

        Raises
        ------
        ValueError
            There are later orders already.
        """
        self._ask("begin_after", value=generation)

    def connect(self, order: socket.socket | None) -> None:
        """Hand over an order connection that has no login yet, and have the one before closed. None: have none."""
        try:
            self._ask("connect", files=[] if order is None else [order.fileno()])
        finally:
            if order is not None:
                order.close()

    def alive(self) -> Alive:
        """Orders in the books. To be asked only while the feed cannot change them: behind a SET_FEED to another session."""
        self._ask("alive", file=str(self._folder / "alive.npz"))
        with np.load(self._folder / "alive.npz") as found:
            return Alive(found["references"], found["symbols"])

    # -- the channel -------------------------------------------------------------------------------

    def _ask(self, what: str, files: list[int] | None = None, **more: Any) -> dict[str, Any]:
        self._asked += 1
        self.check_running()
        try:
            self._channel.settimeout(self._patience)
            socket.send_fds(self._channel, [json.dumps({"id": self._asked, "ask": what, **more}).encode()], files or [])
            while (told := self._heard()).get("id") != self._asked:
                pass  # an answer that came too late
        except OSError as error:
            with suppress(subprocess.TimeoutExpired):  # it may just be ending
                self._process.wait(self._patience)
            self.check_running()
            raise DeviceError(f"the engine's process {self.pid} does not listen: {error}") from error
        if "wrong" in told:
            raise ValueError(told["wrong"])
        return told

    def _heard(self) -> dict[str, Any]:
        try:
            data = self._channel.recv(_DATAGRAM)
        except TimeoutError as error:
            raise DeviceError(f"the engine's process {self.pid} says nothing") from error
        if not data:
            raise DeviceError(f"the engine's process {self.pid} has ended: {_reason(self._process.wait())}")
        found: dict[str, Any] = json.loads(data)
        return found

    def check_running(self) -> None:
        """Raises DeviceError if the process has ended."""
        if self.has_ended:
            raise DeviceError(f"the engine's process {self.pid} has ended: {_reason(self._process.returncode)}")


def _reason(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


# -- in the process --------------------------------------------------------------------------------


class _Servant:
    """The other end of the channel."""

    def __init__(self, device: LiveDevice, channel: socket.socket) -> None:
        self._device, self._channel = device, channel

    def say(self, **told: Any) -> None:
        self._channel.send(json.dumps(told).encode())

    def run(self) -> bool:
        """Do what is asked until the end is; False if whoever asks is gone."""
        while True:
            ready, _, _ = select.select([self._channel], [], [], 0.1)
            self._device.check_running()
            if not ready:
                continue
            data, files, _, _ = socket.recv_fds(self._channel, _DATAGRAM, 1)
            if not data:
                return False
            asked = json.loads(data)
            number, what = asked["id"], asked["ask"]
            try:
                told = self._do(what, asked, [socket.socket(fileno=file) for file in files])
            except ValueError as error:
                told = {"wrong": str(error)}
            self.say(id=number, **told)
            if what == "end":
                return True

    def _do(self, what: str, asked: dict[str, Any], files: list[socket.socket]) -> dict[str, Any]:
        device = self._device
        match what:
            case "counters":
                return {"counters": list(device.counters().values())}
            case "session_messages":
                return {"value": device.session_messages}
            case "generation":
                return {"value": device.generation}
            case "begin_after":
                device.begin_after(asked["value"])
            case "connect":
                device.connect(files[0] if files else None)
            case "alive":
                np.savez(asked["file"], **device.alive()._asdict())
            case "end":
                pass
            case _:
                raise ValueError(f"nobody knows what {what!r} is")
        return {}


def _stand_down(device: LiveDevice) -> None:
    """Nobody is there any more: stop, take back what is open, and log out."""
    device.kill()
    end = time.monotonic() + LAST_SECONDS
    while _has_orders(device) and time.monotonic() < end:
        time.sleep(0.001)
    device.logout()


def _has_orders(device: LiveDevice) -> bool:
    asked = (commands.snapshot(symbol, SnapshotPart.ORDERS) for symbol in range(device.identify().symbols))
    return bool(read_snapshot([device.command(each).batch.events for each in asked], {}).orders)


def main() -> int:
    """The process."""
    folder, options, channel, *feeds = sys.argv[1:]
    a, b = (socket.socket(fileno=int(each)) for each in feeds)
    with socket.socket(fileno=int(channel)) as link, LiveDevice((a, b), folder=Path(folder), **json.loads(options)) as device:
        servant = _Servant(device, link)
        servant.say(**dataclasses.asdict(device.identify()))
        has_host = servant.run()
        if not has_host:
            _stand_down(device)
    if not has_host:
        shutil.rmtree(folder, ignore_errors=True)
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main())
