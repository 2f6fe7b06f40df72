"""IGMP against queries and reports that scapy makes and reads: joins, leaves, answers in time, older versions."""

from __future__ import annotations

import gc
import random
import struct
import warnings

import pytest
from amaranth.hdl import UnusedElaboratable
from scapy.layers.igmp import IGMP, IGMP_MQ, IGMP_MR, IGMPv2_MR, IGMPv3_MQ, IGMPv3_MR
from scapy.layers.inet import IP, IPOption_Router_Alert
from scapy.layers.l2 import Ether

from hw.net.local.igmp import Igmp
from tests.hw.local_port import ADDRESS, GROUPS, MAC, LocalPort
from wire.ethernet import mac_text, multicast_mac
from wire.ipv4 import address

pytestmark = [pytest.mark.gateware, pytest.mark.twin]

OURS = mac_text(int.from_bytes(MAC, "big"))
ROUTER, ROUTER_MAC = "10.77.0.254", "02:00:00:00:00:fe"
OTHER = "10.77.0.9"
ALL_SYSTEMS, ALL_ROUTERS, V3_ROUTERS = "224.0.0.1", "224.0.0.2", "224.0.0.22"
TABLE = tuple(f"239.{n}.200.{n + 7}" for n in range(GROUPS))
IS_EXCLUDE, TO_INCLUDE, TO_EXCLUDE = 2, 3, 4
LOST_MS = 60
"""Milliseconds of the model that eight messages in a row may take: here one is 40 cycles, on the card 156,250."""
AT_ONCE_MS = 15
"""And one."""


@pytest.fixture(scope="module")
def card() -> LocalPort:
    return LocalPort()


@pytest.fixture
def port(card) -> LocalPort:
    card.reset()
    return card


# -- what a router and other members send ------------------------------------------------------------


def ones_complement(data: bytes) -> int:
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def checksummed(message: bytes) -> bytes:
    total = 0xFFFF ^ ones_complement(message + b"\0" * (len(message) % 2))
    return message[:2] + struct.pack(">H", total) + message[4:]


def around(message, target: str, *, source: str = ROUTER, to: str | None = None, alert: bool = True, **ip) -> bytes:
    options = {"options": [IPOption_Router_Alert()]} if alert else {}
    header = IP(**({"src": source, "dst": target, "ttl": 1, "proto": 2} | options | ip))
    destination = to or mac_text(multicast_mac(address(target)))
    return bytes(Ether(src=ROUTER_MAC, dst=destination) / header / message).ljust(60, b"\0")


def query(version: int = 3, group: str = "0.0.0.0", code: int = 100, sources: tuple[str, ...] = (), target=None, **how):
    """A query; ``code`` is the response time as it stands in the message."""
    message = IGMPv3_MQ(gaddr=group, qrv=2, qqic=125, srcaddrs=list(sources)) if version == 3 else IGMP_MQ(gaddr=group)
    message = bytes(message)
    message = checksummed(message[:1] + bytes([code if version > 1 else 0, 0, 0]) + message[4:])
    return around(message, target or (ALL_SYSTEMS if group == "0.0.0.0" else group), **how)


def report(group: str, version: int = 2, source: str = OTHER) -> bytes:
    message = (IGMPv2_MR if version == 2 else IGMP_MR)(gaddr=group, mrcode=0)
    return around(bytes(message), group, source=source)


# -- what we send ------------------------------------------------------------------------------------


def told(port: LocalPort) -> list[tuple]:
    """The messages that came out: ("v3", [(type, group), ...]), ("v2" or "v1" or "leave", group)."""
    found = []
    for frame in port.taken():
        packet = Ether(frame)
        header = packet[IP]
        assert (packet.src, header.src, header.ttl, header.tos, header.proto) == (OURS, ADDRESS, 1, 0xC0, 2)
        assert (header.ihl, header.len, bytes(header)[20:24]) == (6, len(frame) - 14, bytes.fromhex("94040000"))
        assert packet.dst == mac_text(multicast_mac(address(header.dst)))
        assert ones_complement(frame[14:38]) == ones_complement(frame[38:]) == 0xFFFF
        kind, message = frame[38], frame[38:]
        if kind == 0x22:
            assert header.dst == V3_ROUTERS
            reports = IGMPv3_MR(message)
            assert (message[1], reports.numgrp, len(message)) == (0, len(reports.records), 8 + 8 * reports.numgrp)
            assert all(not (each.numsrc or each.auxdlen or each.srcaddrs) for each in reports.records)
            found.append(("v3", sorted((each.rtype, each.maddr) for each in reports.records)))
        else:
            name = {0x16: "v2", 0x12: "v1", 0x17: "leave"}[kind]
            group = IGMP(message).gaddr
            assert (message[1], len(message)) == (0, 8)
            assert header.dst == (ALL_ROUTERS if name == "leave" else group)
            found.append((name, group))
    return found


