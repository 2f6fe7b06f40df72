"""The journal: append, commit, read again.

What was committed is on the disk; a commit takes all that was appended since the last one in one write and one
``fdatasync``. There is one writer, so only one group of records is ever on its way to the disk. After a crash, therefore, only
the last group can be torn: a record that is broken while a later group is there was acknowledged, and its journal is
corrupt, not torn.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from control.store import mark, segment
from control.store.record import (
    DIGEST_AT,
    DIGEST_BYTES,
    MOST_PARTS,
    PAYLOAD_BYTES,
    RECORD_BYTES,
    SEGMENT_KIND,
    Parsed,
    Record,
    build,
    follows,
    is_empty,
    parse,
)
from control.store.segment import (
    HEADER,
    MAGIC,
    VERSION,
    CorruptJournalError,
    JournalError,
    JournalFailedError,
    JournalLockedError,
)

SEGMENT_RECORDS = 65_536
LOCK = "lock"
START = bytes(DIGEST_BYTES)
"""What the first record of a journal is chained to."""


class Repair(NamedTuple):
    """What opening found torn: so many records of a group that was never acknowledged, from ``sequence`` on."""

    sequence: int
    records: int


class Journal:
    """An append-only journal in a folder of its own. One thread uses it; see :class:`control.store.committer.Committer`.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    segment_records : int
        Records of a new segment, its header among them.
    sync : callable
        Makes a file's bytes last, given its descriptor.

    Attributes
    ----------
    repaired : Repair or None
        What was torn when it was opened, and is gone.

    Raises
    ------
    JournalLockedError
        Somebody else writes it.
    CorruptJournalError
        What was acknowledged is not there as it was written.
    JournalFullError
        No room for a segment.
    """

    def __init__(
        self, folder: Path, *, segment_records: int = SEGMENT_RECORDS, sync: Callable[[int], None] = os.fdatasync
    ) -> None:
        if segment_records < 2:
            raise ValueError(f"segment_records {segment_records}: a segment has a header and at least one record")
        self.folder, self._segment_records, self._sync = folder, segment_records, sync
        self.repaired: Repair | None = None
        self._pending: list[_Placed] = []
        self._group = self._next = 1
        self._digest = self._durable_digest = START
        self._acknowledged = 0
        self._place, self._room = Place(0, 0), 0  # of the next record, and records that still go into its segment
        self._failure: str | None = None
        self._files: dict[int, int] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = self._locked()  # also the file of the mark
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    # -- state ---------------------------------------------------------------------------------

    @property
    def acknowledged(self) -> int:
        """Sequence of the last record that is on the disk."""
        return self._acknowledged

    @property
    def digest(self) -> bytes:
        """Digest of the last record that is on the disk: it stands for the whole journal."""
        return self._durable_digest

    @property
    def pending(self) -> int:
        """Records appended and not committed."""
        return len(self._pending)

    # -- writing -------------------------------------------------------------------------------

    def append(self, kind: int, payload: bytes, timestamp: int) -> int:
        """Add an entry to the next commit; the sequence of its last record.

        Raises
        ------
        ValueError
            A kind outside 1 to 65,535, a time outside 64 bits, or a payload that is too long.
        JournalFailedError
            A commit failed before.
        """
        self._usable()
        if not 0 < kind <= 0xFFFF:
            raise ValueError(f"kind {kind}: 1 to 65535")
        if not 0 <= timestamp < 1 << 64:
            raise ValueError(f"timestamp {timestamp}: ns since the epoch, 64 bits")
        pieces = [payload[at : at + PAYLOAD_BYTES] for at in range(0, len(payload), PAYLOAD_BYTES)] or [b""]
        if len(pieces) > MOST_PARTS:
            raise ValueError(f"a payload of {len(payload)} bytes: at most {MOST_PARTS * PAYLOAD_BYTES}")
        for part, piece in enumerate(pieces):
            self._add(kind, piece, timestamp, part, len(pieces))
        return self._next - 1

    def commit(self) -> int:
        """Put all that was appended on the disk; the sequence of the last record that is there.

        Raises
        ------
        JournalFailedError
            It is not known what of it is there: nothing of it was acknowledged, and the journal takes no more.
        JournalFullError
            The same, because there is no room.
        """
        self._usable()
        pending, self._pending = self._pending, []
        if not pending:
            return self._acknowledged
        try:
            self._write(pending)
        except JournalError as error:
            self._failure = str(error)
            raise
        except OSError as error:
            self._failure = f"{segment.path_of(self.folder, pending[-1].place.segment)}: {error.strerror}"
            raise JournalFailedError(self._failure) from error
        self._acknowledged, self._durable_digest = self._next - 1, self._digest
        self._group = self._next
        mark.write(self._lock, self._acknowledged, self._durable_digest)
        return self._acknowledged

    def close(self) -> None:
        """Give files and lock back. What was not committed is gone."""
        for file in self._files.values():
            os.close(file)
        self._files = {}
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
        self._failure = self._failure or f"{self.folder}: closed"

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- reading -------------------------------------------------------------------------------

    def records(self, first: int = 1) -> Iterator[Record]:
        """Entries that are on the disk whose last record is ``first`` or later, in order.

        Raises
        ------
        CorruptJournalError
            They are no longer what was verified when the journal was opened.
        """
        parts: list[bytes] = []
        for at, record in scan(self.folder):
            if record is None:
                raise CorruptJournalError(f"{at.named(self.folder)}: no longer what it was when the journal was opened")
            if record.kind != SEGMENT_KIND:
                parts.append(record.payload)
                if record.part == record.parts - 1:
                    if record.sequence >= first:
                        yield Record(record.sequence, record.timestamp, record.kind, b"".join(parts))
                    parts = []
            if record.sequence >= self._acknowledged:
                return

    # -- inside --------------------------------------------------------------------------------

    def _locked(self) -> int:
        file = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(file)
            raise JournalLockedError(f"{self.folder}: written by another process") from error
        return file

    def _usable(self) -> None:
        if self._failure is not None:
            raise JournalFailedError(f"{self._failure}; open the journal anew to see what is there")

    def _add(self, kind: int, payload: bytes, timestamp: int, part: int = 0, parts: int = 1) -> None:
        if self._room == 0 and kind != SEGMENT_KIND:
            number = self._place.segment + 1
            self._place, self._room = Place(number, 0), self._segment_records
            self._add(SEGMENT_KIND, HEADER.pack(MAGIC, VERSION, number, self._next), timestamp)
        record = build(self._digest, self._next, timestamp, kind, payload, self._group, part, parts)
        self._pending.append(_Placed(self._place, record))
        self._place, self._room = Place(self._place.segment, self._place.row + 1), self._room - 1
        self._digest = record[DIGEST_AT:]
        self._next += 1

    def _write(self, pending: list[_Placed]) -> None:
        """All of it, a segment after the other, then on the disk."""
        begin = 0
        written = []
        while begin < len(pending):
            number = pending[begin].place.segment
            end = begin
            while end < len(pending) and pending[end].place.segment == number:
                end += 1
            file = self._file(number)
            data = b"".join(each.record for each in pending[begin:end])
            segment.write_all(file, data, pending[begin].place.row * RECORD_BYTES)
            written.append(file)
            begin = end
        for file in written:
            self._sync(file)
        for number in [number for number in self._files if number < pending[-1].place.segment]:
            os.close(self._files.pop(number))

    def _file(self, number: int) -> int:
        """A segment, which is made if it is not there."""
        if number not in self._files:
            path = segment.path_of(self.folder, number)
            if not path.exists():
                segment.reserve(self.folder, number, self._segment_records, self._sync)
            self._files[number] = os.open(path, os.O_RDWR)
        return self._files[number]

    def _open(self) -> None:
        """Verifies the whole chain, and takes away what is torn at its end."""
        whole = Place(1, 0)  # behind the last entry that is complete
        sequence, digest = 0, START
        last: Parsed | None = None
        broken: Place | None = None
        for place, record in scan(self.folder):
            if record is None:
                broken = place
                break
            last = record
            if record.kind == SEGMENT_KIND or record.part == record.parts - 1:
                whole, sequence, digest = place.following, record.sequence, record.digest
        marked = mark.read(self._lock)
        if marked is not None and (marked.sequence > sequence or (marked.sequence == sequence and marked.digest != digest)):
            where = (broken or whole).named(self.folder)
            raise CorruptJournalError(f"{where}: broken, but record {marked.sequence} was acknowledged")
        if broken is not None or (last is not None and last.sequence != sequence):
            self._repair(whole, sequence + 1)
        self._place, self._room = whole, max(segment.records_in(self.folder, whole.segment) - whole.row, 0)
        if sequence == 0:
            self._place, self._room = Place(0, 0), 0
        self._next = self._group = sequence + 1
        self._acknowledged, self._digest, self._durable_digest = sequence, digest, digest
        mark.write(self._lock, sequence, digest)

    def _repair(self, cut: Place, sequence: int) -> None:
        """Takes away everything from a place on, if it can be no more than one group that was on its way."""
        torn = 0
        for number in segment.numbers(self.folder):
            if number < cut.segment:
                continue
            path = segment.path_of(self.folder, number)
            data = path.read_bytes()
            begin = cut.row if number == cut.segment else 0
            for index in range(begin, len(data) // RECORD_BYTES):
                raw = data[index * RECORD_BYTES : (index + 1) * RECORD_BYTES]
                if is_empty(raw):
                    continue
                torn += 1
                record = parse(raw)
                if record is not None and record.group > sequence:
                    raise CorruptJournalError(
                        f"{cut.named(self.folder)}: record {sequence} is broken, but record {record.sequence} was written after"
                        " it was acknowledged"
                    )
        if torn == 0:
            return
        for number in segment.numbers(self.folder):
            if number >= cut.segment:
                begin = cut.row * RECORD_BYTES if number == cut.segment else 0
                segment.clear(self.folder, number, begin, self._sync)
        self.repaired = Repair(sequence, torn)


class Place(NamedTuple):
    """Where a record lies."""

    segment: int
    row: int

    @property
    def following(self) -> Place:
        """The place behind it in the same segment."""
        return Place(self.segment, self.row + 1)

    def named(self, folder: Path) -> str:
        """For an error's text."""
        return f"{segment.path_of(folder, self.segment)}, record {self.row} (byte {self.row * RECORD_BYTES})"


