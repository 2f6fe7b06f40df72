"""Linux's own TCP as the card's peer: a TAP device in a network namespace of its own."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.hw.tcp_card import LOCAL_ADDRESS, LOCAL_MAC, REMOTE_ADDRESS, REMOTE_MAC, Card
from tests.hw.tcp_line import Faults
from wire.ethernet import mac_text
from wire.ipv4 import address_text
from wire.pcap import Writer

DEVICE = "card0"
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
CLONE_NEWNET = 0x40000000


def unavailable() -> str | None:
    """Why there can be no peer here."""
    if os.geteuid() != 0:
        return "a network namespace and a TAP device need root"
    if not Path("/dev/net/tun").exists():
        return "this kernel has no TAP devices"
    return None


class Network:
    """A namespace with nothing in it but the TAP device. Its first and only other host is the card."""

    def __init__(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        outside = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            if libc.unshare(CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "no network namespace")
            self._inside = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
            self.tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(self.tap, TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), IFF_TAP | IFF_NO_PI))
            self.ip(f"link set {DEVICE} address {mac_text(REMOTE_MAC)} up")
            self.ip(f"addr add {address_text(REMOTE_ADDRESS)}/24 dev {DEVICE}")
            self.ip(f"neigh replace {address_text(LOCAL_ADDRESS)} lladdr {mac_text(LOCAL_MAC)} dev {DEVICE} nud permanent")
            # The kernel's shortest time-out is 200 ms otherwise: hours, for a test.
            network = address_text(REMOTE_ADDRESS & 0xFFFFFF00)
            self.ip(f"route change {network}/24 dev {DEVICE} src {address_text(REMOTE_ADDRESS)} rto_min 10ms quickack 1")
        finally:
            libc.setns(outside, 0)
            os.close(outside)
        self._libc = libc
        self.sockets: list[socket.socket] = []

    @staticmethod
    def ip(command: str) -> None:
        subprocess.run(["ip", *command.split()], check=True, capture_output=True)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Sockets made here belong to the namespace, wherever they are used."""
        outside = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            self._libc.setns(self._inside, 0)
            yield
        finally:
            self._libc.setns(outside, 0)
            os.close(outside)

    def listen(self, port: int, receive_buffer: int | None = None) -> socket.socket:
        with self.inside():
            server = socket.socket()
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if receive_buffer is not None:
                server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            server.bind((address_text(REMOTE_ADDRESS), port))
            server.listen()
        server.setblocking(False)
        self.sockets.append(server)
        return server

    def close(self) -> None:
        for each in self.sockets:
            each.close()
        os.close(self.tap)
        os.close(self._inside)


class Peers:
    """The card and the kernel, with a line between them. All that was put on it is in ``capture``."""

    def __init__(self, card: Card, network: Network, inward: Faults | None = None, outward: Faults | None = None):
        self.card, self.network = card, network
        self.inward, self.outward = inward or Faults(), outward or Faults()
        self.capture: list[tuple[int, bytes]] = []
        card.on_frame = self._leave

    def _leave(self, now: int, frame: bytes) -> None:
        frame = frame.ljust(60, b"\0")
        self.capture.append((now, frame))
        self.outward.put(now, frame)

    def run(self, cycles: int = 40) -> None:
        """Some cycles of the card, and what the kernel made of them."""
        now = self.card.cycles
        while True:
            try:
                frame = os.read(self.network.tap, 2048)
            except BlockingIOError:
                break
            if frame[12:14] == b"\x08\x00":  # the kernel's IPv6 and ARP are none of the line's
                self.capture.append((now, frame))
                self.inward.put(now, frame)
        for frame in self.inward.take(now):
            self.card.arrive(frame)
        self.card.run(cycles)
        for frame in self.outward.take(self.card.cycles):
            os.write(self.network.tap, frame)

    def until(self, condition: Callable[[], object], limit: int = 40_000_000) -> None:
        """Runs until a condition holds."""
        end = self.card.cycles + limit
        while not condition():
            if self.card.cycles > end:
                raise AssertionError(f"it did not come to be within {limit} cycles; state {self.card.state.name}")
            self.run()

    def write(self, path: Path, microsecond: int = 8) -> None:
        """The capture as a file."""
        with Writer(path) as file:
            for cycle, frame in self.capture:
                file.write(1_700_000_000 * 10**9 + cycle * 1000 // microsecond, frame)
