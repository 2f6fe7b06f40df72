"""Our declarations against the recorded data dictionaries of QuickFIX."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

import pytest

from tests.shared_data import shared_data
from wire.fix.dictionary import Dictionary, Members, dictionary

VERSIONS = {"FIX.4.2": ("FIX42",), "FIX.4.4": ("FIX44",), "FIX.5.0SP2": ("FIX50SP2", "FIXT11")}
LATER = 1_427
"""FIX 5.0 SP2 as declared ends before this tag: what follows came in extension packs."""


class Recorded:
    """The recorded dictionaries of one version, components taken in where they stand."""

    def __init__(self, names: tuple[str, ...]) -> None:
        roots = [ElementTree.parse(shared_data(f"fix/{name}.xml")).getroot() for name in names]
        self.fields = {each.get("name"): each for root in roots for each in root.iterfind("fields/field")}
        self.messages = {each.get("msgtype"): each for root in roots for each in root.iterfind("messages/message")}
        self.components = {each.get("name"): each for root in roots for each in root.iterfind("components/component")}
        self.header, self.trailer = (
            next(found for root in roots if len(found := root.find(part)) > 0) for part in ("header", "trailer")
        )

    def tag(self, name: str | None) -> int:
        return int(self.fields[name].get("number"))

    def within(self, element: ElementTree.Element, limit: int) -> bool:
        """Whether a field, or a group with any of its members, is below the limit."""
        if self.tag(element.get("name")) >= limit:
            return False
        return element.tag == "field" or any(self.within(each, limit) for each, _ in self.members(element))

    def members(self, element: ElementTree.Element, binding: bool = True) -> Iterator[tuple[ElementTree.Element, bool]]:
        for each in element:
            required = binding and each.get("required") == "Y"
            if each.tag == "component":
                yield from self.members(self.components[each.get("name")], required)
            else:
                yield each, required


def compare(ours: Members, recorded: Recorded, element: ElementTree.Element, limit: int) -> None:
    theirs = [(each, required) for each, required in recorded.members(element) if recorded.within(each, limit)]
    tags = [recorded.tag(each.get("name")) for each, _ in theirs]
    assert set(ours.tags) == set(tags), ours.name
    assert next(iter(ours.tags)) == ours.first == tags[0]
    assert set(ours.required) == {recorded.tag(each.get("name")) for each, required in theirs if required}, ours.name
    for each, _ in theirs:
        group = ours.tags[recorded.tag(each.get("name"))]
        assert (group is not None) == (each.tag == "group"), each.get("name")
        if group is not None:
            compare(group, recorded, each, limit)


@pytest.fixture(params=VERSIONS)
def both(request: pytest.FixtureRequest) -> tuple[Dictionary, Recorded]:
    return dictionary(request.param), Recorded(VERSIONS[request.param])


@pytest.mark.oracle
def test_fields_have_the_recorded_tag_type_and_values(both: tuple[Dictionary, Recorded]) -> None:
    ours, recorded = both
    assert len(ours.fields) > 180
    for name, field in ours.by_name.items():
        theirs = recorded.fields[name]
        assert (field.tag, field.type) == (int(theirs.get("number")), theirs.get("type"))
        assert field.values == {each.get("enum").encode() for each in theirs}


@pytest.mark.oracle
def test_messages_have_the_recorded_fields_groups_and_requirements(both: tuple[Dictionary, Recorded]) -> None:
    ours, recorded = both
    limit = LATER if ours.application_version else 1 << 30
    compare(ours.header, recorded, recorded.header, limit)
    compare(ours.trailer, recorded, recorded.trailer, limit)
    for kind, members in ours.messages.items():
        element = recorded.messages[kind.decode()]
        assert members.name == element.get("name")
        compare(members, recorded, element, limit)


@pytest.mark.oracle
def test_every_recorded_type_is_known(both: tuple[Dictionary, Recorded]) -> None:
    ours, recorded = both
    assert {each.decode() for each in ours.types} == set(recorded.messages)


def test_the_messages_that_we_speak_are_there() -> None:
    spoken = {b"0", b"1", b"2", b"3", b"4", b"5", b"A", b"8", b"9", b"D", b"F", b"G", b"H", b"j", b"c", b"d"}
    assert set(dictionary("FIX.4.2").messages) == spoken
    for version in ("FIX.4.4", "FIX.5.0SP2"):
        assert set(dictionary(version).messages) == spoken | {b"AE", b"AR", b"q", b"r"}


def test_a_required_field_of_an_optional_component_is_optional() -> None:
    instrument = dictionary("FIX.4.4").messages[b"8"]
    assert 37 in instrument.required
    assert 55 in instrument.tags
    assert 55 not in instrument.required


def test_nested_groups_are_found_by_their_count() -> None:
    parties = dictionary("FIX.4.4").messages[b"D"].tags[453]
    assert parties is not None
    assert parties.first == 448
    assert parties.tags[802] is not None
