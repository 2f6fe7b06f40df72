"""The README's tables of figures, written from ``build/*.json``: ``make readme``.

A table stands between ``<!-- figures: bench -->`` and ``<!-- end -->``, likewise ``synth`` and ``formal``. A
source that has not been measured here leaves its table as it is.
"""

import argparse
import re
import sys
from pathlib import Path
from typing import Any

from bench.figures import BUILD, ROOT, SOURCES, read

README = ROOT / "README.md"
MARKED = "(<!-- figures: {source} -->\n)(.*?)(<!-- end -->)"


def number(value: float | str) -> str:
    """A value with the digits that mean something: ``13.4``, ``2,310``, ``0.071``, ``proved``."""
    if isinstance(value, str):
        return value
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def table(figures: list[dict[str, Any]]) -> str:
    """The Markdown table of figures, and the machines that measured them beneath it."""
    compared = any(figure.get("peer") for figure in figures)
    head = ["figure", "measured", *(["beside", "times better"] if compared else []), "command"]
    rows = [head, ["---"] * len(head)]
    for figure in figures:
        ratio = figure.get("ratio")
        beside = [figure.get("peer") or "", "" if ratio is None else number(ratio)] if compared else []
        measured = f"{number(figure['value'])} {figure.get('unit') or ''}".strip()
        rows.append([figure["name"], measured, *beside, f"`{figure['command']}`"])
    runs = {f"{figure['machine']}, {figure['measured']}" for figure in figures if figure.get("machine")}
    lines = ["| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows]
    return "\n".join([*lines, "", *(f"{run}." for run in sorted(runs))]).rstrip() + "\n"


def rewritten(text: str, build: Path = BUILD) -> str:
    """``text`` with every table replaced for which ``build`` has figures.

    Raises
    ------
    ValueError
        The text has no place for the table.
    """
    for source in SOURCES:
        figures = read(source, build)["figures"]
        if not figures:
            continue
        marked = re.compile(MARKED.format(source=source), re.DOTALL)
        if not marked.search(text):
            raise ValueError(f"no place for build/{source}.json: <!-- figures: {source} --> to <!-- end -->")
        body = table(figures).replace("\\", r"\\")
        text = marked.sub(rf"\g<1>{body}\g<3>", text)
    return text


def main() -> int:
    """Rewrite README.md, or with ``--check`` say whether it is in step."""
    parser = argparse.ArgumentParser(prog="make readme", description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when out of step")
    check = parser.parse_args().check
    before = README.read_text()
    after = rewritten(before)
    missing = [source for source in SOURCES if not read(source)["figures"]]
    if missing:
        print(f"not measured here, so left as they are: {', '.join(f'make {source}' for source in missing)}")
    if after == before:
        print("README.md is in step with build/")
    elif check:
        print("README.md is out of step with build/: make readme")
        return 1
    else:
        README.write_text(after)
        print("README.md rewritten")
    return 0


if __name__ == "__main__":
    sys.exit(main())
