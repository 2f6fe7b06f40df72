"""What goes out to the exchange and what comes back from it, as the trader sees them."""

from amaranth.lib import data, enum

from wire.records import ORDER_ID_BITS


class Kind(enum.Enum, shape=3):
    """What is sent: an OUCH message, or a SoupBinTCP packet of its own."""

    NEW = 0
    REPLACE = 1
    CANCEL = 2
    LOGIN = 3
    LOGOUT = 4
    HEARTBEAT = 5


LOGIN_BYTES = 46
"""User name, password, session and sequence number of a Login Request, as they stand in the LOGIN command."""


class OrderFields(data.Struct):
    """NEW, REPLACE and CANCEL. Text as in the commands: first character in bits 0..7."""

    order_id: ORDER_ID_BITS
    previous_id: ORDER_ID_BITS  # REPLACE: the order to be replaced
    marking: 2  # hw.risk.gate.Marking
    shares: 32
    price: 32
    time_in_force: 32
    time_in_force_letter: 8  # that of OUCH 5.0
    stock: 64
    firm: 32
    token_prefix: 16


class Body(data.Union):
    """The part of a message that depends on its kind."""

    order: OrderFields
    login: 8 * LOGIN_BYTES


class Outbound(data.Struct):
    """One packet to be sent, with the stamp and cause of what made us send it."""

    kind: Kind
    stamp: 64
    cause: 64
    body: Body


class Inbound(data.Struct):
    """One packet that was received. What a packet does not have is 0, text as its first character in bits 0..7."""

    code: 8  # SoupBinTCP type, 0 where the packet is empty
    reason: 8  # the byte behind it
    malformed: 1  # a type that a server does not send, or an OUCH message of wrong type or length or with a price above 32 bits
    type: 8  # OUCH type, 0 where there is none
    token_prefix: 16  # of OUCH 4.2; with 5.0 it means nothing
    token_valid: 1  # 12 upper-case hex digits follow the prefix; with OUCH 5.0 always
    order_id: ORDER_ID_BITS  # 0 unless ``token_valid``
    shares: 32  # also executed and decremented ones
    price: 32
    value: 64  # order reference or match number
    info: 8  # order state, liquidity flag or reason, of which the low byte
