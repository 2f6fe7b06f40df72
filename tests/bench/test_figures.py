"""Figures add up to one file, become the README's tables, and each names a command that exists."""

import io
import json
import re
import threading
from functools import partial
from pathlib import Path

import pytest

from bench.figures import ROOT, SOURCES, Figure, main, read, times_better, write
from bench.readme import MARKED, number, rewritten

DECODE = Figure("decode", 104.2, "million messages/s", "make bench ONLY=decode")
BOOK = Figure("book", 21.0, "million messages/s", "make bench ONLY=book", "itch-book 0.2.1, 13.0", 21 / 13)

README = """above
<!-- figures: bench -->
old
<!-- end -->
<!-- figures: synth -->
kept
<!-- end -->
below
"""


def names(build: Path) -> set[str]:
    return {each["name"] for each in read("bench", build)["figures"]}


def test_a_figure_replaces_its_namesake_and_leaves_the_others(tmp_path: Path) -> None:
    write("bench", [DECODE, BOOK], tmp_path)
    write("bench", [Figure("decode", 99.0, "million messages/s", "make bench ONLY=decode")], tmp_path)
    assert names(tmp_path) == {"decode", "book"}
    assert [each["value"] for each in read("bench", tmp_path)["figures"]] == [99.0, 21.0]


def test_details_stand_beside_the_figures_and_outlive_other_writes(tmp_path: Path) -> None:
    write("synth", [], tmp_path, critical_path=["book.table", "book.ladder"])
    path = write("synth", [Figure("clock", 131.0, "MHz", "make synth")], tmp_path, area={"book": 4096})
    held = json.loads(path.read_text())
    assert held["critical_path"] == ["book.table", "book.ladder"]
    assert held["area"] == {"book": 4096}
    assert set(held["figures"][0]) >= {"name", "value", "unit", "peer", "ratio", "command"}


def test_writers_at_once_all_get_in(tmp_path: Path) -> None:
    figures = [Figure(f"figure {k}", k, "ns", "make bench") for k in range(24)]
    threads = [threading.Thread(target=write, args=("bench", [figure], tmp_path)) for figure in figures]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names(tmp_path) == {figure.name for figure in figures}


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [({"ratio": 2.0}, "ratio 2.0 to no peer"), ({"command": "python x.py"}, "'python x.py' is no make")],
)
def test_a_figure_nobody_could_check_is_refused(changed: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Figure(**{"name": "decode", "value": 1.0, "unit": "ns", "command": "make bench"} | changed)


def test_times_better_is_above_one_when_we_win() -> None:
    assert times_better(20.0, 10.0, better="higher") == 2.0
    assert times_better(50.0, 100.0, better="lower") == 2.0


@pytest.mark.parametrize(
    ("value", "text"),
    [(13.4, "13.4"), (2310.4, "2,310"), (0.0712, "0.0712"), (10, "10"), (156.25, "156"), ("held", "held")],
)
def test_a_number_shows_the_digits_that_mean_something(value: float | str, text: str) -> None:
    assert number(value) == text


def test_the_readme_shows_what_was_measured_and_keeps_what_was_not(tmp_path: Path) -> None:
    write("bench", [DECODE, BOOK], tmp_path)
    text = rewritten(README, tmp_path)
    assert "old" not in text
    assert "| book | 21 million messages/s | itch-book 0.2.1, 13.0 | 1.62 | `make bench ONLY=book` |" in text
    assert "<!-- figures: synth -->\nkept\n<!-- end -->\nbelow\n" in text
    assert rewritten(text, tmp_path) == text


def test_figures_without_a_place_in_the_readme_are_an_error(tmp_path: Path) -> None:
    write("formal", [Figure("kill stops every order", "proved", "", "make formal")], tmp_path)
    with pytest.raises(ValueError, match=r"no place for build/formal\.json"):
        rewritten(README, tmp_path)


def test_what_a_tool_prints_becomes_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = {"figures": [{"name": "clock", "value": 131.0, "unit": "MHz"}], "critical_path": ["book.table"]}
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(printed)))
    monkeypatch.setattr("sys.argv", ["bench.figures", "synth"])
    monkeypatch.setattr("bench.figures.ROOT", tmp_path)
    monkeypatch.setattr("bench.figures.write", partial(write, build=tmp_path))
    assert main() == 0
    held = read("synth", tmp_path)
    assert held["critical_path"] == ["book.table"]
    assert held["figures"][0]["command"] == "make synth"
    assert "clock: 131.0 MHz" in capsys.readouterr().out


def test_every_figure_of_the_readme_has_a_command_that_exists() -> None:
    text = (ROOT / "README.md").read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for source in SOURCES:
        marked = re.search(MARKED.format(source=source), text, re.DOTALL)
        assert marked, f"README.md has no place for {source}"
        for row in re.findall(r"^\|(.*)\|$", marked[2], re.MULTILINE)[2:]:
            command = re.fullmatch(r" `make ([a-z-]+)( .*)?` ", row.split("|")[-1])
            assert command, f"no command: {row}"
            assert command[1] in targets, f"no such target: {row}"
