"""Steps of a command and of a tick. docs/architecture.md, Semantics, section 11.

``COMMAND`` has the rows of the command's symbol; every command but HEARTBEAT comes to ``ANSWER`` with its error, the
order that it made, and what comes after.
"""

from amaranth.hdl import Cat, Mux, Signal
from amaranth.lib import enum

from hw.ouch.message import LOGIN_BYTES
from hw.risk.release import Harmless
from hw.trader.desk import QUOTE_READY, Back
from hw.trader.evaluation import take_place
from wire import records
from wire.reasons import Reason
from wire.records import (
    MAX_DECAY,
    NO_SYMBOL,
    ORDER_ID_BITS,
    QUOTER_SLOT,
    QUOTER_STRATEGY,
    SESSION_HEARTBEAT_NS,
    SESSION_TIMEOUT_NS,
    SLOT_BITS,
    SLOTS,
    STRATEGIES,
    CommandError,
    EventType,
    KillScope,
    Opcode,
    OuchVersion,
    SessionState,
    SlotState,
    SnapshotPart,
    TrustCause,
)

LEAVE = 2
FOR_EVER = (1 << 64) - 1
BLANK = ord(" ")
NEED_SYMBOL = (
    Opcode.SET_LIMITS,
    Opcode.SET_QUOTER,
    Opcode.SET_TAKER,
    Opcode.SET_POSITION,
    Opcode.NEW_ORDER,
    Opcode.SNAPSHOT,
)


class After(enum.Enum, shape=2):
    """What follows the answer."""

    DONE = 0
    EVALUATE = 1
    SWEEP = 2


class Command:
    """The fields of the command at work, and what its steps find out about it."""

    def __init__(self, m, desk):
        self.bits = desk.command
        self.opcode, self.tag = self.field(Opcode.HEARTBEAT, "opcode"), self.field(Opcode.HEARTBEAT, "tag")
        self.symbol = self.field(Opcode.HEARTBEAT, "symbol")
        self.every = self.symbol == NO_SYMBOL
        self.order_id = self.field(Opcode.CANCEL_ORDER, "order_id")
        self.known = (self.symbol < desk.parameters.symbols) & desk.mapped.bit_select(
            self.symbol[: len(desk.symbol)], 1
        )
        self.needs_symbol = Signal()
        with m.Switch(self.opcode):
            with m.Case(*NEED_SYMBOL):
                m.d.comb += self.needs_symbol.eq(1)
            with m.Case(Opcode.SET_TRADING, Opcode.CANCEL_ALL, Opcode.TRUST):
                m.d.comb += self.needs_symbol.eq(~self.every)
            with m.Case(Opcode.KILL, Opcode.CLEAR_KILL):
                m.d.comb += self.needs_symbol.eq(self.field(Opcode.KILL, "scope") == KillScope.SYMBOL)
        self.error, self.after, self.made = Signal(CommandError), Signal(After), Signal(ORDER_ID_BITS)

    def field(self, opcode, name):
        """A field of the command, as that of an opcode."""
        return records.COMMANDS[opcode].bits(self.bits, name)

    def fields(self, opcode, names):
        """Several fields by name."""
        return {name: self.field(opcode, name) for name in names}

    def names_order(self):
        """The command is about an order, not a symbol."""
        return (self.opcode == Opcode.REPLACE_ORDER) | (self.opcode == Opcode.CANCEL_ORDER)


def add_states(m, desk, command):
    """Adds the steps to the state machine that is open in ``m``: ``COMMAND`` and ``TICK``."""
    _dispatch(m, desk, command)
    _configure(m, desk, command)
    _order(m, desk, command)
    _cancel_all(m, desk, command)
    _session(m, desk, command)
    _trust(m, desk, command)
    _snapshot(m, desk, command)
    _tick(m, desk)

    with m.State("ANSWER"):
        desk.emit(
            m,
            EventType.COMMAND,
            symbol=command.symbol,
            tag=command.tag,
            value=command.opcode,
            order_id=command.made,
            info=command.error,
        )
        m.next = "DONE"
        m.d.comb += desk.trader.login_done.eq(command.opcode == Opcode.LOGIN)
        with m.If(command.error != CommandError.NONE):
            m.d.comb += desk.trader.counters["commands_refused"].eq(1)
        with m.Else(), m.Switch(command.after):
            for each in After:
                with m.Case(each):
                    m.next = each.name


