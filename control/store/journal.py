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
    DIGEST_BYTES,
    MOST_PARTS,
    PAYLOAD_BYTES,
    RECORD_BYTES,
    SEGMENT_KIND,
    Record,
    build,
    is_empty,
    parse,
)
from control.store.run import as_records, regrouped, unpacked, verify, whole_entries
from control.store.scan import START, Place, Reader, scan
from control.store.segment import (
    HEADER,
    MAGIC,
    VERSION,
    CorruptJournalError,
    ForkError,
    JournalError,
    JournalFailedError,
    JournalLockedError,
)

SEGMENT_RECORDS = 65_536
LOCK = "lock"


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
    most_parts : int
        Records that an entry may take: fewer where entries go through something that has a limit.

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
        self,
        folder: Path,
        *,
        segment_records: int = SEGMENT_RECORDS,
        sync: Callable[[int], None] = os.fdatasync,
        most_parts: int = MOST_PARTS,
    ) -> None:
        if segment_records < 2:
            raise ValueError(f"segment_records {segment_records}: a segment has a header and at least one record")
        self.folder, self._segment_records, self._sync, self._most_parts = folder, segment_records, sync, most_parts
        self.repaired: Repair | None = None
        self._pending: list[_Run] = []  # one for each segment
        self._group = self._next = 1
        self._digest = self._durable_digest = START
        self._acknowledged = 0
        self._segment = self._row = self._room = 0  # of the next record, and records that still go into its segment
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
        return self._next - 1 - self._acknowledged

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
        if len(payload) <= PAYLOAD_BYTES:
            self._add(kind, payload, timestamp)
            return self._next - 1
        if len(payload) > self._most_parts * PAYLOAD_BYTES:
            raise ValueError(f"a payload of {len(payload)} bytes: at most {self._most_parts * PAYLOAD_BYTES}")
        pieces = [payload[at : at + PAYLOAD_BYTES] for at in range(0, len(payload), PAYLOAD_BYTES)]
        for part, piece in enumerate(pieces):
            self._add(kind, piece, timestamp, part, len(pieces))
        return self._next - 1

    def adopt(self, data: bytes) -> int:
        """Add whole entries of another journal to the next commit, as they are; the sequence of the last record.

        They have to be the next links of this journal's chain, and segments have to begin where this journal's do.

        Raises
        ------
        ForkError
            The other journal has another history: a record is whole, and does not follow ours. Nothing was added.
        CorruptJournalError
            A record is torn, or the last entry is not all there. Nothing was added.
        JournalFailedError
            A commit failed before.
        """
        self._usable()
        if not data:
            return self._next - 1
        records = as_records(data)
        good, whole = verify(self._digest, self._next, records)
        if good < len(records):
            sequence = self._next + good
            if whole and int(records["sequence"][good]) == sequence:
                raise ForkError(f"{self.folder}: record {sequence} is not the one that follows record {sequence - 1} here")
            raise CorruptJournalError(f"{self.folder}: record {sequence} of what is to be adopted is torn")
        if len(data) % RECORD_BYTES or whole_entries(records) < len(records):
            raise CorruptJournalError(f"{self.folder}: the entry of record {self._next + good - 1} is not all there")
        heads = (records["kind"] == SEGMENT_KIND).nonzero()[0].tolist()
        expected = list(range(self._room, len(records), self._segment_records))
        if heads != expected:
            row = min(set(heads) ^ set(expected))
            raise ForkError(
                f"{self.folder}: at record {self._next + row} a segment begins {'there' if row in heads else 'here'} and not"
                f" {'here' if row in heads else 'there'}: segments have another length"
            )
        data = regrouped(records, self._group)
        begins = [*([] if heads[:1] == [0] else [0]), *heads]
        for begin, end in zip(begins, [*begins[1:], len(records)], strict=True):
            if begin in heads:
                self._begin_segment()
            self._put(data[begin * RECORD_BYTES : end * RECORD_BYTES], end - begin)
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
            self._failure = f"{segment.path_of(self.folder, pending[-1].segment)}: {error.strerror}"
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
        for block in scan(self.folder):
            for record in unpacked(block.records):
                if record.kind != SEGMENT_KIND:
                    parts.append(record.payload)
                    if record.part == record.parts - 1:
                        if record.sequence >= first:
                            yield Record(record.sequence, record.timestamp, record.kind, b"".join(parts))
                        parts = []
                if record.sequence >= self._acknowledged:
                    return
            if block.broken:
                where = block.end.named(self.folder)
                raise CorruptJournalError(f"{where}: no longer what it was when the journal was opened")

    def reader(self) -> Reader:
        """Another way to what is on the disk, for another thread."""
        return Reader(self.folder)

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
            self._begin_segment()
            self._add(SEGMENT_KIND, HEADER.pack(MAGIC, VERSION, self._segment, self._next), timestamp)
        self._put(build(self._digest, self._next, timestamp, kind, payload, self._group, part, parts), 1)

    def _begin_segment(self) -> None:
        self._segment, self._row, self._room = self._segment + 1, 0, self._segment_records

    def _put(self, data: bytes, records: int) -> None:
        """Add records that are chained, and fit into the segment."""
        if not self._pending or self._pending[-1].segment != self._segment:
            self._pending.append(_Run(self._segment, self._row, bytearray()))
        self._pending[-1].data.extend(data)
        self._digest = data[-DIGEST_BYTES:]
        self._row, self._room, self._next = self._row + records, self._room - records, self._next + records

    def _write(self, pending: list[_Run]) -> None:
        """All of it, a segment after the other, then on the disk."""
        files = []
        for run in pending:
            file = self._file(run.segment)
            segment.write_all(file, run.data, run.row * RECORD_BYTES)
            files.append(file)
        for file in files:
            self._sync(file)
        for number in [number for number in self._files if number < pending[-1].segment]:
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
        last = 0
        broken: Place | None = None
        for block in scan(self.folder):
            records = block.records
            if len(records):
                last = int(records["sequence"][-1])
                good = whole_entries(records)
                if good:
                    whole = Place(block.place.segment, block.place.row + good)
                    sequence, digest = int(records["sequence"][good - 1]), records["digest"][good - 1].tobytes()
            if block.broken:
                broken = block.end
        marked = mark.read(self._lock)
        if marked is not None and (marked.sequence > sequence or (marked.sequence == sequence and marked.digest != digest)):
            where = (broken or whole).named(self.folder)
            raise CorruptJournalError(f"{where}: broken, but record {marked.sequence} was acknowledged")
        if broken is not None or last != sequence:
            self._repair(whole, sequence + 1)
        self._segment, self._row = whole
        self._room = max(segment.records_in(self.folder, whole.segment) - whole.row, 0)
        if sequence == 0:
            self._segment = self._row = self._room = 0
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


class _Run(NamedTuple):
    """Records on their way into one segment."""

    segment: int
    row: int
    data: bytearray
