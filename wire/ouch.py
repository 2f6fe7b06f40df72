"""What we say to the exchange, in whichever OUCH it is."""

from __future__ import annotations

from typing import Any

from wire import appendage, ouch42, ouch50


def unpack(message: bytes | bytearray | memoryview) -> dict[str, Any]:
    """Fields, and options if there are any, of a message to the exchange. No message of 4.2 is as long as one of
    the same type in 5.0, be it with the options Firm and ExpireTime or without.

    Raises
    ------
    WireError
        It is of neither.
    """
    if len(message) and ouch42.INBOUND.lengths[message[0]] == len(message):
        return ouch42.INBOUND.unpack(message)
    _, fields, options = appendage.unpack(ouch50.INBOUND, message)
    return fields | options