def _dispatch(m, desk, command):
    with m.State("COMMAND"):
        m.d.comb += desk.trader.counters["commands"].eq(1)
        m.d.sync += [
            command.error.eq(CommandError.NONE),
            command.after.eq(After.DONE),
            command.made.eq(0),
        ]
        with m.Switch(command.opcode):
            for opcode in Opcode:
                with m.Case(opcode):
                    m.next = opcode.name
            with m.Default():
                m.d.sync += command.error.eq(CommandError.UNKNOWN_OPCODE)
                m.next = "ANSWER"
        outside = (command.opcode == Opcode.SET_SYMBOL) & (command.symbol >= desk.parameters.symbols)
        with m.If(outside | (command.needs_symbol & ~command.known)):
            m.d.sync += command.error.eq(CommandError.BAD_SYMBOL)
            m.next = "ANSWER"

    with m.State("HEARTBEAT"):
        desk.emit(m, EventType.HEARTBEAT, tag=command.tag, value=desk.expected)
        m.d.sync += desk.last_heartbeat.eq(desk.stamp)
        m.next = "DONE"


def _configure(m, desk, command):
    listing, position = Opcode.SET_SYMBOL, Opcode.SET_POSITION

    with m.State("SET_SYMBOL"):
        m.d.sync += [command.error.eq(desk.entry.error), command.after.eq(After.EVALUATE)]
        m.next = "ANSWER"
        with m.If(desk.entry.error == CommandError.NONE):
            desk.store(m, desk.listing, **command.fields(listing, ("stock", "base_price", "tick")))
            desk.store(
                m,
                desk.market,
                **command.fields(listing, ("enabled", "trading_state")),
                killed=0,
                operational_halt=0,
                reg_sho=ord("0"),
            )
            desk.store(m, desk.tat, 0)
            m.d.comb += [
                desk.valuation.forget_flow.eq(1),
                desk.valuation.store_top.eq(1),
                desk.valuation.new_top.eq(desk.entry.top),
            ]
            m.d.sync += [desk.mapped.bit_select(desk.symbol, 1).eq(1), desk.place.eq(0)]
            m.next = "SET_SYMBOL_BUY"
    with m.State("SET_SYMBOL_BUY"):
        desk.store(m, desk.last, valid=0)
        m.d.sync += desk.place.eq(SLOTS)
        m.next = "SET_SYMBOL_SELL"
    with m.State("SET_SYMBOL_SELL"):
        desk.store(m, desk.last, valid=0)
        m.next = "ANSWER"

    with m.State("SET_LIMITS"):
        names = [each.name for each in records.SET_LIMITS.fields if hasattr(desk.limits.row, each.name)]
        desk.store(m, desk.limits, **command.fields(Opcode.SET_LIMITS, names))
        m.d.sync += command.after.eq(After.EVALUATE)
        m.next = "ANSWER"
    with m.State("SET_QUOTER"):
        enabled, decay = (command.field(Opcode.SET_QUOTER, name) for name in ("enabled", "decay"))
        m.d.sync += command.after.eq(After.EVALUATE)
        m.next = "ANSWER"
        with m.If((enabled > 1) | (decay > MAX_DECAY)):
            m.d.sync += command.error.eq(CommandError.BAD_VALUE)
        with m.Else():
            names = [each.name for each in records.SET_QUOTER.fields if hasattr(desk.quoting.row, each.name)]
            desk.store(m, desk.quoting, **command.fields(Opcode.SET_QUOTER, names))
    with m.State("SET_TAKER"):
        taker = command.fields(Opcode.SET_TAKER, ("value", "edge", "size", "enabled", "max_age"))
        m.d.sync += command.after.eq(After.EVALUATE)
        m.next = "ANSWER"
        with m.If(taker["enabled"] > 1):
            m.d.sync += command.error.eq(CommandError.BAD_VALUE)
        with m.Else():
            desk.store(
                m,
                desk.taker,
                enabled=taker["enabled"],
                highest_buy=taker["value"].as_unsigned() - taker["edge"],
                lowest_sell=taker["value"] + taker["edge"],
                size=taker["size"],
                expiry=Mux(taker["max_age"] == 0, FOR_EVER, desk.stamp + taker["max_age"]),
            )
    with m.State("SET_GLOBAL"):
        names = [each.name for each in records.SET_GLOBAL.fields if hasattr(desk.everywhere, each.name)]
        m.d.sync += [
            getattr(desk.everywhere, name).eq(value)
            for name, value in command.fields(Opcode.SET_GLOBAL, names).items()
        ]
        m.d.sync += command.after.eq(After.SWEEP)
        m.next = "ANSWER"
    with m.State("SET_FEED"):
        m.d.sync += [
            desk.feed_whole.eq(1),
            desk.expected.eq(command.field(Opcode.SET_FEED, "start_sequence")),
            command.after.eq(After.SWEEP),
        ]
        m.next = "ANSWER"
    with m.State("RESUME_FEED"):
        m.next = "ANSWER"

    with m.State("SET_TRADING"):
        trading = command.fields(Opcode.SET_TRADING, ("enabled", "trading_state", "reg_sho", "market_open"))
        with m.If(trading["market_open"] < LEAVE):
            m.d.sync += desk.market_open.eq(trading["market_open"])
        m.d.sync += command.after.eq(After.SWEEP)
        with m.If(~command.every):
            desk.store(m, desk.market)
            with m.If(trading["market_open"] == LEAVE):
                m.d.sync += command.after.eq(After.EVALUATE)
            with m.If(trading["enabled"] < LEAVE):
                m.d.comb += desk.market.new.enabled.eq(trading["enabled"])
            for name in ("trading_state", "reg_sho"):
                with m.If(trading[name] != BLANK):
                    m.d.comb += getattr(desk.market.new, name).eq(trading[name])
        m.next = "ANSWER"

    account = command.fields(position, ("position", "cash", "mark"))
    with m.State("SET_POSITION"):
        desk.multiply(m, desk.magnitude(account["position"]), account["mark"])
        m.next = "SET_POSITION_WAIT"
    desk.pause(m, "SET_POSITION_WAIT", 2, "SET_POSITION_STORE")
    with m.State("SET_POSITION_STORE"):
        mark = account.pop("mark")
        desk.store(m, desk.account, **account, notional=desk.product)
        m.d.comb += desk.valuation.new_mark.eq(mark)
        m.d.sync += [
            desk.position_notional.eq(desk.position_notional - desk.account.row.notional + desk.product),
            command.after.eq(After.EVALUATE),
        ]
        m.next = "ANSWER"

    _kill(m, desk, command)


