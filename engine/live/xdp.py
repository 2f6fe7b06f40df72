"""Frames past the kernel's stack: AF_XDP (Linux, Documentation/networking/af_xdp.rst), set up with the system's own calls.

A program of a dozen instructions is attached to the interface. It gives UDP frames for the feed's port to the socket of the queue
that they came in by, and leaves everything else to the kernel. Their bytes lie in memory that is shared with the kernel: the path
reads them where they are. Where the driver can, nothing is copied (``zero_copy``); elsewhere, on virtual interfaces too, the
kernel copies each frame once.

Frames that a virtual interface of this machine sent lack their UDP checksum as long as its offload is on (``ethtool -K NAME tx
off``): the path counts them as what they are then.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
import struct
from typing import Any, NamedTuple

import numpy as np

from engine.live.kernel import load_acquire, store_release
from engine.unsigned import word
from wire.compiled import compiled
from wire.records import Port

Vector = np.ndarray[Any, np.dtype[Any]]

AF_XDP, SOL_XDP = 44, 283
MMAP_OFFSETS, RX_RING, UMEM_REG, FILL_RING, COMPLETION_RING = 1, 2, 4, 5, 6
PAGE_RX, PAGE_FILL = 0, 0x1_0000_0000
COPY, ZERO_COPY = 1 << 1, 1 << 2
FRAME = 2048
SYS_BPF = {"x86_64": 321, "aarch64": 280}
MAP_CREATE, MAP_UPDATE, PROG_LOAD, LINK_CREATE = 0, 2, 5, 28
XSKMAP, PROG_TYPE_XDP, ATTACH_XDP = 17, 6, 37
GENERIC, NATIVE = 1 << 1, 1 << 2
QUEUES = 64
REDIRECT_MAP = 51
PASS = 2
PORT_AT = 36
"""UDP destination port in a frame without tags and options; in others the program lets it pass."""
SPARE = 4
"""Inputs of a turn that are no frames."""
FEED_A, FEED_B = Port.FEED_A.value, Port.FEED_B.value


class XdpError(RuntimeError):
    """Something that AF_XDP needs is not to be had; the text says what."""


class XdpReceiver(NamedTuple):
    """What compiled code needs of one socket, which takes the frames of both feeds.

    ``received`` and ``fill`` begin at the producer's index of the kernel's rings, 32 bits and wrapping; the consumer's is
    ``consumer`` numbers behind it.
    """

    received: Vector
    descriptors: Vector  # address and length, two words each
    fill: Vector
    free: Vector  # addresses
    taken: Vector  # one word: frames of this turn
    consumer: int
    at: int  # of the frames in the buffer
    mask: int  # places of each ring less one
    port_b: int  # UDP destination port of feed B, as it stands in memory


_NO_RING = np.zeros(0, np.uint32), np.zeros(0, np.int64)
NO_RECEIVER = XdpReceiver(*_NO_RING, *_NO_RING, np.zeros(1, np.int64), 0, 0, 0, 0)
"""In the place of a receiver where frames come another way."""

_libc = ctypes.CDLL(None, use_errno=True)


def _bpf(command: int, attributes: bytes) -> int:
    machine = os.uname().machine
    if machine not in SYS_BPF:
        raise XdpError(f"{machine}: the number of its bpf call is not known here")
    buffer = ctypes.create_string_buffer(attributes.ljust(128, b"\0"), 128)
    result: int = _libc.syscall(SYS_BPF[machine], command, buffer, 128)
    if result < 0:
        error = ctypes.get_errno()
        raise XdpError(f"bpf({command}): {os.strerror(error)}")
    return result


def _instruction(code: int, destination: int = 0, source: int = 0, offset: int = 0, immediate: int = 0) -> bytes:
    return struct.pack("<BBhi", code, source << 4 | destination, offset, immediate)


def program(map_file: int, ports: tuple[int, ...]) -> bytes:
    """UDP over IPv4 without options or tags, to one of the ports: to the queue's socket. All else passes."""
    load_byte, load_half, load_word = 0x71, 0x69, 0x61
    jump_greater, jump_differs, jump_same, jump = 0x2D, 0x55, 0x15, 0x05
    move, move_number, add_number, call, leave = 0xBF, 0xB7, 0x07, 0x85, 0x95
    checks = [
        (load_word, 2, 1, 0, 0),  # r2 = data
        (load_word, 3, 1, 4, 0),  # r3 = its end
        (move, 6, 1, 0, 0),
        (move, 4, 2, 0, 0),
        (add_number, 4, 0, 0, 42),
        (jump_greater, 4, 3, None, 0),
        (load_half, 5, 2, 12, 0),
        (jump_differs, 5, 0, None, socket.htons(0x0800)),
        (load_byte, 5, 2, 14, 0),
        (jump_differs, 5, 0, None, 0x45),
        (load_byte, 5, 2, 23, 0),
        (jump_differs, 5, 0, None, socket.IPPROTO_UDP),
        (load_half, 5, 2, 36, 0),
    ]
    begin = len(checks) + len(ports) + 1  # of what gives it to the socket
    end = begin + 6  # of what lets it pass
    for n, port in enumerate(ports):
        checks.append((jump_same, 5, 0, begin - (len(checks) + 1), socket.htons(port)))
        assert len(checks) == 13 + n + 1
    checks.append((jump, 0, 0, None, 0))
    code = [
        _instruction(op, to, of, end - (place + 1) if offset is None else offset, number)
        for place, (op, to, of, offset, number) in enumerate(checks)
    ]
    code += [
        _instruction(load_word, 2, 6, 16),  # r2 = the queue
        _instruction(0x18, 1, 1, 0, map_file),  # r1 = the map, two places
        _instruction(0),
        _instruction(move_number, 3, 0, 0, PASS),
        _instruction(call, 0, 0, 0, REDIRECT_MAP),
        _instruction(leave),
        _instruction(move_number, 0, 0, 0, PASS),
        _instruction(leave),
    ]
    return b"".join(code)


