"""Genuine Nasdaq bytes decode fully, every byte accounted for: what is put together again is the file."""

import collections
from pathlib import Path

import numpy as np
import pytest

from tests.shared_data import shared_data
from wire import appendage, binaryfile, frames, ingress, itch, moldudp64, ouch50, pcap, soupbintcp
from wire.classify import classify_itch
from wire.errors import ChecksumError
from wire.ingress import FrameStatus

pytestmark = pytest.mark.oracle

ITCH_CODES = {
    "AddOrderNoMPID": "A",
    "AddOrderWithMPID": "F",
    "CrossTrade": "Q",
    "LULDAuctionCollar": "J",
    "MarketParticipantPosition": "L",
    "NetOrderImbalanceIndicator": "I",
    "NonCrossTrade": "P",
    "OrderCancel": "X",
    "OrderDelete": "D",
    "OrderExecuted": "E",
    "OrderExecutedWithPrice": "C",
    "OrderReplace": "U",
    "RegSHORestriction": "Y",
    "StockTradingAction": "H",
    "SystemEvent": "S",
}


def rewritten(path: Path, packets: list[pcap.Captured], folder: Path) -> bytes:
    """The capture as we write it, with the original's unit of time and snap length."""
    original = path.read_bytes()
    with pcap.Writer(folder / "copy.pcap", nanoseconds=original[:4] == b"\x4d\x3c\xb2\xa1") as writer:
        for packet in packets:
            writer.write(packet.timestamp, packet.data, packet.original_length)
    copy = (folder / "copy.pcap").read_bytes()
    return copy[:16] + original[16:20] + copy[20:]


def test_itch_over_moldudp64(tmp_path: Path) -> None:
    """The addresses, session, sequence numbers and checksums of these captures were blanked by their
    publisher.
    """
    seen = {}
    for path in sorted(shared_data("pcap/totalview_itch50_2023").glob("*.pcap")):
        packets = pcap.read(path)
        assert rewritten(path, packets, tmp_path) == path.read_bytes()
        for packet in packets:
            frame = frames.parse(packet.data, verify=False)
            assert frames.build(frame) == packet.data
            assert frame.tags == ((0x8100, 141),)
            with pytest.raises(ChecksumError) as caught:
                frames.parse(packet.data)
            assert (caught.value.record, caught.value.offset, caught.value.found) == ("IPv4", 28, 0)
            buffer, out = np.frombuffer(packet.data, np.uint8), np.zeros(ingress.OUT_SIZE, np.int64)
            assert ingress.udp_payload(buffer, 0, len(buffer), out) == FrameStatus.BAD_IP_CHECKSUM

            mold = moldudp64.unpack(frame.payload)
            assert moldudp64.packet(mold.session, mold.sequence_number, mold.messages) == frame.payload
            mended = np.frombuffer(packet.data, np.uint8).copy()
            assert ingress.seal(mended, 0, len(mended)) == FrameStatus.OK
            assert ingress.udp_payload(mended, 0, len(mended), out) == FrameStatus.OK
            at, length = out[ingress.PAYLOAD_AT], out[ingress.PAYLOAD_LENGTH]
            assert moldudp64.check(mended, at, length) == moldudp64.PacketStatus.OK
            for message in mold.messages:
                record = itch.ITCH.of(message)
                assert record.pack(record.unpack(message)) == message
                seen[path.stem] = record.code
    assert seen == ITCH_CODES


OUCH = {
    "CancelOrderMessage": ("U", "X", {"user_reference_number": 7_679_601, "quantity": 0}, {}),
    "CanceledMessage": (
        "S",
        "C",
        {"timestamp": 44_647_483_708_183, "user_reference_number": 7_682_701, "quantity": 40, "reason": "U"},
        {},
    ),
    "ClientHeartbeatPacket": ("R", None, {}, {}),
    "EnterOrderMessage": (
        "U",
        "O",
        {"side": "T", "quantity": 225, "symbol": "CVLT", "price": 630_200},
        {"firm": "LIME"},
    ),
    "OrderAcceptedMessage": (
        "S",
        "A",
        {"symbol": "ADBE", "price": 4_777_800, "order_reference": 257_340_661, "order_state": "L"},
        {"firm": "MLRO", "bbo_weight_indicator": "0"},
    ),
    "ServerHeartbeatPacket": ("H", None, {}, {}),
}


