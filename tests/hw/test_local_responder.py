"""The local responder as a whole: mutated frames against a judge written from the RFCs, bursts, a full buffer, line rate."""

from __future__ import annotations

import random
import struct
from collections import Counter

import pytest
from scapy.layers.igmp import IGMP_MQ, IGMPv2_MR, IGMPv3_MQ
from scapy.layers.inet import ICMP, IP, UDP, IPOption_Router_Alert
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

from hw.net.local.frame_buffer import FRAMES
from hw.net.local.responder import COUNTERS
from tests.hw.local_port import ADDRESS, BURST, INTERVAL_MS, MAC, LocalPort, Port, beats
from tests.hw.simulation import simulate
from wire.ethernet import mac_text
from wire.ipv4 import address

pytestmark = [pytest.mark.gateware, pytest.mark.twin]

OURS, ALL = mac_text(int.from_bytes(MAC, "big")), "ff:ff:ff:ff:ff:ff"
PEER, PEER_MAC = "10.77.0.1", "02:00:00:00:00:01"
ADDRESS_BYTES = address(ADDRESS).to_bytes(4, "big")
BUFFER_WORDS = 511


@pytest.fixture(scope="module")
def card() -> LocalPort:
    return LocalPort()


@pytest.fixture
def port(card) -> LocalPort:
    card.reset()
    return card


def arp_request(n: int = 1) -> bytes:
    packet = ARP(hwsrc=f"02:00:00:00:07:{n:02x}", psrc=f"10.77.0.{n}", pdst=ADDRESS)
    return bytes(Ether(src=packet.hwsrc, dst=ALL) / packet).ljust(60, b"\0")


def echo(payload: bytes, **ip) -> bytes:
    packet = IP(**({"src": PEER, "dst": ADDRESS} | ip)) / ICMP(id=1, seq=2) / Raw(payload)
    return bytes(Ether(src=PEER_MAC, dst=OURS) / packet).ljust(60, b"\0")


def query(version: int = 3) -> bytes:
    message = IGMPv3_MQ(mrcode=1) if version == 3 else IGMP_MQ(mrcode=1)
    header = IP(src=PEER, dst="224.0.0.1", ttl=1, proto=2, options=[IPOption_Router_Alert()])
    return bytes(Ether(src=PEER_MAC, dst="01:00:5e:00:00:01") / header / message).ljust(60, b"\0")


def datagram(size: int = 100) -> bytes:
    packet = IP(src=PEER, dst="239.1.2.3") / UDP(sport=1, dport=2) / Raw(bytes(size))
    return bytes(Ether(src=PEER_MAC, dst="01:00:5e:01:02:03") / packet).ljust(60, b"\0")


# -- the judge -----------------------------------------------------------------------------------------


