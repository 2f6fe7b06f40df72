"""Our acceptor behaves as QuickFIX's acceptance definitions demand."""

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
