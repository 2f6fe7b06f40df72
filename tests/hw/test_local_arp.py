"""ARP against frames that scapy makes and reads: who is answered, who is found, what the cache keeps."""

from __future__ import annotations

import gc
import random
import warnings

import pytest
from amaranth.hdl import UnusedElaboratable
from scapy.layers.l2 import ARP, Ether

from hw.net.local.arp import Arp
from tests.hw.local_port import ADDRESS, AGE_SECONDS, ENTRIES, GATEWAY, MAC, RETRY_MS, TRIES, LocalPort
from wire.ethernet import mac_text

pytestmark = [pytest.mark.gateware, pytest.mark.twin]

OURS, ALL, NOBODY = mac_text(int.from_bytes(MAC, "big")), "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"
PEER, PEER_MAC = "10.77.0.1", "02:00:00:00:00:01"


@pytest.fixture(scope="module")
def card() -> LocalPort:
    return LocalPort()


@pytest.fixture
def port(card) -> LocalPort:
    card.reset()
    return card


def arp(op=1, *, source=PEER, mac=PEER_MAC, target=ADDRESS, to=ALL, target_mac=NOBODY, **fields) -> bytes:
    packet = ARP(op=op, hwsrc=mac, psrc=source, pdst=target, hwdst=target_mac, **fields)
    return bytes(Ether(src=mac, dst=to) / packet).ljust(60, b"\0")


def said(port: LocalPort) -> list[dict[str, object]]:
    """The ARP frames that came out, as scapy reads them; every byte is accounted for."""
    found = []
    for frame in port.taken():
        packet = Ether(frame)
        assert len(frame) == 42
        assert (packet.src, packet[ARP].hwsrc, packet[ARP].psrc) == (OURS, OURS, ADDRESS)
        assert (packet[ARP].hwtype, packet[ARP].ptype, packet[ARP].hwlen, packet[ARP].plen) == (1, 0x0800, 6, 4)
        fields = packet[ARP]
        found.append({"op": fields.op, "to": packet.dst, "mac": fields.hwdst, "target": fields.pdst})
    return found


def reply(to: str, target: str) -> dict[str, object]:
    return {"op": 2, "to": to, "mac": to, "target": target}


def request(target: str) -> dict[str, object]:
    return {"op": 1, "to": ALL, "mac": NOBODY, "target": target}


def learn(port: LocalPort, address: str, mac: str) -> None:
    """Resolves an address and answers for it."""
    port.ask(address)
    port.settle()
    assert said(port) == [request(address)]
    port.send(arp(2, source=address, mac=mac, to=OURS, target_mac=OURS))
    port.settle()
    assert port.answer() == bytes.fromhex(mac.replace(":", ""))
    assert port.counted() == {"arp_requests_sent": 1, "arp_resolved": 1}


@pytest.mark.parametrize("to", [ALL, OURS])
@pytest.mark.parametrize("stalls", [0.0, 0.6])
def test_who_asks_for_our_address_is_answered(port, to, stalls):
    port.stalls = stalls
    for n in range(20):
        mac, source = f"02:00:00:00:01:{n:02x}", f"10.77.0.{n + 10}"
        port.send(arp(mac=mac, source=source, to=to), holes=0.3)
        port.settle()
        assert said(port) == [reply(mac, source)]
        assert port.counted() == {"arp_replies": 1}
    # A probe (RFC 5227) has no address yet; one for the same address as ours is answered too: that defends it.
    port.send(arp(source="0.0.0.0"))
    port.settle()
    assert said(port) == [reply(PEER_MAC, "0.0.0.0")]
    assert port.counted() == {"arp_replies": 1}


def test_requests_for_others_and_answers_that_nobody_wants_are_left(port):
    for frame in (
        arp(target="10.77.0.3"),
        arp(target="10.77.1.2"),
        arp(2, to=OURS),
        arp(2, to=ALL, source=PEER, target=PEER),
        arp(to="02:ca:fe:12:34:57"),
        arp(to="01:00:5e:00:00:01"),
        bytes(Ether(arp()[:12] + bytes.fromhex("81000064") + arp()[12:])),  # a VLAN tag
    ):
        port.send(frame)
        port.settle()
        assert said(port) == []
        assert port.counted() == {}
    port.model["address"].value = 0
    port.send(arp(target="0.0.0.0"))
    port.settle()
    assert port.taken() == []
    assert port.counted() == {}


