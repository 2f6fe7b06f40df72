"""Wireshark's dissectors read what `wire` writes: no complaint, right checksums, the same values.

Debian's tshark 4.0 knows MoldUDP64, SoupBinTCP and OUCH 4.x; its ITCH is the old ASCII one and its OUCH has
no 5.0.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wire import frames, ipv4, moldudp64, ouch42, pcap, soupbintcp
from wire.ethernet import mac_text
from wire.layout import Record
from wire.tcp import Flag

pytestmark = [pytest.mark.tshark, pytest.mark.oracle]

FEED_PORT, ORDER_PORT, CLIENT_PORT = 26477, 7000, 5000
CLIENT, SERVER = ipv4.address("10.0.0.1"), ipv4.address("10.0.0.2")
WARNING = 0x600000  # Wireshark's severities: chat 0x200000, note 0x400000, warning, error 0x800000
GOOD = "1"  # of a checksum status

Row = dict[str, list[str]]


def dissect(path: Path, *fields: str) -> list[Row]:
    """The values of fields in each packet, after checking that nothing is malformed, doubted or wrongly
    summed.
    """
    checks = ["_ws.malformed", "_ws.expert.severity", "_ws.expert.message"]
    checks += [f"{protocol}.checksum.status" for protocol in ("ip", "udp", "tcp")]
    names = [*checks, *fields]
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "separator=\t", "-E", "aggregator=\x1f"]
    for option in ("ip.check_checksum", "udp.check_checksum", "tcp.check_checksum", "soupbintcp.desegment"):
        command += ["-o", f"{option}:TRUE"]
    command += ["-d", f"udp.port=={FEED_PORT},moldudp64", "-d", f"tcp.port=={ORDER_PORT},soupbintcp"]
    for name in names:
        command += ["-e", name]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = []
    for line in done.stdout.splitlines():
        cells = [cell.split("\x1f") if cell else [] for cell in line.split("\t")]
        row = dict(zip(names, cells, strict=True))
        assert not row["_ws.malformed"], line
        assert all(int(s, 0) < WARNING for s in row["_ws.expert.severity"]), row["_ws.expert.message"]
        assert row["ip.checksum.status"] == [GOOD]
        assert row["udp.checksum.status"] + row["tcp.checksum.status"] == [GOOD]
        rows.append(row)
    return rows


def values(record: Record, rng: np.random.Generator) -> dict[str, Any]:
    """Random values that Wireshark prints as they are: letters, and no leading or trailing spaces."""
    found: dict[str, Any] = {}
    letters = list("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    for f in record.fields:
        if record.code is not None and f.offset == 0:
            found[f.name] = record.code
        elif f.name == "timestamp":
            found[f.name] = int(rng.integers(86_400 * 10**9))
        elif f.kind == "alpha":
            found[f.name] = "".join(rng.choice(letters, f.width))
        else:
            found[f.name] = int(rng.integers(0, 1 << min(8 * f.width, 63)))
    return found


class Conversation:
    """A TCP connection between client and server, written to a capture."""

    def __init__(self, writer: pcap.Writer) -> None:
        self.writer, self.now = writer, 1_700_000_000 * 10**9
        self.next = {True: 1000, False: 0xFFFFFF00}  # the server's wraps
        self._segment(True, Flag.SYN)
        self._segment(False, Flag.SYN | Flag.ACK)
        self._segment(True, Flag.ACK)

    def send(self, payload: bytes, *, client: bool) -> None:
        self._segment(client, Flag.PSH | Flag.ACK, payload)

    def _segment(self, client: bool, flags: Flag, payload: bytes = b"") -> None:
        ends = ((CLIENT, CLIENT_PORT), (SERVER, ORDER_PORT))
        (source, source_port), (destination, destination_port) = ends if client else ends[::-1]
        self.now += 1_000_000
        frame = frames.tcp_frame(
            payload,
            source=source,
            destination=destination,
            source_port=source_port,
            destination_port=destination_port,
            sequence_number=self.next[client],
            acknowledgment_number=0 if flags == Flag.SYN else self.next[not client],
            flags=flags,
            options=b"\x02\x04\x05\xb4" if flags & Flag.SYN else b"",
        )
        self.writer.write(self.now, frame)
        length = len(payload) + bool(flags & Flag.SYN)
        self.next[client] = (self.next[client] + length) % (1 << 32)


def feed(path: Path, payloads: list[bytes], port: int = FEED_PORT) -> None:
    with pcap.Writer(path) as writer:
        for i, payload in enumerate(payloads):
            frame = frames.udp_frame(
                payload,
                source=CLIENT,
                destination=ipv4.address("233.54.12.111"),
                source_port=50_001,
                destination_port=port,
                destination_mac=0x01005E360C6F,
                source_mac=0x020000000001 + i,
                vlans=(0x2005, 0xF08D)[: i % 3],
                identification=i,
                time_to_live=1 + i,
            )
            writer.write(i, frame)


def test_headers_and_tags(tmp_path: Path, rng: np.random.Generator) -> None:
    payloads = [rng.bytes(n) for n in (0, 1, 2, 17, 18, 999, 1472)]
    feed(tmp_path / "a.pcap", payloads, port=50_000)
    fields = ["eth.dst", "eth.src", "vlan.id", "vlan.priority", "ieee8021ad.id", "ip.src", "ip.dst", "ip.ttl"]
    rows = dissect(
        tmp_path / "a.pcap", *fields, "ip.id", "udp.srcport", "udp.dstport", "udp.length", "data.data"
    )
    assert len(rows) == len(payloads)
    for i, (row, payload) in enumerate(zip(rows, payloads, strict=True)):
        assert row["eth.dst"] == ["01:00:5e:36:0c:6f"]
        assert row["eth.src"] == [mac_text(0x020000000001 + i)]
        assert row["ip.src"] + row["ip.dst"] == ["10.0.0.1", "233.54.12.111"]
        assert (row["ip.ttl"], int(row["ip.id"][0], 0)) == ([str(1 + i)], i)
        assert row["udp.srcport"] + row["udp.dstport"] == ["50001", "50000"]
        assert row["udp.length"] == [str(8 + len(payload))]
        assert "".join(row["data.data"]) == payload.hex()
        inner = {0: ([], [], []), 1: (["5"], ["1"], []), 2: (["141"], ["7"], ["5"])}[i % 3]
        assert (row["vlan.id"], row["vlan.priority"], row["ieee8021ad.id"]) == inner


def test_moldudp64_of_every_kind(tmp_path: Path) -> None:
    messages = [b"abc", b"", b"a longer message"]
    feed(
        tmp_path / "a.pcap",
        [
            moldudp64.packet("SESSION001", 2**40, messages),
            moldudp64.heartbeat("SESSION001", 2**40 + 3),
            moldudp64.end_of_session("SESSION001", 2**40 + 3),
            moldudp64.request("SESSION001", 7, 9),
        ],
    )
    names = ("session", "sequence", "count", "msglen", "msgseq", "msgdata", "request")
    rows = dissect(tmp_path / "a.pcap", *(f"moldudp64.{name}" for name in names))
    assert [row["moldudp64.session"] for row in rows] == [["SESSION001"]] * 4
    assert [row["moldudp64.sequence"] for row in rows] == [[str(n)] for n in (2**40, 2**40 + 3, 2**40 + 3, 7)]
    assert [int(row["moldudp64.count"][0], 0) for row in rows] == [3, 0, 0xFFFF, 9]
    assert rows[0]["moldudp64.msglen"] == [str(len(m)) for m in messages]
    assert rows[0]["moldudp64.msgseq"] == [str(2**40 + i) for i in range(3)]
    assert rows[0]["moldudp64.msgdata"] == [m.hex() or "<MISSING>" for m in messages]
    assert not any(row["moldudp64.msglen"] for row in rows[1:])


def test_soupbintcp_of_every_type(tmp_path: Path) -> None:
    sent = [
        (True, soupbintcp.login_request("user", "secret", "SESSION1", 17)),
        (False, soupbintcp.login_accepted("SESSION1", 18)),
        (True, soupbintcp.debug("from the client")),
        (False, soupbintcp.debug("from the server")),
        (True, soupbintcp.client_heartbeat()),
        (False, soupbintcp.server_heartbeat()),
        (True, soupbintcp.unsequenced(b"\x01\x02")),
        (False, soupbintcp.sequenced(b"\x03\x04\x05")),
        (False, soupbintcp.login_rejected("S")),
        (True, soupbintcp.logout_request()),
        (False, soupbintcp.end_of_session()),
    ]
    with pcap.Writer(tmp_path / "a.pcap") as writer:
        conversation = Conversation(writer)
        for client, packet in sent:
            conversation.send(packet, client=client)
    names = ("packet_length", "packet_type", "message", "text", "username", "password", "session")
    invalid = ("req_seq_num.invalid", "next_seq_num.invalid")
    wanted = (*names, "reject_code", *invalid)
    rows = dissect(tmp_path / "a.pcap", *(f"soupbintcp.{name}" for name in wanted))[3:]
    assert len(rows) == len(sent)

    def seen(i: int, name: str) -> str:
        (value,) = rows[i][f"soupbintcp.{name}"]
        return value.strip()

    for i, (_, packet) in enumerate(sent):
        assert int(seen(i, "packet_length")) == len(packet) - 2
        assert seen(i, "packet_type") == f"'{chr(packet[2])}'"
    assert [seen(0, n) for n in ("username", "password", "session")] == ["user", "secret", "SESSION1"]
    assert seen(1, "session") == "SESSION1"
    # The login numbers' field value is the letter X in this dissector: what it read stands only in the text.
    command = [
        "tshark",
        "-n",
        "-r",
        str(tmp_path / "a.pcap"),
        "-d",
        f"tcp.port=={ORDER_PORT},soupbintcp",
        "-V",
    ]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Requested sequence number: 17\n" in text
    assert "Next sequence number: 18\n" in text
    assert "Sequence number: 18 (Calculated)" in text
    assert not any(row[f"soupbintcp.{name}"] for row in rows for name in invalid)
    assert [seen(i, "text") for i in (2, 3)] == ["from the client", "from the server"]
    assert [seen(6, "message"), seen(7, "message")] == ["0102", "030405"]
    assert seen(8, "reject_code") == "'S'"


# Field names of packet-ouch.c where they are not ours.
OUCH_NAMES = {
    "type": "packet_type",
    "side": "buy_sell_indicator",
    "time_in_force": "tif",
    "intermarket_sweep_eligibility": "iso_eligible",
    "intermarket_sweep": "iso_eligible",
    "minimum_quantity": "min_quantity",
    "order_reference": "order_reference_number",
}
REASONS = {
    "Canceled": "cancel_reason",
    "AIQ Cancelled": "cancel_reason",
    "Broken Trade": "broken_trade_reason",
    "Rejected": "reject_reason",
    "Trade Correction": "trade_correction_reason",
}


def ouch_name(record: Record, name: str) -> str:
    if name == "reason":
        return REASONS[record.name]
    return OUCH_NAMES.get(name, name)


def ouch_packets() -> Iterator[tuple[bool, Record]]:
    """Every OUCH 4.2 message that packet-ouch.c knows: it has no Trade Now."""
    for record in ouch42.INBOUND.records:
        if record is not ouch42.TRADE_NOW_REQUEST:
            yield True, record
    for record in ouch42.OUTBOUND.records:
        if record is not ouch42.TRADE_NOW:
            yield False, record


def test_ouch_42_in_both_directions(tmp_path: Path, rng: np.random.Generator) -> None:
    sent = [(client, record, values(record, rng)) for client, record in ouch_packets() for _ in range(5)]
    with pcap.Writer(tmp_path / "a.pcap") as writer:
        conversation = Conversation(writer)
        conversation.send(soupbintcp.login_request("user", "secret", "", 1), client=True)
        conversation.send(soupbintcp.login_accepted("SESSION1", 1), client=False)
        for client, record, given in sent:
            envelope = soupbintcp.unsequenced if client else soupbintcp.sequenced
            conversation.send(envelope(record.pack(given)), client=client)
    names = sorted({ouch_name(r, f.name) for _, r, _ in sent for f in r.fields})
    rows = dissect(tmp_path / "a.pcap", *(f"ouch.{name}" for name in names))[5:]
    assert len(rows) == len(sent)
    for (_, record, given), row in zip(sent, rows, strict=True):
        for f in record.fields:
            (text,) = row[f"ouch.{ouch_name(record, f.name)}"]
            value = given[f.name]
            if f.name == "timestamp":
                seconds, rest = divmod(value, 10**9)
                assert text.startswith(
                    f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:09}"
                )
            elif f.kind == "int":
                assert int(text, 0) == value, (record.name, f.name)
            elif f.width == 1:
                assert text in (f"'{value}'", str(ord(value))), (record.name, f.name)
            else:
                assert text.rstrip() == value, (record.name, f.name)


def test_packets_that_tcp_splits_and_merges_are_put_together(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    packets = [soupbintcp.sequenced(ouch42.EXECUTED.pack(values(ouch42.EXECUTED, rng))) for _ in range(40)]
    stream = b"".join(packets)
    with pcap.Writer(tmp_path / "a.pcap") as writer:
        conversation = Conversation(writer)
        at = 0
        while at < len(stream):
            size = int(rng.integers(1, 120))
            conversation.send(stream[at : at + size], client=False)
            at += size
    rows = dissect(tmp_path / "a.pcap", "soupbintcp.packet_type", "ouch.match_number")
    numbers = [int(text, 0) for row in rows for text in row["ouch.match_number"]]
    assert numbers == [ouch42.EXECUTED.unpack(packet[3:])["match_number"] for packet in packets]


def test_the_dissector_would_have_complained(tmp_path: Path) -> None:
    """The check itself: a wrong checksum and a block that overruns are seen."""
    good = moldudp64.packet("S", 1, [b"abc"])
    feed(tmp_path / "a.pcap", [good[:-1]])
    with pytest.raises(AssertionError):
        dissect(tmp_path / "a.pcap")
    feed(tmp_path / "b.pcap", [good])
    data = bytearray((tmp_path / "b.pcap").read_bytes())
    data[-1] ^= 1
    data[24 + 16 + 14 + 20 + 8 + 20 + 2] ^= 1
    (tmp_path / "b.pcap").write_bytes(data)
    with pytest.raises(AssertionError):
        dissect(tmp_path / "b.pcap")
