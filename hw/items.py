"""Items: what passes the sequencer, and what the book adds to one before the trader gets it.

An item is one thing that happened: a message of the feed, a command, a packet of the order session, a tick of
the clock, or something that the arbiter found out. The trader sees an item after the book has done its part.

``Semantics`` in ``docs/architecture.md`` says what each of them does.
"""

from amaranth.hdl import Value
from amaranth.lib import data, enum

from hw.parameters import Parameters
from wire.records import CommandError, Side, TrustCause

PAYLOAD_BITS = 512
"""A whole command of 64 bytes."""


class ItemKind(enum.Enum, shape=4):
    """What happened; beside it the view of the payload that goes with it."""

    MESSAGE = 0  # message: an ITCH message, also one of unknown type or wrong length
    ALIVE = 1  # none
    GAP = 2  # feed: first, count, repeat
    WHOLE = 3  # none
    JOINED = 4  # feed: first is the number expected from now on
    RESUMED = 5  # feed: first is the number expected from now on
    COMMAND = 6  # command
    SESSION = 7  # session: laid out by hw.session
    TICK = 8  # none


class Message(data.Struct):
    """One ITCH message, decoded. A field that the type does not have is 0, but for ``side``.

    ``type`` is the type character and ``index`` its place in ``wire.itch.ITCH.records``, so the counter's
    place behind ``wire.counters.FIRST_ITCH``. When ``unknown`` or ``bad_length`` is set, no other field means
    anything.

    ``side`` is NONE where the message has another character than B and S, or none. ``quantity`` is every
    type's shares. ``order_reference`` is the original reference in U, ``price`` the execution price in C.
    ``printable`` is 1 in E and P. ``code`` is the event code (S), trading state (H), Reg SHO action (Y) or
    market code (h), and ``action`` the operational halt action (h).
    """

    type: 8
    index: 5
    unknown: 1
    bad_length: 1
    stock_locate: 16
    order_reference: 64
    new_order_reference: 64
    match_number: 64
    quantity: 32
    price: 32
    side: Side
    printable: 1
    code: 8
    action: 8


class FeedReport(data.Struct):
    """What the arbiter says about the sequence: GAP, JOINED, RESUMED."""

    first: 64
    count: 64
    repeat: 1


class Payload(data.Union):
    """The part of an item that depends on its kind."""

    message: Message
    feed: FeedReport
    command: PAYLOAD_BITS  # ``wire.records.X.bits(command, name)`` gives a field
    session: PAYLOAD_BITS


class Item(data.Struct):
    """One item. ``stamp`` is in ns; ``cause`` is the feed sequence number of a MESSAGE, else 0."""

    kind: ItemKind
    stamp: 64
    cause: 64
    payload: Payload


class Best(data.StructLayout):
    """The best level of one side: ``has`` says that there is one; where there is none, all is 0."""

    def __init__(self, parameters: Parameters):
        super().__init__({"has": 1, "index": parameters.index_bits, "quantity": 32, "price": 32})


class Level(data.StructLayout):
    """One occupied level, ``rank`` 0 the best of its side."""

    def __init__(self, parameters: Parameters):
        super().__init__(
            {"side": 1, "price": 32, "quantity": 32, "orders": parameters.order_bits, "rank": 8}
        )


class BookItem(data.StructLayout):
    """An item with what the book made of it.

    Parameters
    ----------
    parameters : Parameters

    Members
    -------
    item : Item
    symbol : unsigned
        The symbol of a message or a command. Means nothing unless ``mapped``.
    mapped : bool
        A message of a type that has a symbol, and its stock locate is mapped; or a command whose symbol is
        mapped (SET_SYMBOL: that is mapped now). 0 for all other items.
    general : bool
        A MESSAGE that is about trading, not about orders: of type S or W, or of type H, Y or h of a symbol that is mapped.
    is_level : bool
        Not the item itself, but one level of the snapshot that it asks for: only ``item``, ``symbol`` and
        ``level`` mean anything. The item follows when all levels have been sent.
    level : Level
    error : CommandError
        The book's verdict on SET_SYMBOL, NONE for everything else. It has been applied if this is NONE.
    trusted : unsigned(symbols)
        Local trust of each symbol, after the item.
    trust_changed : unsigned(symbols)
        The symbols whose local trust this MESSAGE or TRUST command changed: TRUST_LOST or TRUST_REGAINED by
        ``trusted``. 0 for all other items: what they change is not reported symbol by symbol.
    trust_cause : TrustCause
        ``info`` of those events.
    top_changed : bool
        ``top`` differs from what it was before the item.
    top : struct
        ``bid`` and ``ask`` of the symbol, as :class:`Best`. Valid where ``mapped``.
    trade : struct
        ``valid``, ``side``, ``price``, ``quantity`` of a TRADE event; match number, type and printable are
        the message's.
    """

    def __init__(self, parameters: Parameters):
        best = Best(parameters)
        super().__init__(
            {
                "item": Item,
                "symbol": parameters.symbol_bits,
                "mapped": 1,
                "general": 1,
                "is_level": 1,
                "level": Level(parameters),
                "error": CommandError,
                "trusted": parameters.symbols,
                "trust_changed": parameters.symbols,
                "trust_cause": TrustCause,
                "top_changed": 1,
                "top": data.StructLayout({"bid": best, "ask": best}),
                "trade": data.StructLayout({"valid": 1, "side": 1, "price": 32, "quantity": 32}),
            }
        )


class Change(data.StructLayout):
    """What a message of the feed did to the book of a symbol: all that the trader has to know of it.

    Members
    -------
    stamp, cause : unsigned
        Of the item.
    symbol : unsigned
    trusted, trust_changed, trust_cause
        Local trust of the symbol, and whether and by what it changed.
    top_changed, top, trade
        As in :class:`BookItem`.
    match_number, type, printable
        The message's, for the TRADE event.
    """

    def __init__(self, parameters: Parameters):
        book = BookItem(parameters)
        super().__init__(
            {
                "stamp": 64,
                "cause": 64,
                "symbol": parameters.symbol_bits,
                "trusted": 1,
                "trust_changed": 1,
                "trust_cause": TrustCause,
                "top_changed": 1,
                "top": book["top"].shape,
                "trade": book["trade"].shape,
                "match_number": 64,
                "type": 8,
                "printable": 1,
            }
        )


def is_evaluated(change) -> Value:
    """Whether a :class:`Change` calls for an evaluation of its symbol: docs/architecture.md, Semantics, section 5."""
    return change.trust_changed | change.top_changed