def v3(kind: int, *groups: str) -> tuple:
    return ("v3", sorted((kind, group) for group in groups))


def wait(port: LocalPort, milliseconds: int, cycles: int = 40) -> list[tuple[int, tuple]]:
    """Messages of the next milliseconds, and in which they were there."""
    found = []
    start = port.milliseconds
    for _ in range(milliseconds):
        port.tick(cycles=cycles)
        if port.sent:
            found += [(port.milliseconds - start, each) for each in told(port)]
    port.run(400)
    return found + [(milliseconds, each) for each in told(port)]


def hear(port: LocalPort, frame: bytes) -> None:
    port.send(frame, holes=0.2)
    port.run(200)


def join(port: LocalPort, *table: str | None) -> None:
    """Sets the table and lets all be told that follows."""
    port.groups(*table)
    wait(port, 1100)
    port.counted()


def use(port: LocalPort, version: int) -> None:
    """A querier of that version is there."""
    if version < 3:
        hear(port, query(version, code=1))
        wait(port, 10_100 if version == 1 else 150)
        port.counted()


# -- joining and leaving -----------------------------------------------------------------------------


def test_joins_are_told_at_once_and_again_within_a_second(port):
    port.groups(*TABLE)
    first, *others = wait(port, 3000)
    assert first[0] <= AT_ONCE_MS
    assert first[1] == v3(TO_EXCLUDE, *TABLE)
    again = sorted(record for _, (_, records) in others for record in records)
    assert again == sorted((TO_EXCLUDE, group) for group in TABLE)
    assert all(when <= 960 + LOST_MS for when, _ in others)
    assert port.counted() == {"igmp_reports": 1 + len(others)}
    assert len({when for when, _ in others}) > 4  # each at a time of its own


def test_leaves_are_told_at_once_and_again(port):
    join(port, *TABLE)
    port.groups(*TABLE[:6])
    first, *others = wait(port, 3000)
    assert first[1] == v3(TO_INCLUDE, *TABLE[6:])
    assert sorted(r for _, (_, records) in others for r in records) == sorted((TO_INCLUDE, group) for group in TABLE[6:])
    assert all(when <= 960 + LOST_MS for when, _ in others)
    assert port.counted() == {"igmp_reports": 1 + len(others)}


def test_an_address_that_changes_is_left_and_joined(port):
    join(port, TABLE[0], TABLE[1])
    port.groups("239.9.9.9", TABLE[1])
    (left, first), (joined, second), *others = wait(port, 3000)
    assert (first, second) == (v3(TO_INCLUDE, TABLE[0]), v3(TO_EXCLUDE, "239.9.9.9"))
    assert joined - left <= AT_ONCE_MS
    assert [message for _, message in others] == [v3(TO_EXCLUDE, "239.9.9.9")]
    assert port.counted() == {"igmp_reports": 3}


@pytest.mark.parametrize("group", ["224.0.0.1", "10.0.0.1", "223.255.255.255", "240.0.0.1", "255.255.255.255", "0.0.0.0"])
def test_what_is_no_group_is_not_joined(port, group):
    port.groups(group, None, "239.1.1.1")
    messages = [message for _, message in wait(port, 1200)]
    assert messages == [v3(TO_EXCLUDE, "239.1.1.1")] * 2
    hear(port, query(code=1))
    assert [message for _, message in wait(port, 200)] == [v3(IS_EXCLUDE, "239.1.1.1")]
    assert port.counted() == {"igmp_reports": 3, "igmp_queries": 1}


def test_a_change_that_is_undone_before_it_is_seen_is_none(port):
    join(port, TABLE[0])
    port.groups()
    port.run(5)
    port.groups(TABLE[0])
    assert wait(port, 50) == []
    port.groups()
    port.tick(cycles=300)
    port.groups(TABLE[0])
    messages = [message for _, message in wait(port, 2000)]
    assert messages == [v3(TO_INCLUDE, TABLE[0]), *[v3(TO_EXCLUDE, TABLE[0])] * 2]
    assert port.counted() == {"igmp_reports": 3}