class _Placed(NamedTuple):
    place: Place
    record: bytes


def scan(folder: Path) -> Iterator[tuple[Place, Parsed | None]]:
    """All records of a journal, each verified to be the next link of its chain.

    Ends with None for the first that is not, unless nothing was written there or behind it in the segment.
    """
    expected, digest = 1, START
    numbers = segment.numbers(folder)
    if numbers and numbers[0] != 1:
        raise CorruptJournalError(f"{folder}: segment 1 is missing, {numbers[0]} is there")
    for number in numbers:
        with segment.path_of(folder, number).open("rb") as file:
            index = 0
            while len(data := file.read(RECORD_BYTES)) == RECORD_BYTES:
                place, record = Place(number, index), parse(data)
                if record is None or record.sequence != expected or not follows(data, digest) or not _begins(place, record):
                    if is_empty(data) and not any(file.read()) and number == numbers[-1]:
                        return
                    yield place, None
                    return
                yield place, record
                expected, digest, index = expected + 1, record.digest, index + 1


def _begins(place: Place, record: Parsed) -> bool:
    """Whether a record begins a segment if it lies at its beginning, and only then."""
    if (place.row == 0) != (record.kind == SEGMENT_KIND):
        return False
    return place.row > 0 or record.payload == HEADER.pack(MAGIC, VERSION, place.segment, record.sequence)
