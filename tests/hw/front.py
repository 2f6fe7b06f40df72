"""The front half of the card, frames to book, as a model; and what its items are as events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from amaranth.hdl import Module, Shape
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.book import Book
from hw.feed import Feed
from hw.items import BookItem, Item, ItemKind
from hw.parameters import Parameters
from hw.streams import Beat
from tests.hw.verilated import Model
from wire.itch import ITCH
from wire.records import EVENT, NO_SYMBOL, CommandError, EventType, Opcode, Port, Side, TrustCause


class Front(wiring.Component):
    """Feed and book with their counters. ``direct`` takes the items that do not pass the feed."""

    def __init__(self, parameters: Parameters):
        self.parameters = parameters
        self.feed, self.book = Feed(), Book(parameters)
        self.counted = sorted(
            name.removeprefix("count_")
            for part in (self.feed, self.book)
            for name in part.signature.members
            if name.startswith("count_") and "itch_index" not in name and name != "count_itch"
        )
        super().__init__(
            {
                **{name: In(stream.Signature(Beat)) for name in ("a", "b", "recovery")},
                "stamp": In(64),
                "control": In(stream.Signature(Item)),
                "direct": In(stream.Signature(Item)),
                "o": Out(stream.Signature(BookItem(parameters))),
                "slots_busy": In(parameters.symbols),
                "feed_busy": Out(1),
                "busy": Out(1),
                **{f"total_{name}": Out(32) for name in self.counted},
                **{f"total_itch_{record.code}": Out(32) for record in ITCH.records},
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.feed, m.submodules.book = feed, book = self.feed, self.book
        for name in ("a", "b", "recovery", "control"):
            connect(m, flipped(getattr(self, name)), getattr(feed, name))
        connect(m, book.o, flipped(self.o))
        m.d.comb += [
            feed.stamp.eq(self.stamp),
            book.i.valid.eq(feed.o.valid | self.direct.valid),
            book.i.payload.eq(feed.o.payload),
            feed.o.ready.eq(book.i.ready),
            self.direct.ready.eq(book.i.ready & ~feed.o.valid),
            book.slots_busy.eq(self.slots_busy),
            book.trader_idle.eq(1),
            self.feed_busy.eq(feed.busy),
            self.busy.eq(feed.busy | book.busy),
        ]
        with m.If(~feed.o.valid):
            m.d.comb += book.i.payload.eq(self.direct.payload)
        with m.If(feed.o.valid & (feed.o.payload.kind == ItemKind.COMMAND)):
            m.d.comb += book.i.payload.payload.eq(self.control.payload.payload)
        for name in self.counted:
            part = feed if f"count_{name}" in feed.signature.members else book
            total = getattr(self, f"total_{name}")
            m.d.sync += total.eq(total + getattr(part, f"count_{name}"))
        for n, record in enumerate(ITCH.records):
            total = getattr(self, f"total_itch_{record.code}")
            with m.If(feed.count_itch & (feed.count_itch_index == n)):
                m.d.sync += total.eq(total + 1)
        return m


class Fields:
    """Fields of an Amaranth layout in an integer."""

    def __init__(self, layout: Any, number: int):
        self._layout, self._number = layout, number

    def __getattr__(self, name: str) -> Any:
        field = self._layout[name]
        part = self._number >> field.offset & ((1 << Shape.cast(field.shape).width) - 1)
        shape = field.shape
        if isinstance(shape, type) and issubclass(shape, data.Struct | data.Union):
            shape = data.Layout.cast(shape)
        return Fields(shape, part) if isinstance(shape, data.Layout) else part


def item(kind: ItemKind, stamp: int, command: bytes = b"") -> int:
    """The bits of an item that carries nothing or a command."""
    layout = data.Layout.cast(Item)
    return (
        kind.value
        | stamp << layout["stamp"].offset
        | int.from_bytes(command, "little") << layout["payload"].offset
    )


FEED_COMMANDS = (Opcode.SET_FEED, Opcode.RESUME_FEED)


class FrontModel:
    """Runs inputs through a front, and tells what came out as events, as far as book and feed make them."""

    def __init__(self, parameters: Parameters):
        self.parameters = parameters
        component = Front(parameters)
        self.counted = component.counted
        self.model = Model(component)
        self.layout = BookItem(parameters)
        self.model["o__ready"].value = 1
        self.items: list[int] = []
        self.sequence = 0
        self.market_open = 0
        self.states: dict[int, list[int]] = {}
        self.settle()

    # -- driving -----------------------------------------------------------------------------------

    def cycle(self) -> None:
        model = self.model
        if model["o__valid"].value:
            self.items.append(model["o__payload"].value)
        model.step()

    def settle(self) -> None:
        for _ in range(1_000_000):
            if not self.model["busy"].value:
                return
            self.cycle()
        raise AssertionError("the front is stuck")

    def put(self, port: str, payload: int) -> None:
        """One payload into a stream."""
        model = self.model
        model[f"{port}__payload"].value, model[f"{port}__valid"].value = payload, 1
        model.settle()
        for _ in range(1_000_000):
            ready = model[f"{port}__ready"].value
            self.cycle()
            if ready:
                model[f"{port}__valid"].value = 0
                model.settle()
                return
        raise AssertionError(f"{port} is stuck")

    def take(self, port: int, stamp: int, content: bytes) -> None:
        """One input, as the engine gets it; the feed has handled it when this returns."""
        model = self.model
        model["stamp"].value = stamp
        if port <= Port.RECOVERY:
            pieces = [content[n : n + 8] for n in range(0, max(len(content), 1), 8)]
            for n, piece in enumerate(pieces):
                last = n == len(pieces) - 1
                self.put(("a", "b", "recovery")[port], int.from_bytes(piece, "little") | last << 64 | len(piece) << 65)
        elif port == Port.TICK:
            self.put("control", item(ItemKind.TICK, stamp))
        elif content[0] in FEED_COMMANDS:
            self.put("control", item(ItemKind.COMMAND, stamp, content))
        else:
            self.put("direct", item(ItemKind.COMMAND, stamp, content))
        for _ in range(1_000_000):
            if not model["feed_busy"].value:
                return
            self.cycle()
        raise AssertionError("the feed is stuck")

    def counters(self) -> dict[str, int]:
        """The counters that the front keeps."""
        names = [*self.counted, *(f"itch_{record.code}" for record in ITCH.records)]
        return {name: self.model[f"total_{name}"].value for name in names}

    # -- what a trader without a session makes of it ---------------------------------------------------

    def events(self) -> Iterator[dict[str, int]]:
        """The events of all items that came out."""
        items, self.items = self.items, []
        for number in items:
            yield from self._events(Fields(self.layout, number))

    def _event(self, entry: Any, kind: EventType, symbol: int = NO_SYMBOL, **fields: int) -> dict[str, int]:
        event = {field.name: 0 for field in EVENT.fields}
        event |= {"sequence": self.sequence, "type": kind, "side": Side.NONE, "symbol": symbol}
        event |= {"timestamp": entry.item.stamp, "cause": entry.item.cause} | fields
        self.sequence += 1
        return event

    def _events(self, entry: Any) -> Iterator[dict[str, int]]:
        kind = ItemKind(entry.item.kind)
        report = entry.item.payload.feed
        if kind is ItemKind.MESSAGE:
            yield from self._message(entry)
        elif kind is ItemKind.COMMAND:
            yield from self._command(entry)
        elif kind is ItemKind.GAP:
            yield self._event(
                entry, EventType.GAP, value=report.first, quantity=report.count & 0xFFFFFFFF, info=report.repeat
            )
            if not report.repeat:
                yield self._event(entry, EventType.TRUST_LOST, info=TrustCause.GAP)
        elif kind is ItemKind.WHOLE:
            yield self._event(entry, EventType.TRUST_REGAINED, info=TrustCause.GAP)
        elif kind is ItemKind.JOINED:
            yield self._event(entry, EventType.TRUST_LOST, info=TrustCause.JOINED)
        elif kind is ItemKind.RESUMED:
            yield self._event(entry, EventType.TRUST_LOST, info=TrustCause.RESUMED)
        if kind not in (ItemKind.MESSAGE, ItemKind.COMMAND):
            assert (entry.trust_changed, entry.top_changed, entry.trade.valid, entry.mapped) == (0, 0, 0, 0)

    def _trust(self, entry: Any) -> Iterator[dict[str, int]]:
        for symbol in range(self.parameters.symbols):
            if entry.trust_changed >> symbol & 1:
                regained = entry.trusted >> symbol & 1
                kind = EventType.TRUST_REGAINED if regained else EventType.TRUST_LOST
                yield self._event(entry, kind, symbol, info=entry.trust_cause)

    def _message(self, entry: Any) -> Iterator[dict[str, int]]:
        message = entry.item.payload.message
        if message.unknown or message.bad_length:
            return
        code = chr(message.type)
        if code == "S" and chr(message.code) in "QM":
            yield from self._market(entry, int(chr(message.code) == "Q"), message.code)
        elif code == "W":
            yield from self._market(entry, 0, ord("W"))
        if not entry.mapped:
            return
        if code in "HYh":
            state = self.states[entry.symbol]
            if code == "H":
                state[0] = message.code
            elif code == "Y":
                state[2] = message.code
            elif message.code != ord("Q"):
                return
            elif chr(message.action) in "HT":
                state[1] = int(message.action == ord("H"))
            yield self._event(
                entry, EventType.TRADING_STATE, entry.symbol, info=state[0] | state[1] << 8 | state[2] << 16
            )
            return
        assert entry.trust_changed in (0, 1 << entry.symbol)
        yield from self._trust(entry)
        trade = entry.trade
        if trade.valid:
            yield self._event(
                entry,
                EventType.TRADE,
                entry.symbol,
                side=trade.side,
                price=trade.price,
                quantity=trade.quantity,
                value=message.match_number,
                info=message.type | message.printable << 8,
            )
        if entry.top_changed:
            bid, ask = entry.top.bid, entry.top.ask
            for best in (bid, ask):
                assert best.has or not (best.index or best.quantity or best.price)
            trusted = entry.trusted >> entry.symbol & 1
            yield self._event(
                entry,
                EventType.BOOK_TOP,
                entry.symbol,
                price=bid.price,
                quantity=bid.quantity,
                price2=ask.price,
                quantity2=ask.quantity,
                info=bid.has | ask.has << 1 | trusted << 2,
            )

    def _market(self, entry: Any, is_open: int, code: int) -> Iterator[dict[str, int]]:
        if self.market_open != is_open:
            self.market_open = is_open
            yield self._event(entry, EventType.TRADING_STATE, info=code)

    def _command(self, entry: Any) -> Iterator[dict[str, int]]:
        command = entry.item.payload.command.to_bytes(64, "little")
        opcode, symbol, tag = command[0], int.from_bytes(command[2:4], "little"), int.from_bytes(command[4:8], "little")
        if entry.is_level:
            level = entry.level
            yield self._event(
                entry,
                EventType.BOOK_LEVEL,
                entry.symbol,
                side=level.side,
                price=level.price,
                quantity=level.quantity,
                quantity2=level.orders,
                info=level.rank,
            )
            return
        if opcode == Opcode.SET_SYMBOL and not entry.error:
            self.states[symbol] = [command[19], 0, ord("0")]
        if opcode == Opcode.TRUST:
            yield from self._trust(entry)
        else:
            assert not entry.trust_changed
        if opcode == Opcode.SNAPSHOT and entry.mapped:
            yield self._event(entry, EventType.SNAPSHOT_END, symbol, tag=tag)
        error = entry.error
        needs = opcode == Opcode.SNAPSHOT or (opcode == Opcode.TRUST and symbol != NO_SYMBOL)
        if needs and not entry.mapped:
            error = CommandError.BAD_SYMBOL
        yield self._event(entry, EventType.COMMAND, symbol, tag=tag, value=opcode, info=error)