def test_after_a_reset_everything_is_told_anew(port):
    join(port, *TABLE[:3])
    port.reset()
    assert wait(port, 100) == []
    port.groups(TABLE[0])
    assert [message for _, message in wait(port, 1500)] == [v3(TO_EXCLUDE, TABLE[0])] * 2


def test_an_announcement_tells_all_groups_as_if_just_joined(port):
    join(port, *TABLE[:3])
    port.pulse("announce")
    port.run(300)
    assert len(port.taken()) == 1  # the ARP
    (when, first), *others = wait(port, 2000)
    assert when <= AT_ONCE_MS
    assert first == v3(TO_EXCLUDE, *TABLE[:3])
    assert sorted(r for _, (_, records) in others for r in records) == sorted((TO_EXCLUDE, group) for group in TABLE[:3])
    assert port.counted() == {"igmp_reports": 1 + len(others), "arp_requests_sent": 1}


# -- queries of version 3 ----------------------------------------------------------------------------


def response_ms(code: int) -> int:
    """RFC 3376, 4.1.1: what the code means, in milliseconds."""
    return 100 * (code if code < 128 else ((code & 15) | 16) << ((code >> 4 & 7) + 3))


@pytest.mark.parametrize("code", [1, 2, 10, 100, 127, 128, 0x8F, 0x90, 0x9F, 0xA0, 0xFF])
def test_a_general_query_is_answered_in_one_message_in_time(port, code):
    join(port, *TABLE)
    longest = min(response_ms(code), 49_600)
    hear(port, query(code=code))
    start = port.milliseconds
    while not port.sent:
        port.tick()
    assert port.milliseconds - start <= 0.96 * longest + AT_ONCE_MS
    assert [message for _, message in wait(port, 500)] == [v3(IS_EXCLUDE, *TABLE)]
    assert port.counted() == {"igmp_queries": 1, "igmp_reports": 1}


def test_a_response_time_of_zero_is_answered_at_once(port):
    join(port, TABLE[0])
    hear(port, query(code=0))
    assert wait(port, 20)[0][0] <= AT_ONCE_MS


def delays(port: LocalPort, number: int, mac: bytes = MAC) -> list[int]:
    port.reset()
    port.model["mac"].value = int.from_bytes(mac, "big")
    port.groups(TABLE[0])
    port.tick(1200)
    found = []
    for _ in range(number):
        port.taken()
        port.send(query(code=6))
        port.run(200)
        start = port.milliseconds
        while not port.sent:
            port.tick(cycles=60)
            port.run(200 if port.sent else 0)
        found.append(port.milliseconds - start)
    return found


def test_delays_are_spread_over_the_response_time_and_differ_between_cards(port):
    ours = delays(port, 60)
    assert max(ours) <= 576 + AT_ONCE_MS
    quarters = [sum(144 * n <= delay < 144 * (n + 1) for delay in ours) for n in range(4)]
    assert all(number >= 5 for number in quarters), ours
    others = delays(port, 10, mac=MAC[:-1] + b"\x57")
    assert sum(abs(a - b) > 20 for a, b in zip(ours, others, strict=False)) >= 8


@pytest.mark.parametrize("sources", [(), ("10.1.1.1",), ("10.1.1.1", "10.1.1.2")])
def test_a_query_for_a_group_is_answered_for_that_group(port, sources):
    join(port, *TABLE)
    hear(port, query(group=TABLE[5], code=10, sources=sources))
    assert [message for _, message in wait(port, 1200)] == [v3(IS_EXCLUDE, TABLE[5])]
    hear(port, query(group="239.77.77.77", code=10, sources=sources))
    assert wait(port, 1200) == []
    assert port.counted() == {"igmp_queries": 2, "igmp_reports": 1}


