"""Every record that `wire` declares, and how to draw values for one."""

from typing import Any

from hypothesis import strategies as st

from wire import ethernet, ipv4, itch, moldudp64, ouch42, ouch50, records, soupbintcp, tcp, udp
from wire.layout import Family, Field, Record

MODULES = (itch, ouch42, ouch50, moldudp64, soupbintcp, ethernet, ipv4, udp, tcp, records)
FAMILIES = (
    itch.ITCH,
    ouch42.INBOUND,
    ouch42.OUTBOUND,
    ouch50.INBOUND,
    ouch50.OUTBOUND,
    soupbintcp.SERVER,
    soupbintcp.CLIENT,
)


def _records() -> dict[str, Record]:
    found = {}
    for module in MODULES:
        for name, value in vars(module).items():
            if isinstance(value, Record):
                found[f"{module.__name__.removeprefix('wire.')}.{name}"] = value
    for family in FAMILIES:
        for record in family.records:
            assert record in found.values(), f"{record} of {family.name} has no name of its own"
    return found


RECORDS = _records()

_TEXT = st.characters(min_codepoint=32, max_codepoint=126)


def field_values(f: Field) -> st.SearchStrategy[Any]:
    """Any value the field can hold; text without the padding that unpacking takes off."""
    if f.kind == "int":
        return st.integers(0, (1 << 8 * f.width) - 1)
    if f.kind == "signed":
        return st.integers(-(1 << 8 * f.width - 1), (1 << 8 * f.width - 1) - 1)
    if f.kind == "alpha":
        return st.text(_TEXT, max_size=f.width).map(lambda text: text.rstrip(" "))
    return st.binary(min_size=f.width, max_size=f.width)


def values_of(record: Record) -> st.SearchStrategy[dict[str, Any]]:
    """Values for all fields of a record."""
    return st.fixed_dictionaries(
        {
            f.name: st.just(record.code) if record.code is not None and f.offset == 0 else field_values(f)
            for f in record.fields
        }
    )


def messages_of(family: Family) -> st.SearchStrategy[tuple[Record, dict[str, Any]]]:
    """A record of a family and values for it."""
    return st.sampled_from(family.records).flatmap(lambda r: values_of(r).map(lambda v: (r, v)))
