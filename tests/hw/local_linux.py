"""Linux as a port's neighbour: a TAP device in a network namespace of its own, the model of the port behind it."""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import select
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.hw.local_port import LocalPort
from wire.pcap import Writer

DEVICE, BRIDGE = "port0", "bridge0"
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
CLONE_NEWNET = 0x40000000
PATIENCE = 60.0
"""Seconds to wait for what must come; the machine may be busy."""


def unavailable() -> str | None:
    """Why there can be no neighbour here."""
    if os.geteuid() != 0:
        return "a network namespace and a TAP device need root"
    if not Path("/dev/net/tun").exists():
        return "this kernel has no TAP devices"
    if shutil.which("ip") is None:
        return "this machine has no iproute2"
    return None


class Neighbour:
    """A namespace with a TAP device and, if asked for, a bridge that it is a port of."""

    def __init__(self, address: str, *, bridge: str | None = None):
        self._libc = ctypes.CDLL(None, use_errno=True)
        outside = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            if self._libc.unshare(CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "no network namespace")
            self._inside = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
            self.tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(self.tap, TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), IFF_TAP | IFF_NO_PI))
            self.set("net/ipv6/conf/all/disable_ipv6", 1)
            self.set("net/ipv6/conf/default/disable_ipv6", 1)
            self.device = DEVICE
            self.run(f"ip link set {DEVICE} up")
            if bridge is not None:
                self.device = BRIDGE
                self.run(f"ip link add {BRIDGE} type bridge {bridge}")
                self.run(f"ip link set {DEVICE} master {BRIDGE}")
                self.run(f"ip link set {BRIDGE} up")
            self.run(f"ip addr add {address} dev {self.device}")
        finally:
            self._libc.setns(outside, 0)
            os.close(outside)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Sockets and programs that are started here belong to the namespace."""
        outside = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            self._libc.setns(self._inside, 0)
            yield
        finally:
            self._libc.setns(outside, 0)
            os.close(outside)

    @staticmethod
    def run(command: str) -> str:
        return subprocess.run(command.split(), check=True, capture_output=True, text=True).stdout

    @staticmethod
    def set(name: str, value: int) -> None:
        Path("/proc/sys", name).write_text(str(value))

    def command(self, command: str) -> str:
        """What a program prints."""
        with self.inside():
            return self.run(command)

    def setting(self, name: str, value: int) -> None:
        with self.inside():
            self.set(name, value)

    def neighbours(self) -> dict[str, dict]:
        """The kernel's ARP cache."""
        return {each["dst"]: each for each in json.loads(self.command(f"ip -json neigh show dev {self.device}") or "[]")}

    def forwards(self) -> set[str]:
        """The groups that the bridge has members of at the port."""
        found = json.loads(self.command("bridge -json mdb show"))
        return {entry["grp"] for table in found for entry in table["mdb"] if entry["port"] == DEVICE}

    def memberships(self) -> dict[str, list[str]]:
        """The kernel's own, of /proc/net/igmp: group to users, timer, reporter."""
        with self.inside():
            lines = Path("/proc/thread-self/net/igmp").read_text().splitlines()
        rows = [line.split() for line in lines if line.startswith("\t\t")]
        return {socket.inet_ntoa(struct.pack("=I", int(row[0], 16))): row[1:] for row in rows}

    def mac(self) -> str:
        with self.inside():
            return json.loads(self.run(f"ip -json link show {self.device}"))[0]["address"]

    def close(self) -> None:
        os.close(self.tap)
        os.close(self._inside)


class Cable:
    """Carries frames between the port and the kernel, and the kernel's milliseconds to the port, in a thread.

    ``port`` may be used while ``held``. ``captured`` has every frame on the cable, padded as a MAC pads it. While ``timeless``
    no milliseconds pass for the port.
    """

    def __init__(self, port: LocalPort, neighbour: Neighbour):
        self.port, self.neighbour = port, neighbour
        self.captured: list[tuple[int, bytes]] = []
        self.timeless = False
        self._lock, self._stop, self._failure = threading.Lock(), threading.Event(), None
        self._thread = threading.Thread(target=self._carry)
        self._thread.start()

    @contextmanager
    def held(self) -> Iterator[LocalPort]:
        with self._lock:
            yield self.port
            self._deliver()

    def _carry(self) -> None:
        began, passed = time.monotonic(), 0
        try:
            while not self._stop.is_set():
                readable = select.select([self.neighbour.tap], [], [], 0.001)[0]
                with self._lock:
                    if readable:
                        frame = os.read(self.neighbour.tap, 4096).ljust(60, b"\0")
                        self._capture(frame)
                        self.port.send(frame)
                        self.port.run(40)
                    due = min(int(1000 * (time.monotonic() - began)) - passed, 100)
                    if not self.timeless:
                        self.port.tick(due)
                    passed += due
                    self.port.run(40)
                    self._deliver()
        except BaseException as failure:
            self._failure = failure
            raise

    def _deliver(self) -> None:
        for frame in self.port.taken():
            frame = frame.ljust(60, b"\0")
            self._capture(frame)
            os.write(self.neighbour.tap, frame)

    def _capture(self, frame: bytes) -> None:
        self.captured.append((time.time_ns(), frame))

    def inject(self, frame: bytes) -> None:
        """A frame from a third party: the kernel and the port both hear it."""
        with self._lock:
            self._capture(frame)
            self.port.send(frame)
            os.write(self.neighbour.tap, frame)

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Waits for a condition."""
        end = time.monotonic() + PATIENCE
        while not condition():
            if self._failure is not None:
                raise AssertionError("the port failed") from self._failure
            if time.monotonic() > end:
                raise AssertionError(f"in {PATIENCE:.0f} s it did not come to be that {what}")
            time.sleep(0.005)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        assert self._failure is None

    def write(self, path: Path) -> None:
        with Writer(path) as file:
            for stamp, frame in self.captured:
                file.write(stamp, frame)