def test_the_earliest_answer_counts(port):
    join(port, *TABLE[:2])
    hear(port, query(code=0x9F))  # 49.6 s
    wait(port, 5)
    hear(port, query(group=TABLE[1], code=5))
    assert [message for _, message in wait(port, 510)] == [v3(IS_EXCLUDE, TABLE[1])]
    hear(port, query(code=1))
    (answer,) = wait(port, 110)
    assert answer[1] == v3(IS_EXCLUDE, *TABLE[:2])
    hear(port, query(code=2))
    hear(port, query(code=0x9F))
    (answer,) = wait(port, 210)
    assert answer[1] == v3(IS_EXCLUDE, *TABLE[:2])
    assert wait(port, 3000) == []
    assert port.counted() == {"igmp_queries": 5, "igmp_reports": 3}


def test_the_table_may_change_while_an_answer_waits(port):
    join(port, *TABLE[:3])
    hear(port, query(code=0x9F))
    port.groups(TABLE[0], None, TABLE[2], TABLE[3])
    wait(port, 3000)
    port.counted()
    hear(port, query(code=1))
    (answer,) = wait(port, 110)
    assert answer[1] == v3(IS_EXCLUDE, TABLE[0], TABLE[2], TABLE[3])
    hear(port, query(code=50))
    port.groups()
    messages = wait(port, 5_100)
    assert {kind for _, (_, records) in messages for kind, _ in records} == {TO_INCLUDE}
    assert port.counted() == {"igmp_queries": 2, "igmp_reports": 1 + len(messages)}


def test_a_query_while_a_join_is_told_is_answered_by_the_join(port):
    port.groups(TABLE[0])
    port.tick(3, cycles=300)
    assert told(port) == [v3(TO_EXCLUDE, TABLE[0])]
    hear(port, query(code=1))
    (answer,) = wait(port, 110)
    assert answer[1] == v3(TO_EXCLUDE, TABLE[0])
    assert wait(port, 1500) == []
    assert port.counted() == {"igmp_queries": 1, "igmp_reports": 2}


# -- which messages count ----------------------------------------------------------------------------


@pytest.mark.parametrize("version", [2, 3])
def test_queries_count_by_their_destination(port, version):
    port.groups(TABLE[0])
    use(port, version)
    wait(port, 1000)
    port.counted()
    for frame in (
        query(version, code=1, target=ADDRESS, to=OURS),
        query(version, code=1),
        query(version, code=1, group=TABLE[0]),
        query(version, code=1, group=TABLE[0], target=ALL_SYSTEMS),
        query(version, code=1, group=TABLE[0], target=ADDRESS, to=OURS),
        query(version, code=1, alert=False),
        query(version, code=1, ttl=64),
        query(version, code=1, source="0.0.0.0"),
    ):
        hear(port, frame)
        assert len(wait(port, 110)) == 1
        assert port.counted() == {"igmp_queries": 1, "igmp_reports": 1}
    for frame in (
        query(version, code=1, target=TABLE[0]),  # a general one belongs to all systems
        query(version, code=1, target="224.0.0.5"),
        query(version, code=1, group=TABLE[0], target=TABLE[1]),
        query(version, code=1, target="10.77.0.3", to=OURS),
        query(version, code=1, to="02:ca:fe:12:34:57"),
        query(version, code=1, to="01:00:5e:80:00:01"),
        query(version, code=1)[:12] + bytes.fromhex("81000001") + query(version, code=1)[12:],
        query(version, code=1, proto=17),
    ):
        hear(port, frame)
        assert wait(port, 110) == []
        assert port.counted() == {}


@pytest.mark.parametrize("kind", [0x13, 0x14, 0x17, 0x1E, 0x1F, 0x22, 0x30, 0x00, 0xFF])
def test_messages_of_other_kinds_are_left(port, kind):
    join(port, TABLE[0])
    hear(port, around(checksummed(struct.pack(">BBHI", kind, 0, 0, address(TABLE[0]))), TABLE[0]))
    assert wait(port, 300) == []
    assert port.counted() == {}


@pytest.mark.parametrize("size", [0, 4, 7, 8, 9, 10, 11, 12, 13, 14, 16])
def test_the_length_of_a_query_tells_its_version(port, size):
    join(port, TABLE[0])
    message = checksummed(struct.pack(">BBHIBBHI", 0x11, 1, 0, 0, 2, 125, 0, 0)[:size].ljust(4, b"\0") if size else b"")
    hear(port, around(message[:size], ALL_SYSTEMS))
    found = [message for _, message in wait(port, 200)]
    if size == 8:
        assert found == [("v2", TABLE[0])]
    elif size >= 12:
        assert found == [v3(IS_EXCLUDE, TABLE[0])]
    else:
        assert found == []
    answered = {"igmp_queries": 1, "igmp_reports": 1}
    assert port.counted() == (answered if size == 8 or size >= 12 else {"local_malformed": 1})


