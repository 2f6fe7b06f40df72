"""The device's counters, declared once: name, number and meaning.

The engine keeps them in one ``uint64`` array, the gateware as 32-bit registers in the same order. Both count the same
events, so that the arrays of two devices that saw the same input are equal.
"""

from __future__ import annotations

from wire.itch import ITCH
from wire.reasons import Reason

_NAMED = {
    # network edge, all ports together
    "frames": "frames that came in on a feed or recovery port",
    "not_ipv4": "EtherType is not IPv4 (after at most two VLAN tags)",
    "not_udp": "IPv4 protocol is not UDP",
    "fragment": "IPv4 fragment",
    "bad_ip_checksum": "IPv4 header checksum wrong",
    "bad_udp_checksum": "UDP checksum present and wrong",
    "truncated": "shorter than a length field says, or than a header needs",
    "filtered": "not for the feed's address and port",
    "oversize": "UDP payload above MAX_PAYLOAD",
    # MoldUDP64 and arbitration
    "packets_malformed": "message blocks do not fill the payload exactly, or sequence number above 2^63",
    "packets_other_session": "MoldUDP64 session is not the configured one",
    "packets_a": "valid packets on feed A",
    "packets_b": "valid packets on feed B",
    "packets_recovery": "valid packets on the recovery port",
    "packets_heartbeat": "packets with message count 0",
    "packets_end_of_session": "packets with message count 0xFFFF",
    "packets_duplicate": "packets whose messages had all been seen",
    "packets_held": "packets stored ahead of sequence",
    "packets_dropped": "packets ahead of sequence with no free slot to hold them",
    "gaps": "gaps declared (the first report of each)",
    "messages": "messages taken from the feed in sequence",
    # ITCH and book
    "itch_unknown": "messages of an unknown type (or of length 0)",
    "itch_bad_length": "messages whose length is wrong for their type",
    "messages_unmapped": "messages for a stock locate that is not mapped",
    "orders_added": "orders put into the order table",
    "order_overflow": "adds refused because the order table is full",
    "duplicate_reference": "adds with an order reference that is alive",
    "unknown_reference": "E, C, X, D or U for an order that is not stored for that symbol",
    "over_execution": "E, C or X for more than the order had left",
    "bad_value": "adds or replaces with quantity 0 or an unknown side",
    "out_of_band": "orders added outside the ladder or off its ticks",
    "disagreements": "times that the best price kept apart was not the ladder's: not 0, and the card is broken",
    # trader
    "top_changes": "changes of a symbol's best bid or offer",
    "evaluations": "quoter evaluations",
    "orders_new": "new orders that left",
    "orders_replace": "replace orders that left",
    "orders_cancel": "cancel orders that left",
    "orders_refused": "orders that the risk gate refused",
    # order session
    "session_packets": "SoupBinTCP packets received",
    "session_malformed": "SoupBinTCP or OUCH packets of an unknown type or wrong length",
    "accepted": "OUCH Accepted",
    "replaced": "OUCH Replaced",
    "executed": "OUCH Executed, with or without reference price",
    "cancelled": "OUCH Canceled and AIQ Cancelled",
    "rejected": "OUCH Rejected",
    "cancel_rejected": "OUCH Cancel Reject",
    "ouch_other": "OUCH messages that change no state here",
    "unknown_token": "OUCH messages for an order that is not ours or not alive",
    # host
    "commands": "commands read",
    "commands_refused": "commands answered with an error",
    "ticks": "clock ticks",
    "events_lost": "events that found the ring full",
}

REFUSED_PREFIX, ITCH_PREFIX = "refused_", "itch_"

# name -> meaning, in counter order
COUNTERS: dict[str, str] = {
    **_NAMED,
    **{f"{ITCH_PREFIX}{chr(code)}": f"{record.name} messages" for code, record in ITCH.by_code.items()},
    **{f"{REFUSED_PREFIX}{r.name.lower()}": f"orders refused with reason {r.name.lower()}" for r in Reason},
}
COUNTER_COUNT = len(COUNTERS)
NUMBER = {name: i for i, name in enumerate(COUNTERS)}
FIRST_ITCH = NUMBER[f"{ITCH_PREFIX}{ITCH.records[0].code}"]
FIRST_REFUSED = NUMBER[f"{REFUSED_PREFIX}{Reason(0).name.lower()}"]