class XdpSocket:
    """A socket for one queue of an interface, and the program that feeds it.

    Parameters
    ----------
    interface : str
    ports : sequence of int
        UDP destination ports: of feed A, and of feed B if that comes in here too.
    buffer : uint8
        From ``at`` on, a page boundary, ``size`` frames of 2,048 bytes are the kernel's and this socket's.
    at : int
    queue : int
    size : int
        Frames of each ring, a power of two.
    zero_copy : bool
        Nothing is copied, or it fails.

    Raises
    ------
    XdpError
    """

    def __init__(
        self, interface: str, ports: tuple[int, ...], buffer: Vector, at: int, *, queue: int = 0, size: int = 256,
        zero_copy: bool = False,
    ) -> None:  # fmt: skip
        self._files: list[int] = []
        if (buffer.ctypes.data + at) % mmap.PAGESIZE:
            raise ValueError(f"frames begin at byte {at} of the buffer, which is no page's beginning")
        try:
            index = socket.if_nametoindex(interface)
            self._socket = socket.socket(AF_XDP, socket.SOCK_RAW, 0)
        except OSError as error:
            raise XdpError(f"{interface}: {error.strerror}") from error
        try:
            self._option(UMEM_REG, struct.pack("<QQIIII", buffer.ctypes.data + at, size * FRAME, FRAME, 0, 0, 0))
            for ring in (FILL_RING, COMPLETION_RING, RX_RING):
                self._option(ring, struct.pack("<i", size))
            offsets = struct.unpack("<16Q", self._socket.getsockopt(SOL_XDP, MMAP_OFFSETS, 128))
            received, descriptors, consumer = self._ring(PAGE_RX, offsets[0:4], size, 2)
            fill, free, _ = self._ring(PAGE_FILL, offsets[8:12], size, 1)
            free[:size] = np.arange(size) * FRAME
            fill[0] = size
            self._attach(interface, index, ports, queue)
            address = struct.pack("<HHIII", AF_XDP, ZERO_COPY if zero_copy else COPY, index, queue, 0)
            if _libc.bind(self._socket.fileno(), address, len(address)) < 0:
                raise XdpError(f"{interface}, queue {queue}: bind: {os.strerror(ctypes.get_errno())}")
        except BaseException:
            self.close()
            raise
        port_b = socket.htons(ports[-1])
        taken = np.zeros(1, np.int64)
        self.receiver = XdpReceiver(received, descriptors, fill, free, taken, consumer, at, size - 1, port_b)

    def _option(self, name: int, value: bytes) -> None:
        try:
            self._socket.setsockopt(SOL_XDP, name, value)
        except OSError as error:
            raise XdpError(f"AF_XDP option {name}: {error.strerror}") from error

    def _ring(self, page: int, offsets: tuple[int, ...], size: int, words: int) -> tuple[Vector, Vector, int]:
        """A ring's indices from the producer's on, its places, and how far behind the producer's the consumer's index is."""
        producer, consumer, begin, _ = offsets
        length = begin + size * words * 8
        address = self._map(page, length)
        assert consumer > producer
        indices = np.ctypeslib.as_array((ctypes.c_uint32 * ((begin - producer) // 4)).from_address(address + producer))
        places = np.ctypeslib.as_array((ctypes.c_int64 * (size * words)).from_address(address + begin))
        return indices, places, (consumer - producer) // 4

    def _map(self, page: int, length: int) -> int:
        call = _libc.mmap
        call.restype = ctypes.c_void_p
        call.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
        flags = mmap.MAP_SHARED | 0x8000  # MAP_POPULATE
        address: int | None = call(None, length, mmap.PROT_READ | mmap.PROT_WRITE, flags, self._socket.fileno(), page)
        if address is None or address == ctypes.c_void_p(-1).value:
            raise XdpError(f"mmap of a ring: {os.strerror(ctypes.get_errno())}")
        return address

    def _attach(self, interface: str, index: int, ports: tuple[int, ...], queue: int) -> None:
        sockets = _bpf(MAP_CREATE, struct.pack("<IIII", XSKMAP, 4, 4, QUEUES))
        self._files.append(sockets)
        key, value = (ctypes.c_uint32(number) for number in (queue, self._socket.fileno()))
        _bpf(MAP_UPDATE, struct.pack("<IIQQQ", sockets, 0, ctypes.addressof(key), ctypes.addressof(value), 0))
        code = ctypes.create_string_buffer(program(sockets, ports))
        licence = ctypes.create_string_buffer(b"Apache-2.0")
        count = (len(code) - 1) // 8
        loaded = _bpf(
            PROG_LOAD, struct.pack("<IIQQIIQ", PROG_TYPE_XDP, count, ctypes.addressof(code), ctypes.addressof(licence), 0, 0, 0)
        )
        self._files.append(loaded)
        for flags in (NATIVE, GENERIC):
            try:
                self._files.append(_bpf(LINK_CREATE, struct.pack("<IIII", loaded, index, ATTACH_XDP, flags)))
                return
            except XdpError as error:
                if flags == GENERIC:
                    raise XdpError(f"{interface}: no XDP program can be attached: {error}") from error

    def close(self) -> None:
        """Detach the program and close the socket."""
        for file in reversed(self._files):
            os.close(file)
        self._files = []
        self._socket.close()


@compiled
def take_frames(receiver: Any, buffer: Any, inputs: Any, count: int, stamp: int) -> int:
    """Adds the frames that wait to the inputs of a turn, where they lie; how many inputs there are then."""
    consumer = word(receiver.received[receiver.consumer])
    waiting = (word(load_acquire(receiver.received, 0)) - consumer) & 0xFFFF_FFFF
    waiting = min(waiting, word(len(inputs)) - count - SPARE)
    for n in range(waiting):
        place = 2 * ((consumer + n) & receiver.mask)
        at = receiver.at + receiver.descriptors[place]
        port = word(buffer[at + PORT_AT]) | word(buffer[at + PORT_AT + 1]) << 8
        record = inputs[count + n]
        record.timestamp = stamp
        record.offset = at
        record.length = receiver.descriptors[place + 1] & 0xFFFF_FFFF
        record.port = FEED_B if port == receiver.port_b else FEED_A
    receiver.taken[0] = waiting
    return count + waiting


@compiled
def give_back(receiver: Any) -> None:
    """The frames of this turn are done with: the kernel may fill them again."""
    count = receiver.taken[0]
    if count > 0:
        consumer, producer = word(receiver.received[receiver.consumer]), word(receiver.fill[0])
        for n in range(count):
            address = receiver.descriptors[2 * ((consumer + n) & receiver.mask)]
            receiver.free[(producer + n) & receiver.mask] = address & ~(FRAME - 1)
        store_release(receiver.received, receiver.consumer, consumer + count)
        store_release(receiver.fill, 0, producer + count)
        receiver.taken[0] = 0