def test_wrong_checksums_and_fragments_are_counted(port):
    join(port, TABLE[0])
    good = query(code=1)
    for bit in (*range(8 * 24, 8 * 26), *range(8 * 22, 8 * 23), *range(8 * 38, 8 * 50)):
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        hear(port, bytes(bad))
        assert port.counted() == {"local_bad_checksum": 1}, bit
    for fragment in ({"flags": "MF"}, {"frag": 3}):
        hear(port, query(code=1, **fragment))
        assert port.counted() == {"local_malformed": 1}
    port.send(good, bad=True)
    assert wait(port, 200) == []
    assert port.counted() == {}


# -- versions 1 and 2 --------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 2])
def test_older_queriers_get_a_message_for_each_group(port, version):
    join(port, *TABLE)
    hear(port, query(version, code=10))
    messages = wait(port, (1000 if version == 2 else 10_000) + LOST_MS)
    assert sorted(message for _, message in messages) == sorted((f"v{version}", group) for group in TABLE)
    assert len({when for when, _ in messages}) > 4
    assert max(when for when, _ in messages) <= (960 if version == 2 else 9600) + LOST_MS
    # A query for one group, then a join and leaves.
    hear(port, query(version, group=TABLE[2], code=10))
    assert [message for _, message in wait(port, 10_100)] == [(f"v{version}", TABLE[2])]
    port.groups(*TABLE[:7], "239.50.0.1")
    messages = wait(port, 11_000)
    assert messages[0][0] <= AT_ONCE_MS
    wanted = [(f"v{version}", "239.50.0.1")] * 2 + ([("leave", TABLE[7])] if version == 2 else [])
    assert sorted(message for _, message in messages) == sorted(wanted)
    port.groups()
    wanted = [("leave", group) for group in [*TABLE[:7], "239.50.0.1"]] if version == 2 else []
    assert sorted(message for _, message in wait(port, 11_000)) == sorted(wanted)
    reports = 8 + 1 + (3 if version == 2 else 2) + len(wanted)
    assert port.counted() == {"igmp_queries": 2, "igmp_reports": reports}


def test_the_older_version_is_spoken_until_its_querier_is_gone(port):
    def speaks() -> str:
        """The version of an answer to a query of version 3, which changes nothing."""
        hear(port, query(code=1))
        (message,) = [message for _, message in wait(port, 110)]
        return message[0]

    join(port, TABLE[0])
    assert speaks() == "v3"
    hear(port, query(2, code=1))
    wait(port, 110)
    assert speaks() == "v2"
    port.skip(100)
    hear(port, query(1))
    wait(port, 10_100)  # 10 s after the query of version 1
    assert speaks() == "v1"
    port.skip(145)
    hear(port, query(2, code=1))  # after 155
    wait(port, 110)
    assert speaks() == "v1"
    port.skip(100)  # 255
    assert speaks() == "v1"
    port.skip(10)  # 265, and 110 after the query of version 2
    assert speaks() == "v2"
    port.skip(145)
    assert speaks() == "v2"
    port.skip(10)
    assert speaks() == "v3"


def test_a_change_of_version_cancels_what_waits(port):
    port.groups(TABLE[0], TABLE[1])
    port.tick(3, cycles=400)
    assert told(port) == [v3(TO_EXCLUDE, *TABLE[:2])]  # once more is to come
    hear(port, query(code=100))
    hear(port, query(2, group=TABLE[1], code=10))
    assert [message for _, message in wait(port, 10_100)] == [("v2", TABLE[1])]
    assert port.counted() == {"igmp_queries": 2, "igmp_reports": 2}


@pytest.mark.parametrize("heard", [1, 2])
def test_a_members_report_spares_ours_in_version_2(port, heard):
    join(port, *TABLE[:3])
    use(port, 2)
    hear(port, query(2, code=50))
    hear(port, report(TABLE[1], heard))
    messages = [message for _, message in wait(port, 5_100)]
    assert sorted(messages) == [("v2", TABLE[0]), ("v2", TABLE[2])]
    assert port.counted() == {"igmp_queries": 1, "igmp_reports": 2}
    # Not one from another network, nor one whose destination is another group.
    hear(port, query(2, code=10))
    hear(port, report(TABLE[1], source="192.0.2.9"))
    hear(port, around(report(TABLE[1])[38:46], TABLE[0], source=OTHER))
    assert len(wait(port, 1100)) == 3
    assert port.counted() == {"igmp_queries": 1, "igmp_reports": 3}


