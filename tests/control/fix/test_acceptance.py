"""Our acceptor behaves as QuickFIX's acceptance definitions demand.

There are none for FIX 5.0 SP2 here: those of 4.4 are carried over to FIXT 1.1, see `on_fixt`.
"""

import re
from pathlib import Path

import pytest

from control.gateway.fix.settings import Identity
from tests.control.fix import definitions
from tests.shared_data import shared_data, shared_directory

IDENTITIES = {
    "fix42": Identity("FIX.4.2", "ISLD", "TW42"),
    "fix44": Identity("FIX.4.4", "ISLD", "TW44"),
}
COUNTS = {"fix42": 58, "fix44": 59}


def recorded(folder: str) -> list[Path]:
    """The definitions of one version; empty where the data is not there."""
    return sorted((shared_directory() / "fix" / folder).glob("*.def"))


CASES = [pytest.param(folder, path, id=f"{folder}-{path.stem}") for folder in IDENTITIES for path in recorded(folder)]


@pytest.mark.oracle
@pytest.mark.parametrize("folder", IDENTITIES)
def test_every_definition_is_there(folder: str) -> None:
    shared_data(f"fix/{folder}")
    assert len(recorded(folder)) == COUNTS[folder]


@pytest.mark.oracle
@pytest.mark.parametrize(("folder", "path"), CASES)
def test_behaves_as_the_definition_demands(folder: str, path: Path) -> None:
    definitions.run(path.read_bytes(), IDENTITIES[folder])


@pytest.mark.oracle
@pytest.mark.parametrize(("folder", "path"), CASES)
def test_behaves_the_same_when_bytes_come_one_by_one(folder: str, path: Path) -> None:
    definitions.run(path.read_bytes(), IDENTITIES[folder], chunk=1)


FIXT = Identity("FIX.5.0SP2", "ISLD", "TW44")
REPLACED = {
    b"336=PRE-OPEN": b"336=1",
    b"336=AFTER-HOURS": b"336=2",
    b"336=ONE_MAIN\x01": b"",
    b"\x01999=": b"\x014999=",
    b"371=999\x01": b"371=4999\x01",
}


def on_fixt(text: bytes) -> bytes:
    """A definition of FIX 4.4 as one of FIX 5.0 SP2 on FIXT 1.1, by the rules in which they differ.

    The transport's BeginString; Logon with DefaultApplVerID (1137), behind ResetSeqNumFlag; TradingSessionID has a list
    of values now, and its place in SecurityDefinition is in a group; tag 999 is a field. BodyLength of what is expected follows.
    """
    lines = []
    for line in text.split(b"\n"):
        fitted = line
        for old, new in REPLACED.items():
            fitted = fitted.replace(old, new)
        if b"\x0135=A\x01" in line:
            fitted = re.sub(b"\x01(108=[0-9]+\x01(?:141=Y\x01)?)", b"\x01\\g<1>1137=9\x01", fitted)
        longer = len(fitted) - len(line)
        if line.startswith(b"E"):
            fitted = re.sub(b"\x019=([0-9]+)", lambda found, by=longer: b"\x019=%d" % (int(found[1]) + by), fitted)
        lines.append(fitted.replace(b"8=FIX.4.4\x01", b"8=FIXT.1.1\x01"))
    return b"\n".join(lines)


@pytest.mark.oracle
@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in recorded("fix44")])
def test_behaves_by_the_same_rules_on_fixt(path: Path) -> None:
    definitions.run(on_fixt(path.read_bytes()), FIXT)