def test_ouch_50_over_soupbintcp(tmp_path: Path) -> None:
    found = {}
    for path in sorted(shared_data("pcap/ouch50").glob("*.pcap")):
        (captured,) = pcap.read(path)
        assert rewritten(path, [captured], tmp_path) == path.read_bytes()
        frame = frames.parse(captured.data)  # all checksums right
        assert frames.build(frame) == captured.data
        buffer, out = np.frombuffer(captured.data, np.uint8), np.zeros(ingress.OUT_SIZE, np.int64)
        assert ingress.tcp_payload(buffer, 0, len(buffer), out) == FrameStatus.OK
        (packet,) = soupbintcp.packets(frame.payload)
        assert soupbintcp.packet(packet.code, packet.payload) == frame.payload
        begin = out[ingress.PAYLOAD_AT]
        end = begin + out[ingress.PAYLOAD_LENGTH]
        assert soupbintcp.next_packet(buffer, begin, end, soupbintcp.EITHER_LENGTHS) == end - begin
        code, fields, options = None, {}, {}
        if packet.payload:
            family = ouch50.INBOUND if packet.code == "U" else ouch50.OUTBOUND
            record, fields, options = appendage.unpack(family, packet.payload)
            code = record.code
            if appendage.has_appendage(record):
                assert appendage.pack(record, fields, options) == packet.payload
            else:
                assert record.pack(fields) == packet.payload
        expected = OUCH[path.stem][2]
        found[path.stem] = (packet.code, code, {name: fields[name] for name in expected}, options)
    assert found == OUCH


PIECES = {
    "12302019_first_1000msgs.NASDAQ_ITCH50": 1000,
    "12302019_SNIPPET_open_1000msgs.NASDAQ_ITCH50": 1000,
    "07302019_filtered_500_order_msgs_0400": 500,
}


@pytest.mark.parametrize("name", PIECES)
def test_binaryfile_pieces(name: str, tmp_path: Path) -> None:
    path = shared_data(f"itch/{name}")
    messages = binaryfile.read(path)
    assert len(messages) == PIECES[name]
    types: collections.Counter[str | None] = collections.Counter()
    for i, message in enumerate(messages):
        record = itch.ITCH.of(message)
        assert record.pack(record.unpack(message)) == message
        index = classify_itch(messages.buffer, messages.offsets[i], messages.lengths[i])
        assert itch.ITCH.records[index] is record
        types[record.code] += 1
    assert types.keys() <= {r.code for r in itch.ITCH.records}
    binaryfile.write(tmp_path / "copy", messages)
    assert (tmp_path / "copy").read_bytes() == path.read_bytes()
    binaryfile.write(tmp_path / "bare", messages, binaryfile.Framing.BARE)
    assert list(binaryfile.read(tmp_path / "bare")) == list(messages)


def test_a_numpy_view_of_a_day_is_the_day() -> None:
    """Every Add Order of the AMZN day, taken out as one structured array."""
    messages = binaryfile.read(shared_data("itch/AMZN_2012-06-21_full_day_level5.itch.gz"))
    adds = messages.offsets[messages.buffer[messages.offsets] == ord("A")]
    rows = messages.buffer[adds[:, None] + np.arange(itch.ADD_ORDER.length)].view(itch.ADD_ORDER.dtype)[:, 0]
    assert len(messages) == 179_670
    assert set(rows["stock"]) == {b"AMZN    "}
    assert set(rows["side"]) == {b"B", b"S"}
    for row in rows[:: len(rows) // 50]:
        values = itch.ADD_ORDER.unpack(row.tobytes())
        assert (values["price"], values["shares"]) == (row["price"], row["shares"])
