"""Steps of what the feed says, as the book passes it on. docs/architecture.md, Semantics, sections 3 to 5."""

from amaranth.hdl import Cat, Mux, Signal

from hw.trader import taking
from hw.trader.desk import MARK_READY
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
        with desk.emit(
            m,
            EventType.BOOK_LEVEL,
            symbol=desk.entry.symbol,
            side=level.side,
            price=level.price,
            quantity=level.quantity,
            quantity2=level.orders,
            info=level.rank,
        ):
            m.next = "DONE"


def _is_type(message, letters):
    return Cat(message.type == ord(letter) for letter in letters).any()


def is_quiet(desk):
    """A message that has nothing to tell and nothing to change."""
    message, entry = desk.message, desk.entry
    changes = entry.trust_changed.any() | entry.trade.valid | entry.top_changed | _is_type(message, "HYh")
    return message.unknown | message.bad_length | (~_is_type(message, "SW") & ~(entry.mapped & changes))


def _message(m, desk):
    message, entry = desk.message, desk.entry

    def is_type(letters):
        return _is_type(message, letters)

    def is_code(letter):
        return message.code == ord(letter)

    # The first thing that a book message has to tell, or the one behind the first or the second.
    def tell(m, after=0):
        with m.If(entry.trust_changed.any() & (after < 1)):
            m.next = "TRUST_EVENT"
        with m.Elif(entry.trade.valid & (after < 2)):
            m.next = "TRADE_EVENT"
        with m.Elif(entry.top_changed & (after < 3)):
            m.next = "TOP_EVENT"
        with m.Elif(entry.trust_changed.any() | entry.top_changed):
            m.next = "TAKE"
        with m.Elif(entry.trade.valid):
            m.next = "FOLLOW"
        with m.Else():
            m.next = "DONE"

    opens = is_type("S") & is_code(OPEN)
    closes = (is_type("S") & is_code(CLOSE)) | is_type("W")
    with m.State("MESSAGE"):
        m.next = "DONE"
        with m.If(~(message.unknown | message.bad_length)):
            with m.If((opens & ~desk.market_open) | (closes & desk.market_open)):
                m.d.sync += desk.market_open.eq(opens)
                m.next = "MARKET_EVENT"
            with m.Elif(~entry.mapped):
                m.next = "DONE"
            with m.Elif(is_type("HY") | (is_type("h") & is_code(NASDAQ))):
                halt = (message.action == ord("H")) | ((message.action != ord("T")) & desk.market.row.operational_halt)
                desk.store(m, desk.market)
                with m.If(is_type("H")):
                    m.d.comb += desk.market.new.trading_state.eq(message.code)
                with m.If(is_type("Y")):
                    m.d.comb += desk.market.new.reg_sho.eq(message.code)
                with m.If(is_type("h")):
                    m.d.comb += desk.market.new.operational_halt.eq(halt)
                m.next = "TRADING_STATE_WAIT"
            with m.Else():
                with m.If(entry.trust_changed.any() | entry.top_changed):
                    taking.look(m, desk)
                tell(m)

    with m.State("FOLLOW"):
        with m.If(desk.age >= MARK_READY):
            desk.follow(m)
            m.next = "DONE"
    with m.State("MARKET_EVENT"):
        code = Mux(is_type("W"), ord("W"), message.code)
        with desk.emit(m, EventType.TRADING_STATE, info=code):
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
        with desk.emit(m, EventType.TRADING_STATE, symbol=desk.symbol, info=info):
            m.next = "EVALUATE"

    desk.tell = tell


def _changes(m, desk):
    """What a message changed in the book, in the order in which it is told."""
    message, entry = desk.message, desk.entry
    trusted = entry.trusted.bit_select(desk.symbol, 1)

    with m.State("TRUST_EVENT"):
        kind = Mux(trusted, EventType.TRUST_REGAINED, EventType.TRUST_LOST)
        with desk.emit(m, kind, symbol=desk.symbol, info=entry.trust_cause):
            desk.tell(m, after=1)
    with m.State("TRADE_EVENT"):
        trade = entry.trade
        with desk.emit(
            m,
            EventType.TRADE,
            symbol=desk.symbol,
            side=trade.side,
            price=trade.price,
            quantity=trade.quantity,
            value=message.match_number,
            info=Cat(message.type, message.printable),
        ):
            desk.tell(m, after=2)
    with m.State("TOP_EVENT"):
        top = entry.top
        with desk.emit(
            m,
            EventType.BOOK_TOP,
            symbol=desk.symbol,
            price=top.bid.price,
            quantity=top.bid.quantity,
            price2=top.ask.price,
            quantity2=top.ask.quantity,
            info=Cat(top.bid.has, top.ask.has, trusted),
        ):
            desk.tell(m, after=3)


def _report(m, desk):
    """What the arbiter says."""
    report = desk.report

    with m.State("GAP"):
        with desk.emit(m, EventType.GAP, value=report.first, quantity=report.count[:32], info=report.repeat):
            m.next = "DONE"
            with m.If(~report.repeat):
                m.d.sync += desk.feed_whole.eq(0)
                m.next = "GAP_TRUST"
    with m.State("GAP_TRUST"):
        with desk.emit(m, EventType.TRUST_LOST, info=TrustCause.GAP):
            m.next = "SWEEP"
    with m.State("WHOLE"):
        with desk.emit(m, EventType.TRUST_REGAINED, info=TrustCause.GAP):
            m.d.sync += desk.feed_whole.eq(1)
            m.next = "SWEEP"
    with m.State("JOINED"):
        with desk.emit(m, EventType.TRUST_LOST, info=TrustCause.JOINED):
            m.d.sync += desk.expected.eq(report.first)
            m.next = "SWEEP"
    with m.State("RESUMED"):
        with desk.emit(m, EventType.TRUST_LOST, info=TrustCause.RESUMED):
            m.d.sync += [desk.expected.eq(report.first), desk.feed_whole.eq(1)]
            m.next = "SWEEP"
