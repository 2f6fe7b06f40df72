"""Frames that are good, and frames with one thing wrong: each ends in its own counter and nowhere else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.scenarios.build import Result, Scenario, Script, mold_frame, system_event, udp_frame
from wire import frames, moldudp64
from wire.checksum import checksum
from wire.ethernet import ETHERNET, SERVICE_VLAN_TYPE, VLAN_TYPE
from wire.ipv4 import IPV4
from wire.records import MAX_PAYLOAD, EventType, Opcode, Port
from wire.udp import UDP

IP_AT = ETHERNET.length
UDP_AT = IP_AT + IPV4.length
MOLD_AT = UDP_AT + UDP.length
SESSION = "SESSION001"
ADDRESS_A, PORT_A, ADDRESS_B, PORT_B = 0xE9360C6F, 26477, 0xE9360C70, 26478
OPEN = system_event("Q")
UNKNOWN = b"?" + bytes(7)
GOOD = mold_frame(1, [OPEN], SESSION)


def changed(frame: bytes, at: int, *octets: int, seal: bool = True) -> bytes:
    """A frame with some bytes replaced; its IPv4 header checksum is made right again unless ``seal`` is false."""
    out = bytearray(frame)
    out[at : at + len(octets)] = bytes(octets)
    if seal:
        header = 4 * (out[IP_AT] & 15)
        out[IP_AT + 10 : IP_AT + 12] = b"\0\0"
        covered = bytes(out[IP_AT : IP_AT + header])
        out[IP_AT + 10 : IP_AT + 12] = _sum(covered).to_bytes(2, "big")
    return bytes(out)


def _sum(data: bytes) -> int:
    return int(checksum(np.frombuffer(data, np.uint8), 0, len(data), 0))


def no_udp_checksum(frame: bytes) -> bytes:
    """Without the checksum that would notice what is changed in the payload."""
    return changed(frame, UDP_AT + 6, 0, 0)


def raw(payload: bytes, **changes: int) -> bytes:
    """A frame around any UDP payload."""
    return udp_frame(payload, **changes)


def configured() -> Script:
    return Script().command(
        Opcode.SET_FEED,
        start_sequence=1,
        session=SESSION,
        address_a=ADDRESS_A,
        port_a=PORT_A,
        address_b=ADDRESS_B,
        port_b=PORT_B,
    )


def counts(**expected: int) -> Callable[[Result], None]:
    """A check that just these counters counted, besides the one command."""

    def check(result: Result) -> None:
        assert result.counters == {"commands": 1, "frames": 1} | expected
        trading = len(result.of(EventType.TRADING_STATE))
        assert trading == (1 if "itch_S" in expected else 0)

    return check


TAKEN = {"messages": 1, "itch_S": 1}


def _good(name: str, frame: bytes, port: Port = Port.FEED_A, **also: int) -> Scenario:
    packets = {Port.FEED_A: "packets_a", Port.FEED_B: "packets_b", Port.RECOVERY: "packets_recovery"}[port]
    return Scenario(f"ingest: {name}", configured().frame(frame, port), counts(**{packets: 1}, **TAKEN, **also))


def _bad(name: str, frame: bytes, counter: str, port: Port = Port.FEED_A) -> Scenario:
    return Scenario(f"ingest: {name}", configured().frame(frame, port), counts(**{counter: 1}))


def _tagged(*types: int) -> bytes:
    tags = tuple((kind, 7) for kind in types)
    return frames.build(
        frames.Frame(
            tags=tags,
            destination=ADDRESS_A,
            destination_port=PORT_A,
            payload=moldudp64.packet(SESSION, 1, [OPEN]),
        )
    )


def _with_options(words: int) -> bytes:
    return frames.build(
        frames.Frame(
            destination=ADDRESS_A,
            destination_port=PORT_A,
            ip_options=b"\1\1\1\1" * words,
            payload=moldudp64.packet(SESSION, 1, [OPEN]),
        )
    )


def _filling(size: int) -> bytes:
    """A MoldUDP64 packet of this many bytes: a system event, and one long message that nobody knows."""
    rest = size - moldudp64.HEADER_LENGTH - 2 - len(OPEN) - 2
    return moldudp64.packet(SESSION, 1, [OPEN, b"?" * rest])


def _mold(sequence: int, count: int, blocks: bytes, session: str = SESSION) -> bytes:
    head = moldudp64.DOWNSTREAM.pack(session=session, sequence_number=sequence, message_count=count)
    return raw(head + blocks)


def _block(message: bytes) -> bytes:
    return len(message).to_bytes(2, "big") + message


def _link() -> list[Scenario]:
    vlan, service, wrong = VLAN_TYPE, SERVICE_VLAN_TYPE, 0x9100
    bare = ETHERNET.pack(destination=0, source=0, ethertype=0x0800)
    return [
        _good("a good frame", GOOD),
        _good("feed B", mold_frame(1, [OPEN], SESSION, destination=ADDRESS_B, destination_port=PORT_B), Port.FEED_B),
        _good(
            "recovery takes any address",
            mold_frame(1, [OPEN], SESSION, destination=1, destination_port=1),
            Port.RECOVERY,
        ),
        _good("one tag", _tagged(vlan)),
        _good("one service tag", _tagged(service)),
        _good("two tags", _tagged(service, vlan)),
        _good("two tags of one kind", _tagged(vlan, vlan)),
        _bad("three tags", _tagged(service, vlan, vlan), "not_ipv4"),
        _bad("an unknown tag", _tagged(wrong), "not_ipv4"),
        _bad("nothing", b"", "truncated"),
        _bad("13 bytes", GOOD[:13], "truncated"),
        _bad("14 bytes", GOOD[:14], "truncated"),
        _bad("a tag that is cut", _tagged(vlan)[:17], "truncated"),
        _bad("a second tag that is cut", _tagged(service, vlan)[:21], "truncated"),
        _bad("ARP", changed(GOOD, 12, 0x08, 0x06, seal=False), "not_ipv4"),
        _bad("IPv6 by its EtherType", changed(GOOD, 12, 0x86, 0xDD, seal=False), "not_ipv4"),
        _bad("IPv4 header cut", GOOD[: IP_AT + 19], "truncated"),
        _bad("just an IPv4 header", bare + GOOD[IP_AT : IP_AT + 20], "truncated"),
    ]


def _network() -> list[Scenario]:
    at = IP_AT
    total = len(mold_frame(1, [OPEN], SESSION)) - IP_AT
    padded = GOOD + b"\xff" * 9
    return [
        _bad("version 6", changed(GOOD, at, 0x65), "not_ipv4"),
        _bad("version 6 with a short header", changed(GOOD, at, 0x60, seal=False), "not_ipv4"),
        _bad("header of 16 bytes", changed(GOOD, at, 0x44), "truncated"),
        _good("options", _with_options(1)),
        _good("all options", _with_options(10)),
        _bad("options beyond the frame", changed(GOOD[: at + 24], at, 0x4F, seal=False), "truncated"),
        _bad("total length below the header's", changed(GOOD, at + 2, 0, 19), "truncated"),
        _bad("total length beyond the frame", changed(GOOD, at + 2, total + 1 >> 8, total + 1 & 255), "truncated"),
        _bad("IPv4 checksum", changed(GOOD, at + 8, 63, seal=False), "bad_ip_checksum"),
        _bad("IPv4 checksum before fragment", changed(GOOD, at + 6, 0x20, 0, seal=False), "bad_ip_checksum"),
        _bad("more fragments", changed(GOOD, at + 6, 0x20, 0), "fragment"),
        _bad("fragment offset", changed(GOOD, at + 6, 0, 1), "fragment"),
        _bad("fragment of something else", changed(changed(GOOD, at + 6, 0, 1), at + 9, 6), "fragment"),
        _good("don't fragment, and the reserved bit", changed(GOOD, at + 6, 0xC0, 0)),
        _bad("TCP", changed(GOOD, at + 9, 6), "not_udp"),
        _good("padding behind the datagram", padded),
    ]


def _transport() -> list[Scenario]:
    at = UDP_AT
    size = UDP.length + len(moldudp64.packet(SESSION, 1, [OPEN]))
    rest = frames.build(
        frames.Frame(
            destination=ADDRESS_A,
            destination_port=PORT_A,
            payload=moldudp64.packet(SESSION, 1, [OPEN]),
            rest=b"\xff" * 5,
        )
    )
    return [
        _bad("UDP header cut", changed(GOOD, IP_AT + 2, 0, 27), "truncated"),
        _bad("UDP length below 8", changed(GOOD, at + 4, 0, 7), "truncated"),
        _bad("UDP length beyond IPv4's", changed(GOOD, at + 4, size + 1 >> 8, size + 1 & 255), "truncated"),
        _good("bytes between UDP length and IPv4's", rest),
        _good("no UDP checksum", no_udp_checksum(GOOD)),
        _bad("UDP checksum", changed(GOOD, at + 6, GOOD[at + 6] ^ 1), "bad_udp_checksum"),
        _bad("payload under the checksum", changed(GOOD, MOLD_AT + 3, 33), "bad_udp_checksum"),
        _bad("another address", mold_frame(1, [OPEN], SESSION, destination=ADDRESS_B), "filtered"),
        _bad("another port", mold_frame(1, [OPEN], SESSION, destination_port=PORT_B), "filtered"),
        _bad("feed A's frame on feed B", GOOD, "filtered", Port.FEED_B),
        _bad(
            "filter before checksum",
            changed(mold_frame(1, [OPEN], SESSION, destination_port=PORT_B), MOLD_AT, 33),
            "filtered",
        ),
        _longest(),
        _bad("one byte more", raw(_filling(MAX_PAYLOAD + 1)), "oversize"),
        _bad("oversize before checksum", changed(raw(_filling(MAX_PAYLOAD + 1)), MOLD_AT, 33), "oversize"),
    ]


def _longest() -> Scenario:
    expected = counts(packets_a=1, messages=2, itch_S=1, itch_unknown=1)
    return Scenario("ingest: the longest payload", configured().frame(raw(_filling(MAX_PAYLOAD))), expected)


def _packet() -> list[Scenario]:
    other = "SESSION002"
    alive = {"packets_a": 1}
    return [
        _bad("MoldUDP64 header cut", raw(moldudp64.packet(SESSION, 1, [OPEN])[:19]), "packets_malformed"),
        _bad("no payload", raw(b""), "packets_malformed"),
        _bad("another session", mold_frame(1, [OPEN], other), "packets_other_session"),
        _bad("blank session", mold_frame(1, [OPEN], ""), "packets_other_session"),
        _bad("another session before malformed", _mold(1, 1, b"", other), "packets_other_session"),
        _bad("sequence number 2^63", _mold(1 << 63, 1, _block(OPEN)), "packets_malformed"),
        _bad("a heartbeat with sequence number 2^63", _mold(1 << 63, 0, b""), "packets_malformed"),
        _bad("no block", _mold(1, 1, b""), "packets_malformed"),
        _bad("half a block length", _mold(1, 1, b"\0"), "packets_malformed"),
        _bad("a block that is cut", _mold(1, 1, _block(OPEN)[:-1]), "packets_malformed"),
        _bad("a byte behind the blocks", _mold(1, 1, _block(OPEN) + b"\0"), "packets_malformed"),
        _bad("one block too few", _mold(1, 3, _block(OPEN) * 2), "packets_malformed"),
        _bad("one block too many", _mold(1, 1, _block(OPEN) * 2), "packets_malformed"),
        _bad("a heartbeat with a block", _mold(1, 0, _block(OPEN)), "packets_malformed"),
        _bad("an end of session with a block", _mold(1, 0xFFFF, _block(OPEN)), "packets_malformed"),
        Scenario("ingest: heartbeat", configured().frame(_mold(1, 0, b"")), counts(**alive, packets_heartbeat=1)),
        Scenario(
            "ingest: end of session",
            configured().frame(_mold(1, 0xFFFF, b"")),
            counts(**alive, packets_end_of_session=1),
        ),
        Scenario(
            "ingest: the highest sequence number is far ahead",
            configured().frame(_mold((1 << 63) - 1, 1, _block(OPEN))),
            counts(**alive, packets_held=1),
        ),
        Scenario(
            "ingest: as many messages as a card takes",
            configured().frame(_mold(1, 102, _block(UNKNOWN) * 102)),
            counts(**alive, messages=102, itch_unknown=102),
        ),
        _bad("one message more", _mold(1, 103, _block(UNKNOWN) * 103), "packets_malformed"),
        _bad("a message shorter than any", _mold(1, 3, _block(OPEN) + _block(UNKNOWN[:7]) + _block(OPEN)), "packets_malformed"),
        _bad("nothing but empty messages", _mold(1, 726, b"\0\0" * 726), "packets_malformed"),
    ]


SCENARIOS: list[Scenario] = [*_link(), *_network(), *_transport(), *_packet()]