def _kill(m, desk, command):
    scope, strategy = command.field(Opcode.KILL, "scope"), command.field(Opcode.KILL, "strategy")
    flag = command.opcode == Opcode.KILL
    of_symbol = scope == KillScope.SYMBOL

    for state in ("KILL", "CLEAR_KILL"):
        with m.State(state):
            m.d.sync += command.after.eq(After.SWEEP)
            m.next = "KILL_EVENT"
            with m.Switch(scope):
                with m.Case(KillScope.GLOBAL):
                    m.d.sync += desk.killed.eq(flag)
                with m.Case(KillScope.STRATEGY):
                    with m.If(strategy < STRATEGIES):
                        m.d.sync += desk.killed_strategies.bit_select(strategy[:4], 1).eq(flag)
                    with m.Else():
                        m.d.sync += command.error.eq(CommandError.BAD_VALUE)
                        m.next = "ANSWER"
                with m.Case(KillScope.SYMBOL):
                    desk.store(m, desk.market, killed=flag)
                with m.Default():
                    m.d.sync += command.error.eq(CommandError.BAD_VALUE)
                    m.next = "ANSWER"
    with m.State("KILL_EVENT"):
        info = Signal(32)
        m.d.comb += [info[0].eq(desk.killed), info[1].eq(of_symbol & flag), info[16:].eq(desk.killed_strategies)]
        desk.emit(m, EventType.KILL, symbol=Mux(of_symbol, command.symbol, NO_SYMBOL), info=info)
        m.next = "ANSWER"


