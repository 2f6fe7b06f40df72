"""ICMP echo against frames that scapy makes and reads, all sizes, everything that is not to be answered, the rate."""

from __future__ import annotations

import gc
import random
import struct
import warnings

import pytest
from amaranth.hdl import UnusedElaboratable
from scapy.layers.inet import ICMP, IP, IPOption_Router_Alert
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Raw

from hw.net.local.icmp import Icmp
from tests.hw.local_port import ADDRESS, BURST, INTERVAL_MS, MAC, LocalPort
from wire.ethernet import mac_text

pytestmark = [pytest.mark.gateware, pytest.mark.twin]

OURS, ALL = mac_text(int.from_bytes(MAC, "big")), "ff:ff:ff:ff:ff:ff"
PEER, PEER_MAC = "10.77.0.1", "02:00:00:00:00:01"
MOST = 1472


@pytest.fixture(scope="module")
def card() -> LocalPort:
    return LocalPort()


@pytest.fixture
def port(card) -> LocalPort:
    card.reset()
    return card


def echo(payload: bytes = b"hairpin!", *, to: str = OURS, mac: str = PEER_MAC, ip=None, icmp=None, trailer=b"") -> bytes:
    """An echo request, padded as a MAC pads it."""
    packet = IP(**({"src": PEER, "dst": ADDRESS, "id": 77} | (ip or {}))) / ICMP(**({"id": 7, "seq": 9} | (icmp or {})))
    frame = bytes(Ether(src=mac, dst=to) / packet / Raw(payload)) + trailer
    return frame.ljust(60, b"\0")


