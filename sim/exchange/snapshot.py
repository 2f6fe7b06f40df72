"""The state of a venue as ITCH messages, in the way of Nasdaq's GLIMPSE 5.0, for one who comes late.

Directory, states and restrictions of each symbol, then every displayed order as an Add in the order in which they
trade, the last system event if there was one, then a ``G`` with the number of the feed's message from which to go on, 20
ASCII digits padded on the left. A book built from these messages and the feed from there on is the book built from the whole
feed.
"""

from __future__ import annotations

from sim.exchange.matching.state import (
    ATTRIBUTED,
    BUY,
    O_DISPLAYED,
    O_FIRM,
    O_FLAGS,
    O_SHOWN,
    O_TIME,
    ORDER_WIDTH,
    ORDERS_AT,
    SELL,
    SLOT_BITS,
    STATE,
    SYMBOL_WIDTH,
    SYMBOLS_AT,
)
from sim.exchange.venue import Venue
from sim.sources import messages
from wire import itch
from wire.layout import Record, field

END_OF_SNAPSHOT = Record(
    "End of Snapshot",
    field("type", 1, "alpha"),
    field("sequence_number", 20, "alpha", "of the feed's next message; ASCII digits"),
    code="G",
)


def snapshot(venue: Venue) -> list[bytes]:
    """The messages of a snapshot of now."""
    memory = venue.core.memory
    listed = list(enumerate(venue.stocks, 1))
    out = []
    head = messages.opening(listed, venue.time)
    at = 0
    while at < len(head):
        size = int(itch.ITCH.lengths[head[at]])
        message = head[at : at + size]
        if message[0] == ord("H"):
            fields = itch.TRADING_ACTION.unpack(message)
            symbol = int(memory[SYMBOLS_AT]) + (fields["stock_locate"] - 1) * SYMBOL_WIDTH
            message = itch.TRADING_ACTION.pack({**fields, "trading_state": chr(int(memory[symbol + STATE]))})
        if message[0] != ord("S"):
            out.append(message)
        at += size
    for locate, stock in listed:
        for side in (BUY, SELL):
            for order in venue.core.queue(locate - 1, side):
                if order.shown:
                    row = int(memory[ORDERS_AT]) + (order.reference & ((1 << SLOT_BITS) - 1)) * ORDER_WIDTH
                    fields = {
                        "stock_locate": locate,
                        "timestamp": int(memory[row + O_TIME]),
                        "order_reference": int(memory[row + O_SHOWN]),
                        "side": "B" if side == BUY else "S",
                        "shares": int(memory[row + O_DISPLAYED]),
                        "stock": stock,
                        "price": order.price,
                    }
                    firm = int(memory[row + O_FIRM]) if memory[row + O_FLAGS] & ATTRIBUTED else 0
                    if firm:
                        fields["attribution"] = firm.to_bytes(4, "big")
                        out.append(itch.ADD_ORDER_ATTRIBUTED.pack(fields))
                    else:
                        out.append(itch.ADD_ORDER.pack(fields))
    if venue.system_event:
        out.append(messages.system_event(venue.time, venue.system_event))
    out.append(END_OF_SNAPSHOT.pack(sequence_number=str(len(venue.publication) + 1).rjust(20)))
    return out