def _order(m, desk, command):
    slot, order = desk.slot, desk.order
    found = (
        (slot.state != SlotState.IDLE)
        & (command.order_id == desk.slot_id)
        & (command.order_id[3:SLOT_BITS] < desk.parameters.symbols)
    )
    live = slot.state == SlotState.LIVE

    with m.State("NEW_ORDER"):
        asked = command.fields(Opcode.NEW_ORDER, ("price", "quantity", "strategy", "time_in_force"))
        side = command.field(Opcode.NEW_ORDER, "side")
        m.d.sync += [order[name].eq(value) for name, value in asked.items()]
        m.d.sync += [order.replace.eq(0), order.tag.eq(command.tag), order.free.eq(0), desk.back.eq(Back.ORDERED)]
        places = Mux(side[0], desk.slots.occupied[SLOTS:], desk.slots.occupied[:SLOTS])
        m.d.sync += desk.place.eq(Cat(0, 0, side[0]))
        for place in reversed(range(QUOTER_SLOT + 1, SLOTS)):
            with m.If(~places[place]):
                m.d.sync += [desk.place[:2].eq(place), order.free.eq(1)]
        m.next = "SUBMIT"
        with m.If(side > 1):
            m.d.sync += command.error.eq(CommandError.BAD_VALUE)
            m.next = "ANSWER"
    with m.State("REPLACE_ORDER"):
        asked = command.fields(Opcode.REPLACE_ORDER, ("price", "quantity"))
        m.d.sync += [order[name].eq(value) for name, value in asked.items()]
        m.d.sync += [
            order.replace.eq(1),
            order.strategy.eq(slot.strategy),
            order.tag.eq(slot.tag),
            order.time_in_force.eq(slot.time_in_force),
            desk.back.eq(Back.ORDERED),
        ]
        m.next = "SUBMIT"
        with m.If(~(found & live)):
            m.d.sync += command.error.eq(Mux(found, CommandError.ORDER_PENDING, CommandError.UNKNOWN_ORDER))
            m.next = "ANSWER"
    with m.State("ORDERED"):
        with m.If(desk.refused):
            m.d.sync += command.error.eq(CommandError.REFUSED)
        with m.Elif(command.opcode == Opcode.NEW_ORDER):
            m.d.sync += command.made.eq(desk.slot_id)
        with m.Elif(command.opcode == Opcode.REPLACE_ORDER):
            m.d.sync += command.made.eq(Cat(desk.number, slot.pending_generation))
        m.next = "ANSWER"

    with m.State("CANCEL_ORDER"):
        m.d.sync += desk.back.eq(Back.ORDERED)
        m.next = "WITHDRAW"
        with m.If(~found):
            m.d.sync += command.error.eq(CommandError.UNKNOWN_ORDER)
            m.next = "ANSWER"
    with m.State("WITHDRAW"):
        m.d.sync += desk.refused.eq(0)
        with m.If(live & desk.session_up):
            m.next = "CANCEL"
        with m.Else():
            m.d.sync += slot.cancel_wanted.eq(1)
            m.next = "STORE_SLOT"


def _cancel_all(m, desk, command):
    last = desk.parameters.symbols - 1

    with m.State("CANCEL_ALL"):
        m.d.sync += desk.back.eq(Back.NEXT_CANCEL)
        with m.If(command.every):
            m.d.sync += desk.symbol.eq(0)
        m.next = "CANCEL_SYMBOL"
    with m.State("CANCEL_SYMBOL"):
        m.d.sync += desk.todo.eq(desk.slots.occupied)
        m.next = "NEXT_CANCEL"
    with m.State("NEXT_CANCEL"):
        take_place(m, desk)
        m.next = "LOAD_CANCEL"
        with m.If(~desk.todo.any()):
            m.next = "ANSWER"
            with m.If(command.every & (desk.symbol != last)):
                m.d.sync += desk.symbol.eq(desk.symbol + 1)
                m.next = "CANCEL_SYMBOL"
    with m.State("LOAD_CANCEL"):
        m.d.sync += desk.loads.eq(1)
        m.next = "LOADED_CANCEL"
    with m.State("LOADED_CANCEL"):
        m.next = "WITHDRAW"