def test_other_hardware_and_operations_are_malformed(port):
    wrong = [
        arp(op=0),
        arp(op=3),
        arp(op=8),
        arp(op=0x0101),
        arp(hwtype=6),
        arp(ptype=0x86DD),
        arp(mac="01:00:5e:00:00:01"),
        arp(mac=ALL),
    ]
    lengths = bytearray(arp())
    lengths[18] = 8
    wrong += [bytes(lengths), arp()[:41], arp()[:33], arp()[:40]]
    for frame in wrong:
        port.send(frame)
        port.settle()
        assert said(port) == []
        assert port.counted() == {"local_malformed": 1}, frame.hex()
    port.send(arp()[:42])
    port.settle()
    assert said(port) == [reply(PEER_MAC, PEER)]
    assert port.counted() == {"arp_replies": 1}


def test_a_bad_frame_leaves_no_trace(port):
    for bad in (arp(), arp(op=9), arp()[:20], b"", arp()[:41]):
        port.send(bad, bad=True)
        port.settle()
        assert port.taken() == []
        assert port.counted() == {}
    port.send(arp(), bad=True)
    port.send(arp(source="10.77.0.9", mac="02:00:00:00:00:09"))  # the next beat
    port.settle()
    assert said(port) == [reply("02:00:00:00:00:09", "10.77.0.9")]
    assert port.counted() == {"arp_replies": 1}


def test_an_address_is_asked_for_again_and_then_given_up(port):
    port.ask(PEER)
    port.settle()
    sent = [0]
    assert said(port) == [request(PEER)]
    while (found := port.answer()) is None:
        port.tick(cycles=400)
        frames = said(port)
        assert frames in ([], [request(PEER)])
        sent += [port.milliseconds] * len(frames)
    assert found is False
    assert sent == [n * RETRY_MS for n in range(TRIES)]
    assert port.milliseconds == TRIES * RETRY_MS
    assert port.counted() == {"arp_requests_sent": TRIES, "arp_timeouts": 1}
    # It asks anew for whoever comes next, and an answer that comes late is taken.
    learn(port, PEER, PEER_MAC)


@pytest.mark.parametrize("late", range(TRIES))
def test_an_answer_is_found_at_every_try(port, late):
    port.ask(PEER)
    port.settle()
    for _ in range(late):
        port.tick(RETRY_MS)
        port.settle()
    assert said(port) == [request(PEER)] * (late + 1)
    assert port.answer() is None
    port.send(arp(2, source="10.77.0.7", mac="02:00:00:00:00:07", to=OURS))  # somebody else's
    port.settle()
    assert port.answer() is None
    port.send(arp(2, to=OURS))
    port.settle()
    assert port.answer() == bytes.fromhex("020000000001")
    port.tick(4 * RETRY_MS)
    assert port.taken() == []
    assert port.counted() == {"arp_requests_sent": late + 1, "arp_resolved": 1}


def test_a_request_from_whom_we_ask_for_is_an_answer_and_is_answered(port):
    port.ask(PEER)
    port.settle()
    port.send(arp())
    port.settle()
    assert said(port) == [request(PEER), reply(PEER_MAC, PEER)]
    assert port.answer() == bytes.fromhex("020000000001")
    assert port.counted() == {"arp_requests_sent": 1, "arp_resolved": 1, "arp_replies": 1}


def test_addresses_outside_the_network_are_reached_through_the_gateway(port):
    learn(port, GATEWAY, "02:00:00:00:00:fe")
    for outside in ("192.0.2.1", "10.77.1.1", "10.78.0.2"):
        port.ask(outside)
        port.settle()
        assert port.answer() == bytes.fromhex("0200000000fe")
    assert said(port) == []
    assert port.counted() == {"arp_resolved": 3}
    port.model["gateway"].value = 0
    port.ask("192.0.2.1")
    port.settle()
    assert port.answer() is False
    assert said(port) == []
    assert port.counted() == {"arp_timeouts": 1}


