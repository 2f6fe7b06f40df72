"""What each version of FIX allows: fields with types and values, and the fields of header, trailer and messages.

The declarations are text, as short as it gets::

    D NewOrderSingle:
        ClOrdID! @Parties NoAllocs( AllocAccount AllocQty @NestedParties ) Side! ...

An exclamation mark says required, ``@`` takes in the members of a component, and parentheses hold the members of a
repeating group, whose first one begins each entry. A component's required members are so only where the component is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from wire.fix import enumerations, fields, fix42, fix44, fix50, fixt11


@dataclass(frozen=True, slots=True)
class FieldDefinition:
    """One field. ``values`` holds what FIX enumerates, and is empty where any value of the type will do."""

    tag: int
    name: str
    type: str
    values: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class Members:
    """What may stand in a header, a trailer, a message or a group's entry.

    ``tags`` maps every tag to the group that it counts, or to None; ``first`` is the first member's tag.
    """

    name: str
    tags: dict[int, Members | None] = field(default_factory=dict)
    required: tuple[int, ...] = ()
    first: int = 0

    def every_tag(self) -> Iterator[int]:
        """All tags, those in groups too."""
        for tag, group in self.tags.items():
            yield tag
            if group is not None:
                yield from group.every_tag()


class Dictionary:
    """One version.

    Parameters
    ----------
    name : str
        "FIX.4.4"
    begin_string : str
        What stands in BeginString (8): the version, or that of the transport.
    application_version : str or None
        ApplVerID (1128) where the transport has a version of its own.
    """

    def __init__(
        self,
        name: str,
        begin_string: str,
        declared: dict[str, FieldDefinition],
        header: str,
        trailer: str,
        parts: tuple[tuple[str, str], ...],
        types: str,
        application_version: str | None = None,
    ) -> None:
        self.name, self.begin_string = name, begin_string.encode("ascii")
        self.application_version = application_version
        self.by_name = declared
        self.fields = {each.tag: each for each in declared.values()}
        self.header, self.trailer = self._members("header", header, {}), self._members("trailer", trailer, {})
        self.header_tags, self.trailer_tags = frozenset(self.header.every_tag()), frozenset(self.trailer.every_tag())
        self.messages: dict[bytes, Members] = {}
        for components, messages in parts:
            known = dict(_sections(components))
            for title, body in _sections(messages):
                message_type, message_name = title.split()
                self.messages[message_type.encode("ascii")] = self._members(message_name, body, known)
        self.types = frozenset(types.encode("ascii").split())
        self._tags = {name: each.tag for name, each in declared.items()}

    def __repr__(self) -> str:
        return f"Dictionary({self.name!r})"

    def tag(self, name: str) -> int:
        """The tag of a field by its name."""
        return self._tags[name]

    def _members(self, name: str, text: str, components: dict[str, str]) -> Members:
        words = iter(text.split())
        return self._group(name, words, components)

    def _group(self, name: str, words: Iterator[str], components: dict[str, str]) -> Members:
        tags: dict[int, Members | None] = {}
        required: list[int] = []
        self._take(words, components, tags, required, binding=True)
        return Members(name, tags, tuple(required), next(iter(tags), 0))

    def _take(
        self,
        words: Iterator[str],
        components: dict[str, str],
        tags: dict[int, Members | None],
        required: list[int],
        binding: bool,
    ) -> None:
        for word in words:
            if word == ")":
                return
            must = "!" in word
            name = word.rstrip("(").rstrip("!")
            if name.startswith("@"):
                self._take(iter(components[name[1:]].split()), components, tags, required, binding and must)
                continue
            tag = self.by_name[name].tag
            tags[tag] = self._group(name, words, components) if word.endswith("(") else None
            if must and binding:
                required.append(tag)


def _sections(text: str) -> Iterator[tuple[str, str]]:
    """Titles, and the text below each up to the next one; a title's text may begin on its own line."""
    title, body = "", ""
    for line in text.splitlines():
        if line and not line.startswith(" "):
            if title:
                yield title, body
            title, _, body = line.partition(":")
        else:
            body += " " + line
    if title:
        yield title, body


def _declared(*versions: tuple[str, str]) -> dict[str, FieldDefinition]:
    """Fields by name from tables of fields and of values, later versions over earlier ones."""
    places: dict[str, tuple[int, str]] = {}
    values: dict[str, frozenset[bytes]] = {}
    for names, enumerated in versions:
        for kind, body in _sections(names):
            for word in body.split():
                name, _, tag = word.partition("=")
                places[name] = (int(tag), kind)
        values |= {name: frozenset(body.encode("ascii").split()) for name, body in _sections(enumerated)}
    return {name: FieldDefinition(tag, name, kind, values.get(name, frozenset())) for name, (tag, kind) in places.items()}


@cache
def fix_42() -> Dictionary:
    """FIX 4.2."""
    declared = _only(
        _declared((fields.FIELDS_44, enumerations.VALUES_44), (fields.FIELDS_42, enumerations.VALUES_42)), fix42
    )
    parts = ((fix42.COMPONENTS, fix42.MESSAGES),)
    return Dictionary("FIX.4.2", "FIX.4.2", declared, fix42.HEADER, fix42.TRAILER, parts, fix42.TYPES)


@cache
def fix_44() -> Dictionary:
    """FIX 4.4."""
    declared = _declared((fields.FIELDS_44, enumerations.VALUES_44))
    parts = ((fix44.COMPONENTS, fix44.MESSAGES),)
    return Dictionary("FIX.4.4", "FIX.4.4", declared, fix44.HEADER, fix44.TRAILER, parts, fix44.TYPES)


@cache
def fix_50sp2() -> Dictionary:
    """FIX 5.0 SP2 on FIXT 1.1."""
    declared = _only(
        _declared((fields.FIELDS_44, enumerations.VALUES_44), (fields.FIELDS_50, enumerations.VALUES_50)), fix50, fixt11
    )
    parts = ((fixt11.COMPONENTS, fixt11.MESSAGES), (fix50.COMPONENTS, fix50.MESSAGES))
    types = fix50.TYPES + fixt11.TYPES
    return Dictionary("FIX.5.0SP2", "FIXT.1.1", declared, fixt11.HEADER, fixt11.TRAILER, parts, types, "9")


def _only(declared: dict[str, FieldDefinition], *modules: object) -> dict[str, FieldDefinition]:
    """The fields that these modules' declarations name: another version's own are not known in this one."""
    text = " ".join(
        getattr(module, name, "") for module in modules for name in ("HEADER", "TRAILER", "COMPONENTS", "MESSAGES")
    )
    named = {word.rstrip("(").rstrip("!") for word in text.split()}
    return {name: each for name, each in declared.items() if name in named}


def dictionary(version: str) -> Dictionary:
    """The dictionary of "FIX.4.2", "FIX.4.4" or "FIX.5.0SP2".

    Raises
    ------
    KeyError
        Another version.
    """
    return {"FIX.4.2": fix_42, "FIX.4.4": fix_44, "FIX.5.0SP2": fix_50sp2}[version]()
