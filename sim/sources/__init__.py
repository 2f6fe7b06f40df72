"""Where market data comes from: files of ITCH, LOBSTER and captures, and a market made from a seed.

Every source yields a :class:`~sim.sources.tape.Tape`: the messages in one buffer, with offsets, lengths and
times, read or made in compiled code.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sim.sources.tape import Tape

_CAPTURES = (b"\xa1\xb2\xc3\xd4", b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x4d\x3c\xb2\xa1", b"\x0a\x0d\x0d\x0a")


def load(path: str | Path, stocks: Iterable[str] | None = None) -> Tape:
    """The tape in a recorded file, whatever kind it is of; what it is, its first bytes say.

    Parameters
    ----------
    path : path
        ITCH 5.0 file (plain or gzip, with or without length prefix), LOBSTER message file or zip, or capture of
        MoldUDP64 packets (pcap, pcapng).
    stocks : stocks or None
        Keep only these.

    Raises
    ------
    OSError
        The file can't be read.
    ValueError
        None of these, damaged (:class:`wire.errors.WireError`), or without one of ``stocks``.
    """
    from sim.sources import capture, itch_file, lobster

    path = Path(path)
    with path.open("rb") as file:
        head = file.read(256)
    if head[:4] in _CAPTURES:
        tape = capture.read(path)
    elif lobster.is_lobster(path, head):
        tape = lobster.read(path)
    else:
        return itch_file.read(path, stocks)
    return tape if stocks is None else tape.only(stocks)