def test_the_cache_answers_at_once_follows_its_hosts_and_nobody_else(port):
    learn(port, PEER, PEER_MAC)
    moves = [
        arp(mac="02:00:00:00:02:01", target="10.77.0.99"),  # a request for somebody else
        arp(2, mac="02:00:00:00:02:02", target=PEER),  # gratuitous
        arp(1, mac="02:00:00:00:02:03", target=PEER),
        arp(2, mac="02:00:00:00:02:04", to=OURS),
    ]
    for n, frame in enumerate(moves, 1):
        port.send(frame)
        port.settle()
        before = port.model.cycles
        port.ask(PEER)
        while (found := port.answer()) is None:
            port.cycle()
        assert found == bytes.fromhex(f"02000000020{n}")
        assert port.model.cycles - before <= 3 * ENTRIES + 5 + 2
        assert said(port) == []
        assert port.counted() == {"arp_resolved": 1}
    # What was never asked for does not get in.
    port.send(arp(2, source="10.77.0.5", mac="02:00:00:00:00:05", target="10.77.0.5"))
    port.send(arp(source="10.77.0.5", mac="02:00:00:00:00:05"))
    port.settle()
    assert said(port) == [reply("02:00:00:00:00:05", "10.77.0.5")]
    port.counted()
    learn(port, "10.77.0.5", "02:00:00:00:00:06")


def test_an_entry_is_good_for_its_age_and_longer_if_it_is_heard(port):
    learn(port, PEER, PEER_MAC)
    for _ in range(AGE_SECONDS + 2):
        port.tick(1000)
        port.send(arp(2, target=PEER))
        port.settle()
    port.tick(1000 * (AGE_SECONDS - 1))
    port.ask(PEER)
    port.settle()
    assert port.answer()
    assert port.counted() == {"arp_resolved": 1}
    port.tick(1000 * AGE_SECONDS)
    learn(port, PEER, PEER_MAC)  # it is asked for again


def test_a_full_cache_replaces_its_entries_in_turn(port):
    hosts = {f"10.77.0.{n}": f"02:00:00:00:03:{n:02x}" for n in range(20, 20 + ENTRIES + 2)}
    for address, mac in hosts.items():
        learn(port, address, mac)
    for n, (address, mac) in enumerate(hosts.items()):
        if n >= 2:
            port.ask(address)
            port.settle()
            assert port.answer() == bytes.fromhex(mac.replace(":", ""))
            assert said(port) == []
            assert port.counted() == {"arp_resolved": 1}
    learn(port, "10.77.0.20", "02:00:00:00:03:20")


def test_an_announcement_is_a_request_for_our_own_address(port):
    port.pulse("announce")
    port.settle()
    assert said(port) == [request(ADDRESS)]
    assert port.counted() == {"arp_requests_sent": 1}


@pytest.mark.fuzz
def test_any_traffic_leaves_the_cache_as_a_dictionary_would_be(port):
    """Random requests, answers and resolutions; a dictionary of what was asked for says what must be known."""
    seed = random.Random(3)
    known: dict[str, str] = {}
    asked: list[str] = []
    hosts = [f"10.77.0.{n}" for n in range(30, 30 + ENTRIES)]
    for _ in range(250):
        host, mac = seed.choice(hosts), f"02:00:00:00:04:{seed.randrange(256):02x}"
        if seed.random() < 0.5:
            asks = seed.random() < 0.5
            target = ADDRESS if seed.random() < 0.5 else "10.77.0.200"
            port.send(arp(1 if asks else 2, source=host, mac=mac, target=target), holes=0.1)
            if host in asked:
                known[host] = mac
            port.settle()
            answers = asks and target == ADDRESS
            assert said(port) == ([reply(mac, host)] if answers else [])
            assert port.counted() == ({"arp_replies": 1} if answers else {})
        elif host in known:
            port.ask(host)
            port.settle()
            assert port.answer() == bytes.fromhex(known[host].replace(":", ""))
            assert said(port) == []
            assert port.counted() == {"arp_resolved": 1}
        else:
            learn(port, host, mac)
            known[host] = mac
            asked.append(host)
    assert len(known) == ENTRIES


@pytest.mark.parametrize("wrong", [{"entries": 1}, {"entries": 17}, {"tries": 0}, {"retry_ms": 0}, {"age_seconds": 0}])
def test_parameters_are_checked(wrong):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnusedElaboratable)
        with pytest.raises(ValueError, match=str(next(iter(wrong.values())))):
            Arp(**wrong)
        gc.collect()


@pytest.mark.parametrize("gap", [0, 1, 2, 3, 7, 100])
def test_an_announcement_asked_for_while_one_is_made_is_made_too(port, gap):
    port.pulse("announce")
    port.run(gap)
    port.pulse("announce")
    port.settle()
    frames = said(port)
    assert frames == [request(ADDRESS)] * (2 if gap else len(frames))
    assert port.counted() == {"arp_requests_sent": len(frames)}
