"""Linux as the neighbour: ping is answered, ARP resolves both ways, IGMP is heard by the kernel's own querier and host.

All that was on the cable goes through tshark: nothing malformed, every checksum right.
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
import socket
import struct
import subprocess
import time

import pytest
from scapy.layers.igmp import IGMP_MQ
from scapy.layers.inet import IP, IPOption_Router_Alert
from scapy.layers.l2 import Ether

from tests.hw.local_linux import Cable, Neighbour, unavailable
from tests.hw.local_port import ADDRESS, BURST, GATEWAY, MAC, TRIES, LocalPort
from wire.ethernet import mac_text

pytestmark = [
    pytest.mark.gateware,
    pytest.mark.twin,
    pytest.mark.oracle,
    pytest.mark.skipif(unavailable() is not None, reason=str(unavailable())),
]

OURS = mac_text(int.from_bytes(MAC, "big"))
LINUX = "10.77.0.1"
GROUPS = ("239.1.2.3", "239.1.2.4", "239.200.0.1")
WARNING = 0x600000  # Wireshark's severities: note 0x400000, warning, error 0x800000
QUERIER = (
    "mcast_snooping 1 mcast_querier 1 mcast_query_use_ifaddr 1 mcast_startup_query_interval 100 mcast_query_interval 100"
    " mcast_query_response_interval 50 mcast_membership_interval 300 mcast_last_member_interval 20 forward_delay 0"
)
"""A bridge that asks each second, forgets after three, all in hundredths of a second."""


@pytest.fixture(scope="module")
def card() -> LocalPort:
    return LocalPort()


def connect(card: LocalPort, **how) -> Cable:
    card.reset()
    return Cable(card, Neighbour(f"{LINUX}/24", **how))


def finish(cable: Cable, tmp_path) -> dict[str, int]:
    """Ends it, has the capture read by tshark, gives the counters."""
    cable.stop()
    cable.neighbour.close()
    if shutil.which("tshark") is not None:
        dissect(cable, tmp_path / "cable.pcap")
    return cable.port.counted()


def dissect(cable: Cable, path) -> None:
    cable.write(path)
    names = ["eth.src", "_ws.malformed", "_ws.expert.severity", "_ws.expert.message", "_ws.col.Protocol"]
    names += [f"{protocol}.checksum.status" for protocol in ("ip", "icmp", "igmp")]
    command = ["tshark", "-n", "-r", str(path), "-o", "ip.check_checksum:TRUE", "-T", "fields", "-E", "separator=\t"]
    done = subprocess.run(command + [f"-e{name}" for name in names], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == len(cable.captured)
    for line in lines:
        row = dict(zip(names, line.split("\t"), strict=True))
        assert not row["_ws.malformed"], line
        if row["eth.src"] != OURS:
            continue  # what Linux asked in vain is warned about
        severities = [int(each, 0) for each in row["_ws.expert.severity"].split(",") if each]
        assert all(each < WARNING for each in severities), row["_ws.expert.message"]
        status = {"ARP": ("", "", ""), "ICMP": ("1", "1", "")}.get(row["_ws.col.Protocol"], ("1", "", "1"))
        assert tuple(row[f"{protocol}.checksum.status"] for protocol in ("ip", "icmp", "igmp")) == status, line


class Pinger:
    """Echo requests from a raw socket: the kernel makes and reads everything around them."""

    def __init__(self, cable: Cable):
        self.cable, self.number = cable, itertools.count(1)
        with cable.neighbour.inside():
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self.socket.setblocking(False)
        self.sent = 0

    def send(self, payload: bytes) -> bytes:
        """One request; what its reply must be."""
        numbers = struct.pack(">HH", 0x4850, next(self.number) & 0xFFFF)
        message = b"\x08\0\0\0" + numbers + payload
        words = struct.unpack(f">{(len(message) + 1) // 2}H", message + b"\0" * (len(message) % 2))
        total = sum(words) % 0xFFFF or 0xFFFF
        self.socket.sendto(message[:2] + struct.pack(">H", 0xFFFF - total) + message[4:], (ADDRESS, 0))
        self.sent += 1
        return b"\0\0" + numbers + payload

    def ask(self, payload: bytes) -> None:
        """Asks until it is answered: a busy machine's milliseconds may be too few for the token bucket."""
        for _ in range(50):
            wanted = self.send(payload)
            end = time.monotonic() + 2
            while time.monotonic() < end:
                try:
                    packet = self.socket.recv(4096)
                except BlockingIOError:
                    time.sleep(0.0005)
                    continue
                message = packet[20:]
                if message[:2] + message[4:] == wanted:
                    assert (packet[8], packet[12:16]) == (64, socket.inet_aton(ADDRESS))
                    return
            if self.cable.port.model["total_icmp_dropped"].value == 0:
                break
        raise AssertionError(f"no answer to {len(payload)} bytes")