def test_a_members_report_spares_nothing_in_version_3(port):
    join(port, TABLE[0])
    hear(port, query(code=10))
    hear(port, report(TABLE[0]))
    assert [message for _, message in wait(port, 1100)] == [v3(IS_EXCLUDE, TABLE[0])]
    assert port.counted() == {"igmp_queries": 1, "igmp_reports": 1}


# -- a router's view ---------------------------------------------------------------------------------


class Router:
    """A querier's view of the members (RFC 2236 and RFC 3376, 6), without sources."""

    QUERY_MS, RESPONSE_TENTHS, LAST_TENTHS, ROBUSTNESS = 4000, 10, 5, 2

    def __init__(self, version: int):
        self.version, self.members, self.asks_at = version, {}, 0
        self.specific: list[tuple[int, str]] = []

    def hears(self, now: int, message: tuple) -> None:
        kind, content = message
        records = content if kind == "v3" else [(TO_INCLUDE if kind == "leave" else IS_EXCLUDE, content)]
        assert (kind == "v3") == (self.version == 3)
        for record, group in records:
            if record in (IS_EXCLUDE, TO_EXCLUDE):
                self.members[group] = now + self.ROBUSTNESS * self.QUERY_MS + 100 * self.RESPONSE_TENTHS + LOST_MS
                self.specific = [each for each in self.specific if each[1] != group]
            elif group in self.members:
                last = 100 * self.LAST_TENTHS + LOST_MS
                self.members[group] = min(self.members[group], now + self.ROBUSTNESS * last)
                self.specific += [(now + n * last, group) for n in range(self.ROBUSTNESS)]

    def asks(self, now: int) -> list[bytes]:
        self.members = {group: until for group, until in self.members.items() if until > now}
        due = [group for when, group in self.specific if when <= now]
        self.specific = [each for each in self.specific if each[0] > now]
        frames = [query(self.version, group=group, code=self.LAST_TENTHS) for group in due]
        if now >= self.asks_at:
            self.asks_at = now + self.QUERY_MS
            frames.append(query(self.version, code=self.RESPONSE_TENTHS))
        return frames


@pytest.mark.fuzz
@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("lossy", [False, True])
def test_a_router_knows_the_table_whatever_is_changed(port, version, lossy):
    """Random tables. What a router that follows the RFC holds must be the table, also if now and then a message is lost,
    either way: no more than one in two query intervals, that is what a robustness of 2 bears.
    """
    seed = random.Random(version)
    lost_at = 0

    def lost() -> bool:
        nonlocal lost_at
        if not lossy or port.milliseconds - lost_at < 2 * Router.QUERY_MS or seed.random() < 0.7:
            return False
        lost_at = port.milliseconds
        return True

    router, table = Router(version), [None] * GROUPS
    choice = [*TABLE, "239.129.200.7", "239.1.72.7"]  # two with the same MAC address as others
    use(port, version)
    for _ in range(5):
        for change in reversed(range(seed.randrange(1, 6))):
            for n in seed.sample(range(GROUPS), seed.randrange(1, 4)):
                free = [group for group in choice if group not in table]
                table[n] = seed.choice([None, seed.choice(free)])
            port.groups(*table)
            for _ in range(seed.choice((1, 3, 50, 700)) if change else 13_000):
                port.tick()
                for message in told(port):
                    if not lost():
                        router.hears(port.milliseconds, message)
                for frame in router.asks(port.milliseconds):
                    if not lost():
                        port.send(frame)
                        port.run(60)
        assert set(router.members) == {group for group in table if group}
    counted = port.counted()
    assert set(counted) == {"igmp_reports", "igmp_queries"}


@pytest.mark.parametrize("groups", [1, 9])
def test_the_number_of_groups_is_checked(groups):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnusedElaboratable)
        with pytest.raises(ValueError, match=f"not {groups}"):
            Igmp(groups)
        gc.collect()


def test_a_report_is_not_padded(port):
    port.groups(TABLE[0])
    port.tick(2, cycles=300)
    (frame,) = port.sent
    assert len(frame) == 54