def sums_up(data: bytes) -> bool:
    total = sum(struct.unpack(f">{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total == 0xFFFF


def judge(frame: bytes) -> tuple[str | None, bytes | None]:
    """The counter that a frame moves, and the reply to it."""
    to, kind = frame[:6], frame[12:14]
    if len(frame) < 33:
        return None, None
    if kind == b"\x08\x06" and to in (MAC, b"\xff" * 6):
        return judge_arp(frame)
    group = to[:3] == b"\x01\x00\x5e" and to[3] < 0x80
    if kind == b"\x08\x00" and ((frame[23] == 1 and to == MAC) or (frame[23] == 2 and (to == MAC or group))):
        return judge_ipv4(frame)
    return None, None


def judge_arp(frame: bytes) -> tuple[str | None, bytes | None]:
    operation = frame[20:22]
    if len(frame) < 42 or frame[14:20] != bytes.fromhex("000108000604"):
        return "local_malformed", None
    if operation not in (b"\0\1", b"\0\2") or frame[22] & 1:
        return "local_malformed", None
    if operation == b"\0\2" or frame[38:42] != ADDRESS_BYTES:
        return None, None
    asker = frame[22:32]
    return "arp_replies", asker[:6] + MAC + frame[12:20] + b"\0\2" + MAC + ADDRESS_BYTES + asker


def judge_ipv4(frame: bytes) -> tuple[str | None, bytes | None]:
    icmp = frame[23] == 1
    if len(frame) < 34:
        return "local_malformed", None
    header = 4 * (frame[14] & 15)
    (total,), (fragment,) = struct.unpack(">H", frame[16:18]), struct.unpack(">H", frame[20:22])
    fragment &= 0x3FFF
    body = frame[14 + header : 14 + total]
    if frame[14] >> 4 != 4 or header < 20 or total < header + 8 or 14 + total > len(frame) or frame[6] & 1:
        return "local_malformed", None
    if fragment and not icmp:
        return "local_malformed", None
    if not sums_up(frame[14 : 14 + header]):
        return "local_bad_checksum", None
    if icmp and frame[30:34] != ADDRESS_BYTES:
        return None, None
    if not fragment and not sums_up(body):
        return "local_bad_checksum", None
    if not icmp:
        return judge_igmp(frame[30:34], body), None
    first = frame[26]
    if header != 20 or fragment or body[:2] != b"\x08\0" or total > 1500 or first in (0, 127) or first >= 224:
        return "icmp_dropped", None
    answer = IP(src=ADDRESS, dst=Ether(frame)[IP].src, id=0, flags="DF", ttl=64, tos=frame[15])
    answer /= ICMP(type=0, id=int.from_bytes(body[4:6], "big"), seq=int.from_bytes(body[6:8], "big"))
    return "icmp_replies", frame[6:12] + MAC + frame[12:14] + bytes(answer / Raw(body[8:]))


def judge_igmp(destination: bytes, body: bytes) -> str | None:
    general = body[4:8] == bytes(4)
    for_us = destination in (ADDRESS_BYTES, b"\xe0\0\0\1") or (destination == body[4:8] and not general)
    if body[0] != 0x11 or not for_us:
        return None
    return "igmp_queries" if len(body) == 8 or len(body) >= 12 else "local_malformed"


def mutated(seed: random.Random) -> bytes:
    """A frame of any of the protocols, mostly with something wrong."""
    kind = seed.randrange(8)
    if kind < 2:
        frame = arp_request(seed.randrange(1, 255))
        if seed.random() < 0.3:
            frame = MAC + frame[6:]
    elif kind < 5:
        options = {}
        if seed.random() < 0.15:
            options["options"] = b"\1" * 4 * seed.randrange(1, 11)
        if seed.random() < 0.15:
            options["flags"], options["frag"] = seed.choice(("MF", "DF", "")), seed.choice((0, 1, 0x1FFF))
        options["tos"] = seed.randrange(256)
        frame = echo(seed.randbytes(seed.choice((0, 1, 7, 8, 18, 19, 64, 333, 1472, 1473))), **options)
    elif kind < 7:
        frame = query(seed.choice((2, 3)))
    else:
        frame = datagram(seed.randrange(300))
    if seed.random() < 0.3:
        frame += seed.randbytes(seed.randrange(1, 40))
    data = bytearray(frame)
    if seed.random() < 0.5:
        for _ in range(seed.choice((1, 1, 1, 2, 3))):
            data[seed.randrange(min(len(data), 60))] ^= 1 << seed.randrange(8)
    if seed.random() < 0.2:
        whole = len(data) - 14
        data[16:18] = struct.pack(">H", seed.choice((0, 20, 27, 28, whole, whole + 1, 0xFFFF, seed.randrange(1600))))
    if seed.random() < 0.5 and len(data) > 34 and data[12:14] == b"\x08\0":
        header = 4 * (data[14] & 15)
        data[24:26] = b"\0\0"
        for value in range(2):  # make the header right again, often
            words = bytes(data[14 : 14 + header]).ljust(20, b"\0")
            total = sum(struct.unpack(f">{len(words) // 2}H", words)) % 0xFFFF
            if not value:
                data[24:26] = struct.pack(">H", 0xFFFF - total)
    if seed.random() < 0.15:
        data = data[: seed.randrange(len(data) + 1)]
    return bytes(data)


def equal(got: bytes, wanted: bytes) -> bool:
    """Up to the two ways to write an ICMP checksum of zero."""
    return got == wanted or (got[:36] + got[38:] == wanted[:36] + wanted[38:] and sums_up(got[34:]))


@pytest.mark.fuzz
@pytest.mark.parametrize(("stalls", "frames"), [(0.0, 1500), (0.4, 700)])
def test_every_frame_is_judged_as_the_rfcs_say(port, stalls, frames):
    seed = random.Random(11)
    port.stalls = stalls
    kinds: Counter[str] = Counter()
    for number in range(frames):
        frame, bad = mutated(seed), seed.random() < 0.1
        port.tick(INTERVAL_MS, cycles=4)
        port.send(frame, bad=bad, holes=seed.choice((0.0, 0.3)))
        if seed.random() < 0.5:  # right behind it something that is nobody's, or bad
            port.send(datagram(), bad=seed.random() < 0.5)
        port.settle()
        counter, reply = judge(frame) if not bad and frame else (None, None)
        kinds[counter] += 1
        assert port.counted() == ({counter: 1} if counter else {}), (number, frame.hex())
        replies = port.taken()
        assert len(replies) == (reply is not None), (number, frame.hex())
        assert not replies or equal(replies[0], reply), (number, frame.hex(), replies[0].hex())
    wanted = {"arp_replies", "icmp_replies", "icmp_dropped", "igmp_queries", "local_bad_checksum", "local_malformed", None}
    assert set(kinds) == wanted
    assert all(number > 10 for number in kinds.values()), kinds


# -- bursts --------------------------------------------------------------------------------------------


def test_a_burst_of_frames_is_answered_in_order_up_to_what_the_buffer_holds(port):
    for n in range(1, 13):
        port.send(arp_request(n))
    port.settle()
    port.run(2000)
    assert [Ether(frame)[ARP].pdst for frame in port.taken()] == [f"10.77.0.{n}" for n in range(1, FRAMES + 1)]
    assert port.counted() == {"arp_replies": FRAMES, "local_dropped": 12 - FRAMES}
    port.send(arp_request(77))
    port.settle()
    assert [Ether(frame)[ARP].pdst for frame in port.taken()] == ["10.77.0.77"]
    assert port.counted() == {"arp_replies": 1}


@pytest.mark.parametrize("size", [1472, 1000, 500, 400])
def test_what_does_not_fit_is_dropped_whole(port, size):
    words = -(-(42 + size) // 8)
    fits = min(BUFFER_WORDS // words, FRAMES)
    for turn in range(7):  # the ring wraps at another place each time
        frames = [echo(bytes([turn, n]) * (size // 2)) for n in range(fits + 2)]
        port.stalls = 1.0
        for frame in frames:
            port.send(frame)
        assert port.taken() == []
        port.stalls = 0.0
        for _ in range(fits + 2):
            port.settle()
        replies = port.taken()
        assert [reply[42:] for reply in replies] == [frame[42:] for frame in frames[: min(fits, BURST)]]
        counted = port.counted()
        assert counted.pop("local_dropped") == 2
        assert sum(counted.values()) == fits
        port.tick(BURST * INTERVAL_MS)
        port.send(arp_request())
        port.settle()
        assert len(port.taken()) == 1
        assert port.counted() == {"arp_replies": 1}


def test_a_frame_longer_than_any_is_dropped_and_the_next_is_read(port):
    port.send(echo(bytes(3000)))
    port.send(echo(b"next"))
    port.settle()
    assert [frame[42:46] for frame in port.taken()] == [b"next"]
    assert port.counted() == {"local_dropped": 1, "icmp_replies": 1}


def test_a_line_full_of_the_feed_takes_nothing_from_the_port(port):
    """Smallest frames with the smallest gap; among them requests, with the time that they need."""
    answered = 0
    for n in range(60):
        for _ in range(25):
            port.send(datagram(0))
            port.run(2)
        port.send(arp_request(n) if n % 2 else echo(bytes([n]) * 32))
        port.run(2)
        if n % 10 == 9:
            port.tick(BURST * INTERVAL_MS, cycles=2)
        answered += 1
    port.settle()
    replies = port.taken()
    counted = port.counted()
    assert len(replies) == counted["arp_replies"] + counted["icmp_replies"]
    assert counted["arp_replies"] == 30
    assert sum(counted.values()) == answered == 60
    assert set(counted) <= {"arp_replies", "icmp_replies", "icmp_dropped"}


def test_nothing_is_lost_while_the_line_is_taken_by_others(port):
    """The arbiter lets a low input wait: requests, a report and a resolution are all done afterwards."""
    port.model["tx__ready"].value = 0
    port.stalls = 1.0
    port.groups("239.1.1.1", "239.1.1.2")
    port.send(arp_request(3))
    port.send(query())
    port.send(echo(b"wait"))
    port.ask("10.77.0.9")
    port.tick(5, cycles=400)
    port.run(2000)
    assert port.sent == []
    port.stalls = 0.0
    port.tick(3)
    port.run(3000)
    kinds = [frame[12:14] + frame[23:24] * (frame[12:14] == b"\x08\0") for frame in port.taken()]
    assert sorted(kinds) == sorted([b"\x08\x06", b"\x08\x06", b"\x08\0\x01", b"\x08\0\x02"])
    wanted = {"arp_replies": 1, "arp_requests_sent": 1, "icmp_replies": 1, "igmp_queries": 1, "igmp_reports": 1}
    assert port.counted() == wanted


def test_latencies_are_as_documented(port):
    """From the last beat of the request to the first of the reply."""

    def latency(frame: bytes) -> int:
        port.tick(BURST * INTERVAL_MS)
        port.send(frame)
        port.settle()
        first = port.sent_at[0] - port.latest
        port.taken()
        return first

    assert latency(arp_request()) <= 230
    small, large = latency(echo(bytes(18))), latency(echo(bytes(1472)))
    assert small <= 180
    assert abs(large - small - (1472 - 18) // 2) <= 4


def test_a_port_without_groups_leaves_igmp():
    dut = Port(groups=0)
    report = bytes(Ether(dst=OURS, src=PEER_MAC) / IP(dst=ADDRESS, proto=2) / IGMPv2_MR()).ljust(60, b"\0")
    given = [query(), arp_request(1), report, query(2), arp_request(2)]
    first_beats = []

    async def wire(ctx):
        ctx.set(dut.mac, int.from_bytes(MAC, "big"))
        ctx.set(dut.address, address(ADDRESS))
        ctx.set(dut.tx.ready, 1)
        await ctx.tick().repeat(20)
        for frame in given:
            for payload in beats(frame):
                ctx.set(dut.rx.payload.as_value(), payload)
                ctx.set(dut.rx.valid, 1)
                await ctx.tick()
            ctx.set(dut.rx.valid, 0)
        for _ in range(900):
            if ctx.get(dut.tx.valid) and len(first_beats) < 12:
                first_beats.append(ctx.get(dut.tx.payload.data))
            await ctx.tick()
        counts = {name: ctx.get(getattr(dut, f"total_{name}")) for name in COUNTERS}
        assert {name for name, count in counts.items() if count} == {"arp_replies"}
        assert counts["arp_replies"] == 2

    simulate(dut, wire)
    frame = b"".join(word.to_bytes(8, "little") for word in first_beats)
    assert (frame[:42], frame[48:90]) == (judge(arp_request(1))[1], judge(arp_request(2))[1])