def test_ping_is_answered_for_all_kinds_of_sizes(card, tmp_path):
    cable, seed = connect(card), random.Random(4)
    pinger = Pinger(cable)
    sizes = [*range(65), *range(65, 1465, 47), *range(1465, 1473)]
    for size in sizes:
        pinger.ask(seed.randbytes(size))
        time.sleep(0.004)
    neighbour = cable.neighbour.neighbours()[ADDRESS]
    assert neighbour["lladdr"] == OURS
    assert set(neighbour["state"]) & {"REACHABLE", "DELAY", "STALE", "PROBE"}
    counted = finish(cable, tmp_path)
    assert counted.pop("arp_replies") >= 1
    assert counted.pop("icmp_replies") == len(sizes)
    assert counted.pop("icmp_dropped", 0) == pinger.sent - len(sizes)
    assert counted == {}


def test_a_ping_that_linux_cuts_in_fragments_is_not_answered(card, tmp_path):
    cable = connect(card)
    pinger = Pinger(cable)
    pinger.ask(b"first")
    pinger.send(bytes(2000))
    cable.until(lambda: card.model["total_icmp_dropped"].value >= 2, "two fragments are counted")
    counted = finish(cable, tmp_path)
    assert (counted["icmp_replies"], counted["icmp_dropped"]) == (1, 2)


def test_a_flood_of_pings_gets_no_more_than_its_share(card, tmp_path):
    cable = connect(card)
    pinger = Pinger(cable)
    pinger.ask(b"first")
    cable.timeless = True
    for _ in range(300):
        pinger.send(bytes(1000))
    total = lambda: sum(card.model[f"total_{name}"].value for name in ("icmp_replies", "icmp_dropped", "local_dropped"))  # noqa: E731
    cable.until(lambda: total() == pinger.sent, "every request is counted")
    counted = finish(cable, tmp_path)
    assert 1 < counted["icmp_replies"] <= 1 + BURST
    assert counted["icmp_dropped"] > 100


@pytest.mark.skipif(shutil.which("ping") is None and shutil.which("busybox") is None, reason="this machine has no ping")
@pytest.mark.parametrize("size", [0, 56, 1472])
def test_the_program_ping_is_content(card, tmp_path, size):
    cable = connect(card)
    command = "ping" if shutil.which("ping") else "busybox ping"
    said = cable.neighbour.command(f"{command} -c 3 -i 1 -s {size} {ADDRESS}")
    assert " 0% packet loss" in said
    assert finish(cable, tmp_path)["icmp_replies"] == 3


def test_linux_is_resolved_directly_and_as_the_gateway(card, tmp_path):
    cable = connect(card)
    linux = cable.neighbour
    linux.command(f"ip addr add {GATEWAY}/24 dev {linux.device}")

    def resolve(target: str) -> bytes | bool:
        found = []
        with cable.held() as port:
            port.ask(target)

        def answered() -> bool:
            with cable.held() as port:
                found[:] = [port.answer()]
            return found[0] is not None

        cable.until(answered, f"{target} is answered for")
        return found[0]

    mac = bytes.fromhex(linux.mac().replace(":", ""))
    assert resolve(LINUX) == mac
    assert resolve("192.0.2.77") == mac
    assert resolve("192.0.2.78") == mac
    assert resolve("10.77.0.99") is False
    # Linux moves to another MAC address and says so; the card follows without asking.
    linux.setting(f"net/ipv4/conf/{linux.device}/arp_notify", 1)
    moved = "02:00:00:00:99:99"
    linux.command(f"ip link set {linux.device} down")
    linux.command(f"ip link set {linux.device} address {moved}")
    asked = len(cable.captured)
    linux.command(f"ip link set {linux.device} up")
    told = bytes.fromhex(moved.replace(":", ""))
    cable.until(lambda: any(frame[6:14] == told + b"\x08\x06" for _, frame in cable.captured[asked:]), "Linux announces itself")
    with cable.held() as port:
        port.run(400)
    assert resolve(LINUX) == told
    counted = finish(cable, tmp_path)
    assert counted["arp_resolved"] == 4
    assert counted["arp_timeouts"] == 1
    assert counted["arp_requests_sent"] == 2 + TRIES


