"""Files in, tape out: ITCH of both framings, captures, number tables, ladders."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import publisher, recording
from sim.faults import FaultConfig, arrivals
from sim.ladder import ladder_for
from sim.sources import capture, itch_file, load
from sim.sources.csv_numbers import parse
from sim.sources.flow import FlowConfig, flow
from sim.sources.tape import Listing, Tape, from_bytes, joined
from tests.shared_data import shared_data
from wire import itch
from wire.errors import WireError
from wire.itch import ITCH

DAY = FlowConfig(seed=5, messages=3_000)


@pytest.fixture(scope="module")
def tape() -> Tape:
    return flow(DAY)


def bare(path: Path, tape: Tape) -> None:
    path.write_bytes(b"".join(tape))


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("prefixed", [False, True])
def test_a_file_of_any_framing_gives_the_tape_back(
    tape: Tape, tmp_path: Path, prefixed: bool, compress: bool
) -> None:
    path = tmp_path / "day"
    if prefixed:
        itch_file.write(path, tape)
    else:
        bare(path, tape)
    if compress:
        path.write_bytes(gzip.compress(path.read_bytes()))
    for found in (itch_file.read(path), load(path)):
        assert found.digest() == tape.digest()


def test_a_piece_of_a_file_is_the_beginning_of_it(tape: Tape, tmp_path: Path) -> None:
    path = tmp_path / "day"
    itch_file.write(path, tape)
    assert itch_file.read(path, messages=1_000).digest() == tape.part(0, 1_000).digest()
    stock = tape.listings()[1]
    ours = itch_file.read(path, [stock.stock])
    assert ours.digest() == tape.only([stock.stock]).digest()
    assert {ITCH.unpack(m)["stock_locate"] for m in ours} == {0, stock.stock_locate}
    with pytest.raises(ValueError, match="NONE"):
        itch_file.read(path, ["NONE"])
    with pytest.raises(ValueError, match="NONE"):
        tape.only(["NONE"])


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("name", "messages", "stocks"),
    [
        ("12302019_first_1000msgs.NASDAQ_ITCH50", 1_000, 993),
        ("12302019_SNIPPET_open_1000msgs.NASDAQ_ITCH50", 1_000, 185),
        ("07302019_filtered_500_order_msgs_0400", 500, 189),
        ("AMZN_2012-06-21_full_day_level5.itch.gz", 179_670, 1),
    ],
)
def test_genuine_files_are_read_whole(name: str, messages: int, stocks: int) -> None:
    found = load(shared_data(f"itch/{name}"))
    assert len(found) == messages == sum(found.counts().values())
    assert len(found.listings()) == stocks
    assert (np.diff(found.timestamps) >= 0).all()
    # Length and time of a message say the same through the Python codec.
    for i in range(0, len(found), 997):
        fields = ITCH.unpack(found[i])
        assert found.timestamps[i] >= fields["timestamp"]


def test_both_feeds_of_a_capture_make_one_tape_again(tape: Tape, tmp_path: Path, seed: int) -> None:
    """What one feed lost the other one has; what both have counts once."""
    lossy = FaultConfig(loss=0.3, duplication=0.1, reordering=0.1)
    a = arrivals(publisher.publish(tape), lossy, seed=seed)
    config = publisher.FeedConfig(address=publisher.FEED_B.address, window_ns=5_000_000)
    b = arrivals(publisher.publish(tape, config), seed=seed, feed=1)
    path = tmp_path / "day.pcap"
    assert recording.write_feeds(path, a, b) == len(a) + len(b)
    found = capture.capture(path, verify=True)
    assert found.tape.digest() == tape.digest()
    assert (found.session, found.first_sequence, found.missing) == (publisher.SESSION, 1, 0)
    assert found.packets == len(a) + len(b)
    assert load(path).digest() == tape.digest()


def test_a_hole_in_a_capture_is_counted(tape: Tape, tmp_path: Path) -> None:
    packets = publisher.publish(tape, heartbeat_ns=0, end_packets=0)
    keep = np.ones(len(packets), bool)
    keep[100:103] = False
    lost = int(packets.counts[~keep].sum())
    some = publisher.Packets(packets.buffer, *(getattr(packets, n)[keep] for n in packets.__slots__[1:]))
    recording.write_feeds(tmp_path / "holes.pcap", some)
    found = capture.capture(tmp_path / "holes.pcap")
    assert (found.missing, len(found.tape)) == (lost, len(tape) - lost)
    with pytest.raises(ValueError, match="OTHER"):
        capture.capture(tmp_path / "holes.pcap", "OTHER")
    (tmp_path / "no.pcap").write_bytes(b"\xa1\xb2\xc3\xd4short")
    with pytest.raises(WireError):
        load(tmp_path / "no.pcap")


@pytest.mark.oracle
def test_genuine_captures_give_their_messages() -> None:
    """Their checksums are wrong and their numbers blanked, as published; the messages are genuine."""
    paths = sorted(shared_data("pcap/totalview_itch50_2023").glob("*.pcap"))
    kinds = set()
    for path in paths:
        found = capture.capture(path)
        assert len(found.tape) == found.packets == found.bad_checksums
        for message in found.tape:
            kinds.add(ITCH.of(message).code)
            ITCH.unpack(message)
    assert len(kinds) == len(paths) == 15


def test_tapes_are_joined_in_time() -> None:
    early = from_bytes([itch.SYSTEM_EVENT.pack(timestamp=9, event_code="O")])
    late = from_bytes([itch.SYSTEM_EVENT.pack(timestamp=5, event_code="C"), b""])
    whole = joined(early, late)
    assert list(whole) == [*early, *late]
    assert whole.timestamps.tolist() == [9, 9, 9]
    assert whole.counts() == {"S": 2, "\0": 1}
    with pytest.raises(ValueError, match="read-only"):
        whole.timestamps[0] = 1


def test_a_ladder_lies_around_the_opening_price(tape: Tape) -> None:
    market = FlowConfig(seed=5, messages=100, prices=(1_234_500, 800_000, 312_300, 9_999_900))
    for listing, price in zip(tape.listings(), market.prices, strict=True):
        ladder = ladder_for(flow(market), listing.stock)
        assert ladder.listing == listing
        assert abs(ladder.base_price + ladder.span // 2 - price) < ladder.span // 50
        assert ladder.base_price % ladder.tick == 0
    with pytest.raises(ValueError, match="NONE"):
        ladder_for(tape, "NONE")


@pytest.mark.oracle
def test_the_ladder_for_amazons_day_holds_the_whole_day() -> None:
    day = load(shared_data("itch/AMZN_2012-06-21_full_day_level5.itch.gz"))
    ladder = ladder_for(day, "AMZN")
    assert ladder.listing == Listing(1, "AMZN")
    added = np.flatnonzero(day.types == ord("A"))
    at = day.offsets[added] + itch.ADD_ORDER.offset("price")
    prices = np.array([int.from_bytes(day.buffer[i : i + 4].tobytes()) for i in at])
    assert ladder.base_price <= prices.min() < prices.max() < ladder.base_price + ladder.span


@given(st.lists(st.tuples(*[st.integers(-(10**12), 10**12)] * 3), min_size=1, max_size=5), st.booleans())
def test_number_tables_are_parsed_exactly(rows: list[tuple[int, int, int]], ended: bool) -> None:
    text = "\r\n".join(",".join(map(str, row)) for row in rows) + ("\n" if ended else "")
    assert parse(text.encode()).tolist() == [list(row) for row in rows]


@given(st.integers(0, 86_400), st.integers(0, 10**9 - 1), st.integers(0, 9))
def test_decimal_seconds_become_nanoseconds(seconds: int, nanoseconds: int, digits: int) -> None:
    fraction = f"{nanoseconds:09}"[:digits]
    text = f"{seconds}{'.' if digits else ''}{fraction},7\n"
    expected = seconds * 10**9 + int(fraction.ljust(9, "0"))
    assert parse(text.encode(), scaled_column=0, scale=9).tolist() == [[expected, 7]]


@pytest.mark.parametrize("text", [b"1,2\n3\n", b"1,2\n3,4,5\n", b"1,x\n", b"1,\n", b"1,2.5\n", b"1,2\n\n,\n"])
def test_what_is_no_number_table_is_named(text: bytes) -> None:
    with pytest.raises(ValueError, match="line"):
        parse(text)
