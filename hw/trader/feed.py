"""Steps of what the feed says, as the book passes it on. docs/architecture.md, Semantics, sections 3 to 5."""

from amaranth.hdl import Cat, Mux, Signal

from hw.items import is_evaluated
from wire.records import EventType, TrustCause

OPEN, CLOSE = "Q", "M"
NASDAQ = "Q"


def add_states(m, desk):
    """Adds the steps to the state machine that is open in ``m``; those that begin are named like the items."""
    _message(m, desk)
    _changes(m, desk)
    _report(m, desk)

    with m.State("LEVEL"):
        level = desk.entry.level
        desk.emit(
            m,
            EventType.BOOK_LEVEL,
            symbol=desk.entry.symbol,
            side=level.side,
            price=level.price,
            quantity=level.quantity,
            quantity2=level.orders,
            info=level.rank,
        )
        m.next = "DONE"


def _is_type(message, letters):
    return Cat(message.type == ord(letter) for letter in letters).any()


def changes_book(desk):
    """A message about a symbol's book that has something to tell, if it is not general."""
    message, entry = desk.message, desk.entry
    changes = entry.trust_changed.any() | entry.trade.valid | entry.top_changed
    return entry.mapped & changes & ~(message.unknown | message.bad_length)


def tell(m, desk, change, after=0):
    """Goes to the first thing that a message about a book has to tell, or to the one behind the first or the second."""
    with m.If(change.trust_changed & (after < 1)):
        m.next = "TRUST_EVENT"
    with m.Elif(change.trade.valid & (after < 2)):
        m.next = "TRADE_EVENT"
    with m.Elif(change.top_changed & (after < 3)):
        m.next = "TOP_EVENT"
    with m.Elif(is_evaluated(change) & ~desk.told_only):
        m.next = "TAKE"
    with m.Else():
        m.next = "NEXT"


def _message(m, desk):
    """What is not about a symbol's book."""
    message = desk.message

    def is_type(letters):
        return _is_type(message, letters)

    def is_code(letter):
        return message.code == ord(letter)

    opens = is_type("S") & is_code(OPEN)
    closes = (is_type("S") & is_code(CLOSE)) | is_type("W")
    with m.State("MESSAGE"):
        m.d.sync += [desk.last_feed.eq(desk.stamp), desk.expected.eq(desk.cause + 1)]
        m.next = "DONE"
        with m.If((opens & ~desk.market_open) | (closes & desk.market_open)):
            m.d.sync += desk.market_open.eq(opens)
            m.next = "MARKET_EVENT"
        with m.Elif(is_type("HY") | (is_type("h") & is_code(NASDAQ))):
            m.next = "TRADING_STATE_STORE"
    with m.State("TRADING_STATE_STORE"):
        halt = (message.action == ord("H")) | ((message.action != ord("T")) & desk.market.row.operational_halt)
        desk.store(m, desk.market)
        with m.If(is_type("H")):
            m.d.comb += desk.market.new.trading_state.eq(message.code)
        with m.If(is_type("Y")):
            m.d.comb += desk.market.new.reg_sho.eq(message.code)
        with m.If(is_type("h")):
            m.d.comb += desk.market.new.operational_halt.eq(halt)
        m.next = "TRADING_STATE_WAIT"

    with m.State("MARKET_EVENT"):
        code = Mux(is_type("W"), ord("W"), message.code)
        desk.emit(m, EventType.TRADING_STATE, info=code)
        m.next = "SWEEP"
    with m.State("TRADING_STATE_WAIT"):
        m.next = "TRADING_STATE"
    with m.State("TRADING_STATE"):
        market, info = desk.market.row, Signal(32)
        m.d.comb += [
            info[:8].eq(market.trading_state),
            info[8].eq(market.operational_halt),
            info[16:24].eq(market.reg_sho),
        ]
        desk.emit(m, EventType.TRADING_STATE, symbol=desk.symbol, info=info)
        m.next = "EVALUATE"


def _changes(m, desk):
    """What a message changed in a book, in the order in which it is told."""
    change = desk.change

    with m.State("TRUST_EVENT"):
        kind = Mux(change.trusted, EventType.TRUST_REGAINED, EventType.TRUST_LOST)
        desk.emit(m, kind, symbol=desk.symbol, info=change.trust_cause)
        tell(m, desk, change, after=1)
    with m.State("TRADE_EVENT"):
        trade = change.trade
        desk.emit(
            m,
            EventType.TRADE,
            symbol=desk.symbol,
            side=trade.side,
            price=trade.price,
            quantity=trade.quantity,
            value=change.match_number,
            info=Cat(change.type, change.printable),
        )
        tell(m, desk, change, after=2)
    with m.State("TOP_EVENT"):
        top = change.top
        desk.emit(
            m,
            EventType.BOOK_TOP,
            symbol=desk.symbol,
            price=top.bid.price,
            quantity=top.bid.quantity,
            price2=top.ask.price,
            quantity2=top.ask.quantity,
            info=Cat(top.bid.has, top.ask.has, change.trusted),
        )
        tell(m, desk, change, after=3)


def _report(m, desk):
    """What the arbiter says."""
    report = desk.report

    with m.State("GAP"):
        desk.emit(m, EventType.GAP, value=report.first, quantity=report.count[:32], info=report.repeat)
        m.next = "DONE"
        with m.If(~report.repeat):
            m.d.sync += desk.feed_whole.eq(0)
            m.next = "GAP_TRUST"
    with m.State("GAP_TRUST"):
        desk.emit(m, EventType.TRUST_LOST, info=TrustCause.GAP)
        m.next = "SWEEP"
    with m.State("WHOLE"):
        desk.emit(m, EventType.TRUST_REGAINED, info=TrustCause.GAP)
        m.d.sync += desk.feed_whole.eq(1)
        m.next = "SWEEP"
    with m.State("JOINED"):
        desk.emit(m, EventType.TRUST_LOST, info=TrustCause.JOINED)
        m.d.sync += desk.expected.eq(report.first)
        m.next = "SWEEP"
    with m.State("RESUMED"):
        desk.emit(m, EventType.TRUST_LOST, info=TrustCause.RESUMED)
        m.d.sync += [desk.expected.eq(report.first), desk.feed_whole.eq(1)]
        m.next = "SWEEP"