def test_linux_follows_an_announcement_and_finds_the_card_by_probes(card, tmp_path):
    cable = connect(card)
    linux = cable.neighbour
    linux.setting(f"net/ipv4/neigh/{linux.device}/locktime", 0)
    linux.command(f"ip neigh replace {ADDRESS} lladdr {OURS} dev {linux.device} nud probe")
    cable.until(lambda: linux.neighbours()[ADDRESS]["state"] == ["REACHABLE"], "the card answers a unicast probe")
    probes = [frame for _, frame in cable.captured if frame[:6] == MAC and frame[12:14] == b"\x08\x06"]
    assert probes
    linux.command(f"ip neigh replace {ADDRESS} lladdr 02:00:00:00:00:77 dev {linux.device} nud stale")
    with cable.held() as port:
        port.pulse("announce")
        port.run(400)
    cable.until(lambda: linux.neighbours()[ADDRESS]["lladdr"] == OURS, "Linux takes the announced address")
    counted = finish(cable, tmp_path)
    assert counted == {"arp_replies": len(probes), "arp_requests_sent": 1}


@pytest.mark.skipif(shutil.which("bridge") is None, reason="this machine has no bridge program")
@pytest.mark.parametrize("version", [2, 3])
def test_a_linux_bridge_that_is_the_querier_knows_the_groups(card, tmp_path, version):
    cable = connect(card, bridge=f"{QUERIER} mcast_igmp_version {version}")
    linux = cable.neighbour
    with cable.held() as port:
        port.groups(*GROUPS)
    cable.until(lambda: linux.forwards() >= set(GROUPS), "the bridge forwards the groups")

    # Past its memory of what it was told: what keeps them there is the answers to its queries.
    def queries() -> int:
        return card.model["total_igmp_queries"].value

    seen = queries()
    end = time.monotonic() + 4
    cable.until(lambda: queries() >= seen + 3 and time.monotonic() > end, "the bridge asks")
    assert linux.forwards() >= set(GROUPS)
    if version == 2:
        assert any(frame[38] == 0x16 for _, frame in cable.captured if frame[6:12] == MAC)
    with cable.held() as port:
        port.groups(GROUPS[0], None, GROUPS[2])
    cable.until(lambda: GROUPS[1] not in linux.forwards(), "the bridge forgets the group that was left")
    assert linux.forwards() >= {GROUPS[0], GROUPS[2]}
    with cable.held() as port:
        port.groups()
    cable.until(lambda: not linux.forwards() & set(GROUPS), "the bridge forgets all")
    counted = finish(cable, tmp_path)
    assert counted.pop("igmp_reports") >= 6
    assert counted.pop("igmp_queries") >= 4
    assert set(counted) <= {"arp_replies"}


def query(code: int, group: str = "0.0.0.0") -> bytes:
    """A version 2 query of a router that is neither of the two."""
    message = bytearray(bytes(IGMP_MQ(gaddr=group)))
    message[1:4] = bytes([code, 0, 0])
    total = sum(struct.unpack(">4H", message)) % 0xFFFF
    message[2:4] = struct.pack(">H", 0xFFFF - total)
    target = "224.0.0.1" if group == "0.0.0.0" else group
    header = IP(src="10.77.0.200", dst=target, ttl=1, proto=2, options=[IPOption_Router_Alert()])
    last = bytes(int(part) for part in target.split("."))
    mac = mac_text(0x01005E000000 | int.from_bytes(last, "big") & 0x7FFFFF)
    return bytes(Ether(src="02:00:00:00:00:c8", dst=mac) / header / bytes(message)).ljust(60, b"\0")