def _session(m, desk, command):
    ouch, trading = command.field(Opcode.LOGIN, "ouch"), Signal()
    m.d.sync += trading.eq(desk.slots.busy.any())

    with m.State("LOGIN"):
        start = 8 * records.LOGIN.offset("username")
        login = command.bits[start : start + 8 * LOGIN_BYTES]
        with m.If(ouch > OuchVersion.V5_0):
            m.d.sync += command.error.eq(CommandError.BAD_VALUE)
            m.next = "ANSWER"
        with m.Elif(trading & (ouch != desk.ouch)):
            m.d.sync += command.error.eq(CommandError.BUSY)
            m.next = "ANSWER"
        with m.Else(), desk.send(m, Harmless.LOGIN, login=login):
            m.d.sync += [
                desk.last_sent.eq(desk.stamp),
                desk.last_received.eq(desk.stamp),
                desk.session_state.eq(SessionState.LOGIN_SENT),
                desk.ouch.eq(ouch),
            ]
            m.next = "SESSION_EVENT"
    with m.State("LOGOUT"):
        with m.If(desk.session_up):
            with desk.send(m, Harmless.LOGOUT):
                m.d.sync += desk.session_state.eq(SessionState.DOWN)
                m.next = "SESSION_EVENT"
        with m.Else():
            m.d.sync += desk.session_state.eq(SessionState.DOWN)
            m.next = "SESSION_EVENT"
    with m.State("SESSION_DOWN"):
        m.d.comb += desk.trader.session_clear.eq(1)
        m.d.sync += desk.session_state.eq(SessionState.DOWN)
        m.next = "SESSION_EVENT"
    with m.State("SESSION_EVENT"):
        desk.emit(m, EventType.SESSION, info=desk.session_state)
        m.next = "ANSWER"


def _trust(m, desk, command):
    left, number = Signal(desk.parameters.symbols), Signal(16)

    with m.State("TRUST"):
        m.d.sync += [
            left.eq(desk.entry.trust_changed),
            number.eq(0),
            command.after.eq(Mux(command.every, After.SWEEP, After.EVALUATE)),
        ]
        m.next = "TRUST_NEXT"
    with m.State("TRUST_NEXT"):
        with m.If(~left.any()):
            m.next = "ANSWER"
        with m.Elif(left[0]):
            desk.emit(m, EventType.TRUST_REGAINED, symbol=number, info=TrustCause.HOST)
            m.d.sync += [left.eq(left >> 1), number.eq(number + 1)]
        with m.Else():
            m.d.sync += [left.eq(left >> 1), number.eq(number + 1)]


