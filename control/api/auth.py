"""The bearer token: made at the first start, kept in the state folder, asked for by the routes."""

from __future__ import annotations

import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from control.api.problems import Problem

TOKEN_FILE = "token"
TOKEN_BYTES = 32


@dataclass(frozen=True)
class Token:
    """The secret, and whether this start made it."""

    value: str
    fresh: bool
    path: Path

    def matches(self, given: str) -> bool:
        """Whether ``given`` is it, in a time that says nothing about how much of it was right."""
        return hmac.compare_digest(given.encode(), self.value.encode())


def token(state: Path) -> Token:
    """The token of a state folder; made, and stored with mode 0600, where there is none.

    Raises
    ------
    PermissionError
        Others can read the stored token: it is no secret any more.
    ValueError
        The stored token is too short to be one.
    """
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = state / TOKEN_FILE
    value = secrets.token_urlsafe(TOKEN_BYTES)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if path.stat().st_mode & 0o077:
            raise PermissionError(f"{path} can be read by others: remove it, the next start makes a new one") from None
        value = path.read_text().strip()
        if len(value) < TOKEN_BYTES:
            raise ValueError(f"{path} holds no token: remove it, the next start makes a new one") from None
        return Token(value, False, path)
    with os.fdopen(handle, "w") as file:
        file.write(value + "\n")
        file.flush()
        os.fsync(file.fileno())
    return Token(value, True, path)


def check(given: str | None, secret: Token) -> None:
    """Let a request through by its ``Authorization`` header.

    Raises
    ------
    Problem
        401: no bearer token, or a wrong one.
    """
    scheme, _, value = (given or "").partition(" ")
    if scheme.lower() == "bearer" and secret.matches(value.strip()):
        return
    detail = f"send 'Authorization: Bearer <token>'; the token is in {TOKEN_FILE} of the server's state folder"
    if given is not None:
        detail = f"the token is wrong; {detail}"
    raise Problem(401, "unauthorized", "No valid token", detail, headers={"WWW-Authenticate": 'Bearer realm="hairpin"'})


def same_origin(origin: str | None, host: str | None) -> bool:
    """Whether a WebSocket's ``Origin`` is this server's own page, or no browser sent it."""
    return origin is None or (host is not None and urlsplit(origin).netloc.lower() == host.lower())
