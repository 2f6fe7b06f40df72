"""SoupBinTCP, outward: the packets that leave, one output each. Semantics section 9."""

from __future__ import annotations

from typing import Any

from engine.stage import stage
from wire.records import LOGIN
from wire.soupbintcp import HEADER_LENGTH, LOGIN_REQUEST, write_header

UNSEQUENCED, LOGIN_TYPE, LOGOUT_TYPE, HEARTBEAT_TYPE = b"ULOR"
LOGIN_PAYLOAD = LOGIN_REQUEST.length - 1
LOGIN_AT = LOGIN.offset("username")
if LOGIN.offset("sequence") + 20 - LOGIN_AT != LOGIN_PAYLOAD:
    raise AssertionError("LOGIN has the fields of a Login Request in their order")


@stage
def open_packet(core: Any, out: Any, code: int, payload_length: int) -> int:
    """A new output with a SoupBinTCP packet of this type and length; where its payload begins in ``out.payload``."""
    output = out.outputs[out.output_count]
    output.timestamp = core.stamp
    output.cause = core.cause
    output.offset = out.payload_length
    output.length = HEADER_LENGTH + payload_length
    output.reserved = 0
    at = write_header(out.payload, out.payload_length, code, payload_length)
    out.output_count += 1
    out.payload_length = at + payload_length
    return at


@stage
def write_login(core: Any, out: Any, buffer: Any, command_at: int) -> None:
    """Login Request with the fields of a LOGIN command as they are."""
    at = open_packet(core, out, LOGIN_TYPE, LOGIN_PAYLOAD)
    for position in range(LOGIN_PAYLOAD):
        out.payload[at + position] = buffer[command_at + LOGIN_AT + position]


@stage
def write_plain(core: Any, out: Any, code: int) -> None:
    """A packet without payload: Logout Request or Client Heartbeat."""
    open_packet(core, out, code, 0)
