"""The declarations against the field tables of the specifications, read again from their text."""

import re
from pathlib import Path

import pytest

from tests.shared_data import shared_directory
from wire import appendage, itch, moldudp64, ouch42, ouch50, soupbintcp
from wire.layout import Family, Record

pytestmark = pytest.mark.oracle

ROW = re.compile(r"^\|(.+)\|$", re.MULTILINE)
MESSAGE = re.compile(r"^#{2,3} (?:(Inbound|Outbound) )?(\S) - .* \((\d+)(?: bytes)?\)$", re.MULTILINE)

Rows = list[list[str]]


def table(text: str) -> Rows:
    """The cells of the first table of a text, header and rule left out."""
    lines = text.split("\n")
    begin = next(i for i, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[begin:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip().strip("|").split("|")])
    return rows[2:]


def specification(name: str) -> str:
    path: Path = shared_directory().parent / "specs" / name
    if not path.is_file():
        pytest.skip(f"no specification tables: {path} is not there")
    return path.read_text(encoding="utf-8")


def messages(text: str) -> dict[tuple[str, str], tuple[int, Rows]]:
    """(direction, type) -> length and field rows of every message section."""
    found = {}
    for heading in MESSAGE.finditer(text):
        direction, code, length = heading.groups()
        found[direction or "", code] = (int(length), table(text[heading.end() :]))
    return found


def check(record: Record, length: int, rows: Rows) -> None:
    """Offset, length and kind of every field; a variable tail is no part of the record."""
    fixed = [row for row in rows if row[1] != "var"]
    assert record.length == length
    assert [(f.offset, f.width) for f in record.fields] == [(int(row[0]), int(row[1])) for row in fixed]
    for f, (_, _, name, kind, *_) in zip(record.fields, fixed, strict=True):
        numeric = kind.startswith(("int", "price")) or kind == "UserRefNum"
        assert (f.kind == "int") == numeric, f"{record.name}.{f.name} is {f.kind}, the table says {kind}"
        if f.offset == 0:
            assert kind == f"'{record.code}'"
        if kind == "price(8)" or (name.startswith("Level") and record.code == "V"):
            assert "1e-8" in f.doc


FAMILIES = [
    ("itch50.md", "", itch.ITCH),
    ("ouch42.md", "Inbound", ouch42.INBOUND),
    ("ouch42.md", "Outbound", ouch42.OUTBOUND),
    ("ouch50.md", "Inbound", ouch50.INBOUND),
    ("ouch50.md", "Outbound", ouch50.OUTBOUND),
]


@pytest.mark.parametrize(
    ("name", "direction", "family"), FAMILIES, ids=lambda value: getattr(value, "name", value)
)
def test_every_field_stands_where_the_specification_puts_it(
    name: str, direction: str, family: Family
) -> None:
    sections = {code: s for (d, code), s in messages(specification(name)).items() if d == direction}
    assert sections.keys() == {record.code for record in family.records}
    for record in family.records:
        assert record.code is not None
        check(record, *sections[record.code])


@pytest.mark.parametrize(
    ("name", "direction", "family"), FAMILIES, ids=lambda value: getattr(value, "name", value)
)
def test_every_length_is_that_of_the_length_table(name: str, direction: str, family: Family) -> None:
    text = specification(name)
    heading = f"## {direction}: lengths" if direction else "## Lengths"
    rows = table(text[text.index(heading) :])
    assert {code: int(length) for code, _, length in rows} == {r.code: r.length for r in family.records}


def test_ouch_50_options_are_those_of_appendix_b() -> None:
    text = specification("ouch50.md")
    rows = table(text[text.index("## Optional fields") :])
    assert len(rows) == len(appendage.OPTIONS)
    for option, (tag, _, size, kind) in zip(appendage.OPTIONS, rows, strict=True):
        assert (option.tag, option.width) == (int(tag), int(size))
        if kind.startswith(("int", "price")):
            assert option.kind == "int"
        elif kind == "signed price":
            assert option.kind == "signed"
        else:
            assert option.kind == "alpha"
            allowed = (
                "" if kind == "alpha" else kind.replace(" space ", "_").replace(" ", "").replace("_", " ")
            )
            assert option.values == allowed


def test_moldudp64_headers_are_those_of_the_specification() -> None:
    text = specification("moldudp64.md")
    for heading, record in (("## Downstream", moldudp64.DOWNSTREAM), ("## Request", moldudp64.REQUEST)):
        rows = table(text[text.index(heading) :])
        assert [(f.offset, f.width) for f in record.fields] == [(int(row[0]), int(row[1])) for row in rows]


def test_soupbintcp_packets_have_the_specified_types_and_lengths() -> None:
    rows = table(specification("soupbintcp.md"))
    assert len(rows) == len(soupbintcp.EITHER.records)
    families = {"server": soupbintcp.SERVER, "client": soupbintcp.CLIENT}
    for direction, code, _, total, payload in rows:
        for name, family in families.items():
            assert (ord(code) in family.by_code) == (direction in ("both", name))
        record = soupbintcp.EITHER.by_code[ord(code)]
        if total.startswith("3+"):
            assert code in soupbintcp.WITH_PAYLOAD
        else:
            assert record.length == int(total.split()[0]) - soupbintcp.LENGTH_BYTES
        places = [(int(width), int(at)) for width, at in re.findall(r"(\d+) @(\d+)", payload)]
        fields = [(f.width, f.offset + soupbintcp.LENGTH_BYTES) for f in record.fields[1:]]
        assert places == fields
