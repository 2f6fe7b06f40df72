"""The store: what changes the control plane's state is appended to a journal first, and can be rebuilt from it.

``journal`` is the one file that everything else follows from: fixed records, hash-chained, acknowledged when they are on the
disk. ``record`` is the layout of its records, ``segment`` the files that they lie in. Databases and reports are views of it.
"""

from control.store.journal import Journal
from control.store.record import Record
from control.store.segment import (
    CorruptJournalError,
    ForkError,
    JournalError,
    JournalFailedError,
    JournalFullError,
    JournalLockedError,
)

__all__ = [
    "CorruptJournalError",
    "ForkError",
    "Journal",
    "JournalError",
    "JournalFailedError",
    "JournalFullError",
    "JournalLockedError",
    "Record",
]
