"""Where a configuration's values come from: file, environment, flags; and which of them a mistake is in."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from control.configuration import Configuration, Stock, Symbol

PREFIX, BETWEEN = "HAIRPIN_", "__"
DEFAULT_FILE = Path("hairpin.toml")
FLAGS = {("input", "source"): "--input"}

Tree = dict[str, Any]
Key = tuple[str, ...]


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong: where (file, variable or flag), which line, which key, and why."""

    where: str
    line: int | None
    key: str
    reason: str

    def __str__(self) -> str:
        place = self.where if self.line is None else f"{self.where}:{self.line}"
        return f"{place}: {self.key}: {self.reason}" if self.key else f"{place}: {self.reason}"


class ConfigurationError(ValueError):
    """A configuration that can't be used: ``mistakes`` has all of them, in the order of the file."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(map(str, self.mistakes)))


@dataclass(frozen=True)
class Layer:
    """Values from one place. ``lines`` knows the line of each key, ``names`` what the place calls it."""

    where: str
    values: Tree
    lines: Mapping[Key, int] = field(default_factory=dict)
    names: Mapping[Key, str] = field(default_factory=dict)

    def has(self, key: Key) -> bool:
        """Whether this place says anything about ``key``."""
        tree: Any = self.values
        for part in key:
            if not isinstance(tree, dict) or part not in tree:
                return False
            tree = tree[part]
        return True

    def mistake(self, key: Key, reason: str) -> Mistake:
        """That ``key`` is wrong here."""
        parents = (key[:length] for length in range(len(key), 0, -1))
        where = next((self.names[each] for each in parents if each in self.names), self.where)
        return Mistake(where, self._line(key), ".".join(key), reason)

    def _line(self, key: Key) -> int | None:
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key)


def load(
    file: Path | None = None, *, environment: Mapping[str, str] | None = None, flags: Tree | None = None
) -> Configuration:
    """The configuration: defaults < ``file`` < ``environment`` < ``flags``.

    ``file`` is what it is given as, ``$HAIRPIN_CONFIG``, or ``hairpin.toml`` where that is there. ``flags``
    is a tree as the TOML file's; what is None in it was not given.

    Raises
    ------
    ConfigurationError
        A file that can't be read, a key that is not known, a value that does not fit.
    """
    environment = os.environ if environment is None else environment
    if file is None and (named := environment.get(f"{PREFIX}CONFIG")):
        file = Path(named)
    if file is None and DEFAULT_FILE.is_file():
        file = DEFAULT_FILE
    layers = [from_flags(flags or {}), from_environment(environment)]
    if file is not None:
        layers.append(from_file(file))
    merged: Tree = {}
    for layer in reversed(layers):
        merged = _merge(merged, layer.values)
    try:
        return Configuration(**merged)
    except ValidationError as error:
        raise ConfigurationError(_mistakes(error, layers)) from error


def from_file(path: Path) -> Layer:
    """The values of a TOML file, decimals exact.

    Raises
    ------
    ConfigurationError
        It is not there, not to be read, or not TOML.
    """
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text, parse_float=Decimal)
    except OSError as error:
        raise ConfigurationError([Mistake(str(path), None, "", error.strerror or str(error))]) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError([Mistake(str(path), None, "", "not UTF-8 text")]) from error
    except tomllib.TOMLDecodeError as error:
        found = re.search(r" \(at line (\d+), column \d+\)", str(error))
        reason = str(error).replace(found[0], "") if found else str(error)
        line = int(found[1]) if found else None
        raise ConfigurationError([Mistake(str(path), line, "", f"not TOML: {reason}")]) from error
    return Layer(str(path), values, _lines(text))


def from_environment(environment: Mapping[str, str]) -> Layer:
    """``HAIRPIN_<SECTION>__<KEY>``; stocks keep their capitals:
    ``HAIRPIN_SYMBOLS__AMZN__LIMITS__MAX_POSITION``.

    Variables without ``__`` are other parts' (``HAIRPIN_CACHE``) and left alone.
    """
    values: Tree = {}
    names: dict[Key, str] = {}
    for name, value in sorted(environment.items()):
        if not name.startswith(PREFIX) or BETWEEN not in name:
            continue
        parts = name.removeprefix(PREFIX).split(BETWEEN)
        first = parts[0].lower()
        key = (first, *(p if first == "symbols" and i == 0 else p.lower() for i, p in enumerate(parts[1:])))
        _put(values, key, value)
        names[key] = f"${name}"
    return Layer("environment", values, names=names)


def from_flags(flags: Tree, prefix: Key = ()) -> Layer:
    """The flags that were given: those that are not None."""
    values: Tree = {}
    names: dict[Key, str] = {}
    for name, value in flags.items():
        key = (*prefix, name)
        if isinstance(value, dict):
            below = from_flags(value, key)
            if below.values:
                values[name] = below.values
                names |= below.names
        elif value is not None:
            values[name] = value
            names[key] = FLAGS.get(key, f"--{name}")  # type: ignore[arg-type]
    return Layer("flags", values, names=names)


def _put(tree: Tree, key: Key, value: str) -> None:
    for part in key[:-1]:
        inner = tree.setdefault(part, {})
        if not isinstance(inner, dict):  # a value stands where a table should: the check of the whole says so
            return
        tree = inner
    tree[key[-1]] = value


def _merge(below: Tree, above: Tree) -> Tree:
    merged = dict(below)
    for name, value in above.items():
        old = merged.get(name)
        merged[name] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


_TABLE = re.compile(r"^\s*\[\[?\s*(?P<table>[^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_ENTRY = re.compile(r"""^\s*(?P<key>(?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")


def _lines(text: str) -> dict[Key, int]:
    """The line of each table and key, by its look: multi-line values may mislead it."""
    found: dict[Key, int] = {}
    table: Key = ()
    for number, line in enumerate(text.splitlines(), 1):
        if match := _TABLE.match(line):
            table = _parts(match["table"])
            found.setdefault(table, number)
        elif match := _ENTRY.match(line):
            found.setdefault((*table, *_parts(match["key"])), number)
    return found


def _parts(dotted: str) -> Key:
    return tuple(part.strip().strip("\"'") for part in re.findall(r"""[\w-]+|"[^"]*"|'[^']*'""", dotted))


def _mistakes(error: ValidationError, layers: list[Layer]) -> list[Mistake]:
    """Every error of the check with the place that the value came from, the file's order kept."""
    found: dict[tuple[str, str, str], tuple[int, Mistake]] = {}
    errors = error.errors(include_url=False, include_context=False)
    general = {(e["loc"][0], *e["loc"][1:]) for e in errors}
    for each in errors:
        key = tuple(str(part) for part in each["loc"] if part != "[key]")
        key, reason = _said(key, each["type"], each["msg"])
        layer = next((layer for layer in layers if layer.has(key)), None)
        if layer is None and key[:1] == ("symbols",) and tuple(each["loc"][2:]) in general:
            continue  # said already, of the table for all that it was taken from
        layer = layer or next((layer for layer in layers if key and layer.has(key[:-1])), layers[-1])
        if each["type"] not in ("extra_forbidden", "value_error", "missing") and not isinstance(each["input"], dict):
            reason += f", and not {_shown(each['input'])}"
        mistake = layer.mistake(key, reason)
        found.setdefault((mistake.where, mistake.key, mistake.reason), (mistake.line or 0, mistake))
    return [mistake for _, mistake in sorted(found.values(), key=lambda pair: (pair[1].where, pair[0]))]


def _shown(value: Any) -> str:
    return str(value) if isinstance(value, Decimal | int) else repr(value)


def _said(key: Key, kind: str, message: str) -> tuple[Key, str]:
    """Key and reason in this program's words."""
    if kind == "extra_forbidden":
        close = difflib.get_close_matches(key[-1], _keys_beside(key), 1)
        return key, "there is no such key" + (f"; did you mean {close[0]}?" if close else "")
    message = message.removeprefix("Value error, ")
    named = re.match(r"^([a-z_.]+): (.*)$", message, re.DOTALL)
    if kind == "value_error" and named:  # a check of several keys at once says which of them is wrong
        return (*key, *named[1].split(".")), named[2]
    return key, message[0].lower() + message[1:]


def _keys_beside(key: Key) -> list[str]:
    """The keys that a table has."""
    model: Any = Configuration
    for part in key[:-1]:
        if model == dict[Stock, Symbol]:
            model = Symbol
        elif isinstance(model, type) and issubclass(model, BaseModel):
            model = {f.alias or name: f.annotation for name, f in model.model_fields.items()}.get(part)
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    return [f.alias or name for name, f in model.model_fields.items()]