def test_linux_and_the_card_spare_each_other_reports_in_version_2(card, tmp_path):
    cable = connect(card)
    linux = cable.neighbour
    linux.setting("net/ipv4/conf/all/force_igmp_version", 2)
    shared, alone = GROUPS[:2]
    with linux.inside():
        member = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        member.setsockopt(
            socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(shared) + socket.inet_aton(LINUX)
        )
    cable.inject(query(1))  # both are version 2 from here on

    def reported(group: str, by: bytes) -> int:
        mine = [f for _, f in cable.captured if f[6:12] == by and f[12:14] == b"\x08\0" and f[23] == 2 and f[38] == 0x16]
        return sum(frame[42:46] == socket.inet_aton(group) for frame in mine)

    kernel = bytes.fromhex(linux.mac().replace(":", ""))
    cable.until(lambda: reported(shared, kernel) >= 1 and linux.memberships()[shared][1].startswith("0:"), "Linux answers")
    # The card's report of a join stops the timer with which Linux waits to answer.
    spared = False
    for _ in range(5):
        cable.inject(query(255))
        cable.until(lambda: linux.memberships()[shared][1].startswith("1:"), "Linux waits to answer")
        before = reported(shared, kernel)
        with cable.held() as port:
            port.groups(shared, alone)
            port.tick(8)
        cable.until(lambda: linux.memberships()[shared][1].startswith("0:"), "Linux waits no longer")
        assert reported(shared, MAC) >= 1
        spared = reported(shared, kernel) == before and linux.memberships()[shared][2] == "0"
        if spared:
            break
        with cable.held() as port:  # it was about to report in that very moment
            port.groups()
            port.tick(8)
    assert spared
    # And Linux's report spares the card's, but for the group in which Linux is not.
    with cable.held() as port:
        port.tick(11_000)
    for _ in range(5):
        with cable.held() as port:
            port.send(query(255))
            port.run(200)
        mine, theirs = reported(shared, MAC), reported(shared, kernel)
        os_query = query(1, shared)
        with cable.held() as port:
            cable.captured.append((time.time_ns(), os_query))
            os.write(linux.tap, os_query)
        cable.until(lambda theirs=theirs: reported(shared, kernel) > theirs, "Linux answers for the group")
        heard_first = reported(shared, MAC) == mine
        with cable.held() as port:
            port.run(200)
            port.tick(26_000)
        if heard_first:
            break
    assert heard_first
    assert reported(shared, MAC) == mine
    assert reported(alone, MAC) >= 3
    member.close()
    counted = finish(cable, tmp_path)
    assert set(counted) == {"igmp_reports", "igmp_queries"}


def test_version_3_of_linux_and_of_the_card_live_side_by_side(card, tmp_path):
    cable = connect(card)
    linux = cable.neighbour
    linux.setting("net/ipv4/conf/all/force_igmp_version", 3)
    with linux.inside():
        member = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        member.setsockopt(
            socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUPS[0]) + socket.inet_aton(LINUX)
        )
    with cable.held() as port:
        port.groups(*GROUPS)

    def reports(by: bytes) -> list[bytes]:
        return [f for _, f in cable.captured if f[6:12] == by and f[12:14] == b"\x08\0" and f[23] == 2 and f[38] == 0x22]

    kernel = bytes.fromhex(linux.mac().replace(":", ""))
    cable.until(lambda: len(reports(MAC)) >= 2 and reports(kernel), "both report")
    ours, theirs = reports(MAC)[0], reports(kernel)[0]
    # Byte for byte what Linux sends, but for the addresses, lengths, checksums and records.
    assert ours[:6] == theirs[:6]
    assert ours[14:16] == theirs[14:16]
    assert ours[20:24] == theirs[20:24]  # no fragments, TTL, protocol
    assert ours[30:36] == theirs[30:36]
    assert ours[46] == theirs[46] == 4  # the first record's type
    member.close()
    counted = finish(cable, tmp_path)
    assert counted == {"igmp_reports": len(reports(MAC))}
