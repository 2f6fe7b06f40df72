"""A configuration as commented TOML that gives the same configuration when it is read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from control.configuration import Configuration


def to_toml(configuration: Configuration) -> str:
    """Every key with its value and what it means."""
    return "\n".join(_table(configuration, ())).lstrip("\n") + "\n"


def _table(model: BaseModel, path: tuple[str, ...]) -> Iterator[str]:
    tables: list[tuple[str, Any]] = []
    entries: list[str] = []
    for name, info in type(model).model_fields.items():
        value, key = getattr(model, name), info.alias or name
        if isinstance(value, BaseModel | dict):
            tables.append((key, value))
        elif value is not None:
            comment = (info.description or "").replace("\n", " ")
            entries.append(f"{f'{key} = {_value(value)}':<36}{f'  # {comment}' if comment else ''}".rstrip())
    if entries:
        yield from ("", f"[{'.'.join(path)}]") if path else ()
        yield from entries
    for key, value in tables:
        if isinstance(value, BaseModel):
            yield from _table(value, (*path, key))
        else:
            for inner, each in value.items():
                yield from _table(each, (*path, key, _key(inner)))


def _key(name: str) -> str:
    return name if name.replace("-", "").replace("_", "").isalnum() else json.dumps(name)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, tuple | list):
        return f"[{', '.join(_value(each) for each in value)}]"
    return json.dumps(str(value) if not isinstance(value, Path) else value.as_posix())
