"""Reading a journal's files: every record verified, or those from a sequence on as they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from control.store import segment
from control.store.record import DIGEST_AT, DIGEST_BYTES, RECORD_BYTES, SEGMENT_KIND
from control.store.run import Records, as_records, verify
from control.store.segment import HEADER, MAGIC, VERSION, CorruptJournalError

START = bytes(DIGEST_BYTES)
"""What the first record of a journal is chained to."""
BLOCK_RECORDS = 4096


class Place(NamedTuple):
    """Where a record lies."""

    segment: int
    row: int

    def named(self, folder: Path) -> str:
        """For an error's text."""
        return f"{segment.path_of(folder, self.segment)}, record {self.row} (byte {self.row * RECORD_BYTES})"


class Block(NamedTuple):
    """Records that lie behind one another in one segment; all of them are links of the chain."""

    place: Place
    records: Records
    broken: bool
    """Whether something stands behind them that is not the next link."""

    @property
    def end(self) -> Place:
        """The place behind them."""
        return Place(self.place.segment, self.place.row + len(self.records))


def scan(folder: Path) -> Iterator[Block]:
    """All records of a journal, each verified to be the next link of its chain.

    Ends with a block that is broken, unless nothing was written behind the last record.

    Raises
    ------
    CorruptJournalError
        A segment is missing, or a file's name is none of a segment.
    """
    expected, digest = 1, START
    numbers = segment.numbers(folder)
    if numbers and numbers[0] != 1:
        raise CorruptJournalError(f"{folder}: segment 1 is missing, {numbers[0]} is there")
    for number in numbers:
        with segment.path_of(folder, number).open("rb") as file:
            row = 0
            while len(data := file.read(BLOCK_RECORDS * RECORD_BYTES)) >= RECORD_BYTES:
                records = as_records(data)
                good = verify(digest, expected, records).records
                good = min(good, _misplaced(number, row, records[:good]))
                block = Block(Place(number, row), records[:good], good < len(records))
                if block.broken:
                    rest = memoryview(data)[good * RECORD_BYTES :]
                    if number == numbers[-1] and not bytes(rest).strip(b"\0") and not file.read().strip(b"\0"):
                        block = block._replace(broken=False)
                    yield block
                    return
                yield block
                expected, digest, row = expected + good, records["digest"][-1].tobytes(), row + good


def _misplaced(number: int, row: int, records: Records) -> int:
    """The first record that begins a segment elsewhere than at its beginning, or the other way about."""
    for index in (records["kind"] == SEGMENT_KIND).nonzero()[0].tolist():
        sequence = int(records["sequence"][index])
        header = HEADER.pack(MAGIC, VERSION, number, sequence)
        if row + index != 0 or records["length"][index] != len(header) or not _payload(records, index).startswith(header):
            return int(index)
    return 0 if row == 0 and len(records) and records["kind"][0] != SEGMENT_KIND else len(records)


def _payload(records: Records, index: int) -> bytes:
    return bytes(records["payload"][index].tobytes())


class Reader:
    """The raw records of a journal, whoever writes it. Only what was acknowledged may be read, and nothing is verified.

    Parameters
    ----------
    folder : Path
        The journal's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._first: dict[int, int] = {}  # sequence of the record that begins each segment

    def digest(self, sequence: int) -> bytes:
        """Digest of a record; of 0, what the first record is chained to."""
        return self.read(sequence, sequence)[DIGEST_AT:] if sequence else START

    def read(self, first: int, last: int) -> bytes:
        """The records from ``first`` to ``last``.

        Raises
        ------
        CorruptJournalError
            They are not there.
        """
        found = bytearray()
        number = self._segment_of(first)
        while len(found) < (last - first + 1) * RECORD_BYTES:
            row = first + len(found) // RECORD_BYTES - self._begin(number)
            with segment.path_of(self._folder, number).open("rb") as file:
                file.seek(row * RECORD_BYTES)
                data = file.read((last - first + 1) * RECORD_BYTES - len(found))
            if not data:
                raise CorruptJournalError(f"{Place(number, row).named(self._folder)}: record {first} to {last} should be there")
            found += data
            number += 1
        return bytes(found)

    def segment_records(self, sequence: int) -> int:
        """Records that the segment of a record has room for."""
        return segment.records_in(self._folder, self._segment_of(sequence))

    def _segment_of(self, sequence: int) -> int:
        """The segment that a record lies in: those that were met, then the new ones, then by bisection."""
        numbers = segment.numbers(self._folder)
        low, high = 0, len(numbers)
        while high - low > 1:
            middle = (low + high) // 2
            begin = self._begin(numbers[middle])
            low, high = (middle, high) if 0 < begin <= sequence else (low, middle)
        if not numbers or sequence < 1:
            raise CorruptJournalError(f"{self._folder}: record {sequence} should be there")
        return numbers[low]

    def _begin(self, number: int) -> int:
        """Sequence of the record that begins a segment; 0 if that is not written yet."""
        if number not in self._first:
            with segment.path_of(self._folder, number).open("rb") as file:
                begin = int.from_bytes(file.read(8), "little")
            if begin == 0:
                return 0
            self._first[number] = begin
        return self._first[number]