def ones_complement(data: bytes) -> int:
    total = sum(struct.unpack(f">{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def reply(request: bytes) -> bytes:
    """What scapy would answer."""
    asked = Ether(request)[IP]
    payload = request[42 : 14 + asked.len]
    answer = IP(src=ADDRESS, dst=asked.src, id=0, flags="DF", ttl=64, tos=asked.tos)
    answer /= ICMP(type=0, id=asked[ICMP].id, seq=asked[ICMP].seq)
    return bytes(Ether(src=OURS, dst=Ether(request).src) / answer / Raw(payload))


def ping(port: LocalPort, frame: bytes, **how) -> list[bytes]:
    port.send(frame, **how)
    port.settle()
    return port.taken()


def refill(port: LocalPort) -> None:
    port.tick(BURST * INTERVAL_MS)


def same(got: bytes, wanted: bytes) -> bool:
    """Equal up to the two ways to write a checksum of zero."""
    return got[:36] + got[38:] == wanted[:36] + wanted[38:] and ones_complement(got[34:]) == 0xFFFF


@pytest.mark.parametrize(("stalls", "step"), [(0.0, 1), (0.5, 13)])
def test_every_size_is_answered(port, stalls, step):
    seed = random.Random(2)
    port.stalls = stalls
    for size in range(0, MOST + 1, step):
        port.tick(INTERVAL_MS, cycles=4)
        request = echo(seed.randbytes(size), ip={"tos": seed.randrange(256)}, icmp={"id": size, "seq": seed.randrange(1 << 16)})
        (got,) = ping(port, request)
        assert same(got, reply(request)), size
        assert len(got) == 42 + size
    answered = MOST // step + 1
    assert port.counted() == {"icmp_replies": answered}


@pytest.mark.parametrize("payload", [b"", b"\0", bytes(8), bytes(1472), b"\xff\xff", b"\xff" * 64, b"\xf8\0"])
@pytest.mark.parametrize("numbers", [(0, 0), (0xFFFF, 0), (0xFFFF, 0xFFFF), (0xF7FF, 0), (0xF800, 0), (0, 0xF7FE)])
def test_the_updated_checksum_is_right_where_it_wraps(port, payload, numbers):
    """Among them 0xFFFF, which is what a reply of nothing but zeros needs: RFC 1624's formula would give 0x0000."""
    request = echo(payload, icmp=dict(zip(("id", "seq"), numbers, strict=True)))
    (got,) = ping(port, request)
    assert same(got, reply(request))
    assert port.counted() == {"icmp_replies": 1}


def test_a_request_with_the_other_zero_as_checksum_is_right(port):
    """All one's complement zeros: the sum is 0xFFFF with the field 0xFFFF as with 0x0000."""
    request = bytearray(echo(b"", icmp={"id": 0xF7FF, "seq": 0}))
    assert request[36:38] == b"\0\0"
    request[36:38] = b"\xff\xff"
    (got,) = ping(port, bytes(request))
    assert same(got, reply(bytes(request)))
    assert port.counted() == {"icmp_replies": 1}


def test_bytes_behind_the_datagram_are_left(port):
    request = echo(b"x" * 101, trailer=b"\xaa" * 33)
    (got,) = ping(port, request, holes=0.5)
    assert got == reply(request)
    assert port.counted() == {"icmp_replies": 1}


@pytest.mark.parametrize(
    "request_",
    [
        echo(icmp={"type": 0}),
        echo(icmp={"type": 13}),
        echo(icmp={"type": 3, "code": 1}),
        echo(icmp={"code": 1}),
        echo(ip={"options": [IPOption_Router_Alert()]}),
        echo(ip={"options": b"\x01" * 40}),
        echo(ip={"flags": "MF"}),
        echo(ip={"frag": 1}),
        echo(ip={"frag": 8191, "flags": "MF"}),
        echo(b"y" * 1473),
        echo(b"y" * 1900),
        echo(ip={"src": "0.0.0.0"}),
        echo(ip={"src": "127.0.0.1"}),
        echo(ip={"src": "224.0.0.1"}),
        echo(ip={"src": "255.255.255.255"}),
    ],
    ids=lambda frame: Ether(frame)[IP].sprintf("%src% %flags% %frag% %len% %options%"),
)
def test_what_is_not_an_answerable_echo_request_is_dropped(port, request_):
    assert ping(port, request_) == []
    assert port.counted() == {"icmp_dropped": 1}


@pytest.mark.parametrize(
    "request_",
    [
        echo(ip={"dst": "10.77.0.3"}),
        echo(ip={"dst": "10.77.0.255"}),
        echo(ip={"dst": "255.255.255.255"}),
        echo(ip={"dst": "224.0.0.1"}),
        echo(to=ALL),
        echo(to=ALL, ip={"dst": "10.77.0.255"}),
        echo(to="01:00:5e:00:00:01", ip={"dst": "224.0.0.1"}),
        echo(to="02:ca:fe:12:34:57"),
        echo(to="03:ca:fe:12:34:56"),
        bytes(Ether(src=PEER_MAC, dst=OURS) / Dot1Q(vlan=5) / IP(src=PEER, dst=ADDRESS) / ICMP()).ljust(60, b"\0"),
        echo(ip={"proto": 17}),
        echo(ip={"proto": 6}),
        echo()[:12] + b"\x86\xdd" + echo()[14:],
    ],
)
def test_what_is_not_for_us_is_left(port, request_):
    assert ping(port, request_) == []
    assert port.counted() == {}


def test_without_an_address_nothing_is_ours(port):
    port.model["address"].value = 0
    assert ping(port, echo(ip={"dst": "0.0.0.0"})) == []
    assert port.counted() == {}


@pytest.mark.parametrize("size", [0, 1, 18, 19, 700])
def test_a_wrong_checksum_is_counted(port, size):
    seed = random.Random(size)
    good = echo(seed.randbytes(size))
    end = 42 + size
    # Bits whose change leaves all lengths as they are: in the header behind the total length, then in the message.
    for bit in [*range(8 * 18, 8 * 20), *range(8 * 22, 8 * 23), *range(8 * 24, 8 * 26)]:
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        assert ping(port, bytes(bad)) == []
        assert port.counted() == {"local_bad_checksum": 1}, bit
    for bit in seed.sample(range(8 * 34, 8 * end), 40):
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        assert ping(port, bytes(bad)) == []
        assert port.counted() == {"local_bad_checksum": 1}, bit
    assert ping(port, good) == [reply(good)]
    assert port.counted() == {"icmp_replies": 1}


def fixed(frame: bytearray) -> bytes:
    """With a right IPv4 header checksum."""
    length = 4 * (frame[14] & 15)
    frame[24:26] = b"\0\0"
    frame[24:26] = struct.pack(">H", 0xFFFF ^ ones_complement(bytes(frame[14 : 14 + length])))
    return bytes(frame)


def test_lengths_that_contradict_each_other_are_malformed(port):
    whole = echo(b"z" * 100)
    wrong = []
    for version_length in (0x55, 0x35, 0x44, 0x40, 0x4F, 0x65):
        frame = bytearray(whole)
        frame[14] = version_length
        if version_length != 0x4F:
            wrong.append(fixed(frame))
    for total in (0, 4, 19, 20, 27, 129, 130, 1500, 0x8080, 0xFFFF):
        frame = bytearray(whole)
        frame[16:18] = struct.pack(">H", total)
        wrong.append(fixed(frame))
    wrong += [whole[:n] for n in (33, 34, 41, 42, 100, 140, 141)]
    wrong.append(echo(mac="01:00:5e:00:00:01"))
    for frame in wrong:
        assert ping(port, frame) == []
        assert port.counted() == {"local_malformed": 1}, frame.hex()
    # Shorter ones are nobody's.
    for n in (1, 8, 14, 23, 24, 31, 32):
        assert ping(port, whole[:n]) == []
        assert port.counted() == {}


def test_no_more_replies_than_the_bucket_has(port):
    requests = [echo(bytes([n]) * 20) for n in range(BURST + 3)]
    for request in requests:
        port.send(request)
        port.run(60)
    port.settle()
    assert port.taken() == [reply(request) for request in requests[:BURST]]
    assert port.counted() == {"icmp_replies": BURST, "icmp_dropped": 3}
    for _ in range(5):  # one more in each interval, not before
        port.tick(INTERVAL_MS - 1)
        assert ping(port, requests[0]) == []
        port.tick()
        assert ping(port, requests[0]) == [reply(requests[0])]
        assert ping(port, requests[0]) == []
        assert port.counted() == {"icmp_replies": 1, "icmp_dropped": 2}
    port.tick(20 * BURST * INTERVAL_MS)
    for n in range(BURST + 1):
        assert len(ping(port, requests[0])) == (n < BURST)
    assert port.counted() == {"icmp_replies": BURST, "icmp_dropped": 1}


def test_a_flood_costs_the_line_no_more_than_the_bucket_allows(port):
    """Largest requests, one behind the other, for 30 ms of 600 cycles."""
    request = echo(bytes(MOST))
    sent, beats = 0, 0
    for _ in range(30):
        port.model["tick_ms"].value = 1
        port.cycle()
        port.model["tick_ms"].value = 0
        start = port.model.cycles
        while port.model.cycles - start < 600:
            port.send(request)
            sent += 1
    port.settle()
    port.run(3000)
    replies = port.taken()
    beats = sum(-(-len(frame) // 8) for frame in replies)
    counted = port.counted()
    assert set(replies) == {reply(request)}
    assert BURST <= len(replies) <= BURST + 30 // INTERVAL_MS
    assert beats <= 190 * (BURST + 30 // INTERVAL_MS)
    assert sum(counted.values()) == sent
    assert set(counted) == {"icmp_replies", "icmp_dropped", "local_dropped"}


@pytest.mark.parametrize("wrong", [{"burst": 0}, {"interval_ms": 0}])
def test_parameters_are_checked(wrong):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnusedElaboratable)
        with pytest.raises(ValueError, match="at least 1"):
            Icmp(**wrong)
        gc.collect()