def _snapshot(m, desk, command):
    """The book's levels came before the command itself."""
    slot, account = desk.slot, desk.account.row
    parts = command.field(Opcode.SNAPSHOT, "parts")
    wanted = {part: (parts & part).any() for part in SnapshotPart}
    mask = Signal.like(desk.mask)
    quoter_killed = desk.killed_strategies[QUOTER_STRATEGY]

    desk.pause(m, "SNAPSHOT", 3, "SNAPSHOT_MASK")  # until the gate has the state reasons of the symbol
    with m.State("SNAPSHOT_MASK"):
        m.d.sync += mask.eq(desk.gate.state_mask | (quoter_killed << Reason.KILL_STRATEGY))
        m.next = "SNAPSHOT_SIGNALS"
        with m.If(wanted[SnapshotPart.POSITION]):
            m.next = "SNAPSHOT_POSITION"
    with m.State("SNAPSHOT_POSITION"):
        desk.emit(
            m,
            EventType.POSITION,
            symbol=desk.symbol,
            value=account.cash,
            price=desk.valuation.mark,
            quantity=account.position,
            order_id=desk.valuation.pnl,
            info=mask,
        )
        m.next = "SNAPSHOT_SIGNALS"
    with m.State("SNAPSHOT_SIGNALS"):
        signals, flow = desk.valuation.signals, desk.valuation.flow
        m.next = "SNAPSHOT_ORDERS"
        with m.If(wanted[SnapshotPart.SIGNALS]):
            m.next = "SNAPSHOT_SIGNALS"
        with m.If(wanted[SnapshotPart.SIGNALS] & (desk.age >= QUOTE_READY)):
            desk.emit(
                m,
                EventType.SIGNALS,
                symbol=desk.symbol,
                value=Cat(flow.ofi, flow.trades),
                price=flow.variance,
                order_id=Mux(signals.valid, signals.microprice, 0),
                quantity=Mux(signals.valid, signals.imbalance, 0),
                quantity2=Mux(signals.valid, signals.spread, 0),
                info=signals.valid,
            )
            m.next = "SNAPSHOT_ORDERS"
    with m.State("SNAPSHOT_ORDERS"):
        m.d.sync += desk.todo.eq(Mux(wanted[SnapshotPart.ORDERS], desk.slots.occupied, 0))
        m.next = "SNAPSHOT_NEXT"
    with m.State("SNAPSHOT_NEXT"):
        take_place(m, desk)
        m.next = "SNAPSHOT_LOAD"
        with m.If(~desk.todo.any()):
            m.next = "SNAPSHOT_END"
    with m.State("SNAPSHOT_LOAD"):
        m.d.sync += desk.loads.eq(1)
        m.next = "SNAPSHOT_LOADED"
    with m.State("SNAPSHOT_LOADED"):
        m.next = "SNAPSHOT_ORDER"
    with m.State("SNAPSHOT_ORDER"):
        replacing = slot.state == SlotState.PENDING_REPLACE
        info = Signal(32)
        m.d.comb += [
            info[:8].eq(slot.state),
            info[8:16].eq(desk.place[:2]),
            info[16:24].eq(slot.strategy),
            info[24].eq(slot.cancel_wanted),
        ]
        desk.emit(
            m,
            EventType.OPEN_ORDER,
            symbol=desk.symbol,
            side=desk.side,
            order_id=desk.slot_id,
            value=Mux(replacing, Cat(desk.number, slot.pending_generation), 0),
            price=slot.price,
            quantity=slot.remaining,
            price2=Mux(replacing, slot.pending_price, 0),
            quantity2=slot.chain_executed,
            tag=slot.tag,
            info=info,
        )
        m.next = "SNAPSHOT_NEXT"
    with m.State("SNAPSHOT_END"):
        desk.emit(m, EventType.SNAPSHOT_END, symbol=command.symbol, tag=command.tag)
        m.next = "ANSWER"


def _tick(m, desk):
    with m.State("TICK"):
        m.d.comb += desk.trader.counters["ticks"].eq(1)
        m.next = "TICK_SENT"  # when what is since the last one sent and received is known
    with m.State("TICK_SENT"):
        m.next = "TICK_TIMEOUT"
        with m.If(desk.session_up & (desk.since_sent >= SESSION_HEARTBEAT_NS)):
            m.next = "TICK_HEARTBEAT"
    with m.State("TICK_HEARTBEAT"):
        with desk.send(m, Harmless.HEARTBEAT):
            m.d.sync += desk.last_sent.eq(desk.stamp)
            m.next = "TICK_TIMEOUT"
    with m.State("TICK_TIMEOUT"):
        m.next = "SWEEP"
        with m.If((desk.session_state != SessionState.DOWN) & (desk.since_received >= SESSION_TIMEOUT_NS)):
            m.d.sync += desk.session_state.eq(SessionState.DOWN)
            m.next = "TICK_DOWN"
    with m.State("TICK_DOWN"):
        desk.emit(m, EventType.SESSION, info=SessionState.DOWN)
        m.next = "SWEEP"
