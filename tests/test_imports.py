"""Imports go one way: the table of design.md section 3, held against every module's syntax tree."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Room -> the rooms whose modules it may import.
ROOMS = {
    "wire": set(),
    "engine": {"wire"},
    "hw": {"wire"},
    "drivers": {"wire", "engine"},
    "sim": {"wire", "engine", "hw"},
    "control": {"wire", "engine", "drivers", "sim"},
    "bench": {"wire", "engine", "hw", "drivers", "sim", "control", "tests"},
    "tests": {"wire", "engine", "hw", "drivers", "sim", "control", "bench"},
}

# Room -> modules it may load by a name in a string, when it is asked to and not before.
BY_NAME = {"drivers": {"sim.twin"}}

LOADERS = {"import_module", "__import__"}


def imported(module: ast.Module, package: str) -> Iterator[tuple[int, str, bool]]:
    """Every import in a module of ``package``: line, dotted name, and whether a string names it.

    A loader called with anything but a literal string gives the name ``?``: it cannot be checked.
    """
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, False) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            yield node.lineno, ".".join([*above, *filter(None, [node.module])]), False
        elif isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in LOADERS and node.args:
                literal = node.args[0]
                known = isinstance(literal, ast.Constant) and isinstance(literal.value, str)
                yield node.lineno, literal.value if known else "?", True


def violations(root: Path) -> list[str]:
    """Every import in the rooms under ``root`` that the tables do not allow, as ``file:line: what``."""
    found = []
    for room, allowed in ROOMS.items():
        for path in sorted((root / room).rglob("*.py")):
            where = path.relative_to(root)
            package = ".".join(where.parent.parts)
            for line, name, by_name in imported(ast.parse(path.read_text(), str(path)), package):
                other = name.split(".")[0]
                if name == "?" and room in {"bench", "tests"}:
                    continue
                if name != "?" and (other not in ROOMS or other == room or other in allowed):
                    continue
                loadable = BY_NAME.get(room, set())
                if by_name and any(name == each or name.startswith(f"{each}.") for each in loadable):
                    continue
                found.append(f"{where}:{line}: {room} may not {'load' if by_name else 'import'} {name}")
    return found


def test_imports_go_one_way() -> None:
    assert violations(ROOT) == []


@pytest.mark.parametrize("room", ROOMS)
def test_each_room_says_what_it_is_for(room: str) -> None:
    text = ast.get_docstring(ast.parse((ROOT / room / "__init__.py").read_text()))
    assert text, f"{room}/__init__.py has no docstring"
    lines = [line for line in text.splitlines() if line]
    assert 3 <= len(lines) <= 7, f"{room}/__init__.py says it in {len(lines)} lines, not in about five"


def test_there_is_no_room_that_the_table_forgets() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages == set(ROOMS)


@pytest.mark.parametrize(
    ("file", "source", "refused"),
    [
        ("wire/itch.py", "import engine", "wire may not import engine"),
        ("engine/book.py", "from hw.book import Ladder", "engine may not import hw.book"),
        ("hw/book/ladder.py", "from engine import book", "hw may not import engine"),
        ("hw/book/ladder.py", "from ...control import oms", "hw may not import control"),
        ("drivers/card.py", "import sim.twin", "drivers may not import sim.twin"),
        ("drivers/card.py", "def load():\n    from sim import twin", "drivers may not import sim"),
        ("drivers/card.py", "importlib.import_module('sim.replay')", "drivers may not load sim.replay"),
        ("drivers/card.py", "importlib.import_module(name)", "drivers may not load ?"),
        ("sim/venue.py", "if TYPE_CHECKING:\n    import control.oms", "sim may not import control.oms"),
        ("control/cli.py", "import hw.appliance", "control may not import hw.appliance"),
        ("control/cli.py", "from tests import shared_data", "control may not import tests"),
    ],
)
def test_a_wrong_import_is_found(tmp_path: Path, file: str, source: str, refused: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(source)
    assert [found.split(": ", 1)[1] for found in violations(tmp_path)] == [refused]


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("drivers/card.py", "importlib.import_module('sim.twin')"),
        ("drivers/card.py", "import_module('sim.twin.model')"),
        ("control/demo.py", "from sim.venue import Venue"),
        ("hw/book/ladder.py", "from . import bids\nfrom ..host import registers\nfrom wire import itch"),
        ("wire/itch.py", "import numpy.typing"),
    ],
)
def test_a_right_import_is_let_through(tmp_path: Path, file: str, source: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(source)
    assert violations(tmp_path) == []
