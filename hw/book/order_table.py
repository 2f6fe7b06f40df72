"""The order table: order reference to order, d-left hashing with a stash, a lookup and a store in every cycle."""

from functools import reduce
from itertools import pairwise
from operator import or_

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from hw.block_memory import read_block
from hw.book.hashing import REFERENCE_BITS, bucket_and_tag
from hw.parameters import Parameters

CHOICES = 2
"""Buckets in which a reference may be."""

WAYS = 5
"""Orders in a bucket. With 4 the stash would have to hold 16 in a table that stays full; with 5 it stays empty."""

STASH = 2
"""Orders that found both their buckets full."""


class Order(data.StructLayout):
    """An order: at ladder ``position`` if ``in_band``, else ``beyond`` if it could be the best of its side."""

    def __init__(self, parameters: Parameters):
        super().__init__(
            {
                "symbol": parameters.symbol_bits,
                "side": 1,
                "in_band": 1,
                "beyond": 1,
                "position": parameters.index_bits,
                "quantity": 32,
            }
        )


class State(data.StructLayout):
    """What is known of a reference: whether its order is alive, the order, and the place that it is in."""

    def __init__(self, parameters: Parameters):
        super().__init__({"alive": 1, "order": Order(parameters), "where": CHOICES * WAYS + STASH})


def one_of(choices: list[tuple[Value, Value]]) -> Value:
    """The value of the choice that is set; 0 if none is. At most one may be."""
    return reduce(or_, (Mux(chosen, Value.cast(value), 0) for chosen, value in choices))


def first_of(bits: Value) -> Value:
    """The lowest bit that is set, alone; for a few bits."""
    before = [Cat(bits[:n]).any() if n else Const(0) for n in range(len(bits))]
    return Cat(bit & ~earlier for bit, earlier in zip(bits, before, strict=True))


class OrderTable(wiring.Component):
    """Finds, stores and removes orders by their reference.

    Parameters
    ----------
    parameters : Parameters
        The table has 2.5 times ``orders`` places and the stash.

    Members
    -------
    reference : In(64)
        Cycle 0: a reference.
    look : In(1)
        Cycle 1: it is one, and what follows is about it.
    alive, order : Out(1), Out(Order)
        Cycle 4: it is in the table, and what was stored for it.
    room : Out(1)
        Cycle 4: there is a place for it if it is not.
    store, keep, new : In(1), In(1), In(Order)
        Cycle 4: stores ``new`` for it, or removes it if ``keep`` is low. Only if ``alive`` or ``room``.
    busy : Out(1)
        The table is being cleared, after a reset that is not the first.
    clear : In(1)
        Reset found the memories used.

    Latency 4 cycles, a reference per cycle, never held up. What is stored in cycle 4 is in the memory for a
    reference that comes 6 cycles after; those in between take it from the registers on its way: what a
    reference before them left of the order (``same``), and which places were taken in their buckets
    (``near``). A place that is written while it is read counts as taken by somebody else.

    A new order goes to the emptier of its two buckets, then to the stash. No entry moves. Clearing takes
    ``orders`` / 4 cycles.
    """

    def __init__(self, parameters: Parameters):
        self.parameters = parameters
        order = Order(parameters)
        super().__init__(
            {
                "reference": In(REFERENCE_BITS),
                "look": In(1),
                "alive": Out(1),
                "order": Out(order),
                "room": Out(1),
                "store": In(1),
                "keep": In(1),
                "new": In(order),
                "clear": In(1),
                "busy": Out(1),
            }
        )

    def same(self, reference, looks):
        """Which of the five before the reference in cycle 1 are the same."""
        return Cat(looks[1] & looks[1 + n] & (reference[1] == reference[1 + n]) for n in range(1, 6))

    def near(self, bucket):
        """Which of them have the same bucket."""
        return Cat(bucket[1] == bucket[1 + n] for n in range(1, 6))

    def elaborate(self, platform):
        m = Module()
        order, state = Order(self.parameters), State(self.parameters)
        bits = (self.parameters.orders // 4).bit_length() - 1
        places, buckets = CHOICES * WAYS + STASH, CHOICES * WAYS
        entry = data.StructLayout({"valid": 1, "tag": REFERENCE_BITS - bits, "order": order})
        stashed = data.StructLayout({"valid": 1, "tag": REFERENCE_BITS, "order": order})
        stash = [Signal(stashed, name=f"stash_{n}") for n in range(STASH)]

        # The references on their way, by the cycle they are in, and what became of those behind cycle 4.
        reference = [self.reference, *(Signal(REFERENCE_BITS, name=f"reference_{n}") for n in range(1, 7))]
        looks = [None, self.look, *(Signal(name=f"look_{n}") for n in range(2, 7))]
        for n in range(1, 7):
            m.d.sync += reference[n].eq(reference[n - 1])
            if n > 1:
                m.d.sync += looks[n].eq(looks[n - 1])
        bucket = [
            [Signal(bits, name=f"bucket_{choice}_{n}") for n in range(7)] for choice in range(CHOICES)
        ]
        for choice, chain in enumerate(bucket):
            m.d.comb += chain[0].eq(bucket_and_tag(self.reference, choice, bits)[0])
            m.d.sync += [after.eq(before) for before, after in pairwise(chain)]
        left = {n: Signal(state, name=f"left_{n}") for n in range(5, 9)}
        stored = {n: Signal(name=f"stored_{n}") for n in range(5, 8)}
        m.d.sync += [left[n].eq(left[n - 1]) for n in range(6, 9)]
        m.d.sync += [stored[n].eq(stored[n - 1]) for n in range(6, 8)]

        sweep, clearing = Signal(bits), Signal()
        with m.If(self.clear):
            m.d.sync += clearing.eq(1)
        with m.If(clearing):
            m.d.sync += sweep.eq(sweep + 1)
            with m.If(sweep.all()):
                m.d.sync += clearing.eq(0)
        m.d.comb += self.busy.eq(clearing)

        # -- cycles 0 and 1: read; who before is about the same ------------------------------------
        read = []
        for n in range(buckets):
            chain = bucket[n // WAYS]
            m.submodules[f"way_{n}"] = way = memory.Memory(shape=entry, depth=1 << bits, init=[])
            writer = way.write_port()
            m.d.comb += [
                writer.addr.eq(Mux(clearing, sweep, chain[5])),
                writer.en.eq(clearing | (stored[5] & left[5].where[n])),
                writer.data.valid.eq(left[5].alive & ~clearing),
                writer.data.tag.eq(bucket_and_tag(reference[5], n // WAYS, bits)[1]),
                writer.data.order.eq(left[5].order),
            ]
            read.append(read_block(m, way, chain[0]))
        for n, place in enumerate(stash):
            with m.If(stored[5] & left[5].where[buckets + n]):
                m.d.sync += [
                    place.valid.eq(left[5].alive),
                    place.tag.eq(reference[5]),
                    place.order.eq(left[5].order),
                ]

        # Of the reference that came n cycles before, by the cycle that this one is in.
        same = [None] * 2 + [Signal(5, name=f"same_{at}") for at in (2, 3, 4)]
        near = [None] * 2 + [
            [Signal(5, name=f"near_{choice}_{at}") for choice in range(CHOICES)] for at in (2, 3, 4)
        ]
        m.d.sync += [
            same[2].eq(self.same(reference, looks)),
            *(near[2][choice].eq(self.near(bucket[choice])) for choice in range(CHOICES)),
            *(same[n].eq(same[n - 1]) for n in (3, 4)),
            *(near[n][choice].eq(near[n - 1][choice]) for n in (3, 4) for choice in range(CHOICES)),
        ]

        # -- cycle 2: compare ------------------------------------------------------------------------
        tags = [Signal(REFERENCE_BITS - bits, name=f"tag_{choice}") for choice in range(CHOICES)]
        m.d.sync += [
            tag.eq(bucket_and_tag(reference[1], choice, bits)[1]) for choice, tag in enumerate(tags)
        ]
        entries = [Signal(entry, name=f"entry_{n}") for n in range(buckets)]
        m.d.sync += [each.eq(data) for each, data in zip(entries, read, strict=True)]
        written = Signal(places)  # by the fifth before, in the cycle in which this one read
        m.d.sync += written.eq(Mux(stored[6], left[6].where, 0))
        hits, used = Signal(places), Signal(buckets)
        found = [Signal(order, name=f"found_{n}") for n in range(places)]
        sure = ~same[2][1:].any()  # nobody before it, but for the one just before, knows better
        collided = [near[2][n // WAYS][4] & written[n] for n in range(buckets)]
        m.d.sync += [
            hits.eq(
                Cat(
                    *(
                        sure
                        & each.valid
                        & ~collided[n]
                        & (each.tag == tags[n // WAYS])
                        for n, each in enumerate(entries)
                    ),
                    *(sure & each.valid & (each.tag == reference[2]) for each in stash),
                )
            ),
            used.eq(Cat(each.valid | collided[n] for n, each in enumerate(entries))),
            *(into.eq(each.order) for into, each in zip(found, (*entries, *stash), strict=True)),
        ]
        newest = Signal(4)
        m.d.sync += newest.eq(first_of(same[2][1:]))

        # -- cycle 3: select ---------------------------------------------------------------------------
        seen = Signal(state)
        taken = [Signal(WAYS, name=f"taken_{choice}") for choice in range(CHOICES)]
        right = Signal()
        ahead = [(newest[n - 2], left[n + 3]) for n in range(2, 6)]
        m.d.sync += [
            seen.alive.eq(hits.any() | Cat(chosen & each.alive for chosen, each in ahead).any()),
            seen.order.eq(
                one_of(
                    [
                        *((hits[n], each) for n, each in enumerate(found)),
                        *((chosen, each.order) for chosen, each in ahead),
                    ]
                )
            ),
            seen.where.eq(hits | one_of([(chosen, each.where) for chosen, each in ahead])),
            right.eq(sum(used[WAYS:]) < sum(used[:WAYS])),
        ]

        def places_of(where, choice):
            return where[choice * WAYS : (choice + 1) * WAYS]

        for choice in range(CHOICES):
            others = [
                Mux(stored[n + 3] & near[3][choice][n - 1], places_of(left[n + 3].where, choice), 0)
                for n in range(2, 5)
            ]
            m.d.sync += taken[choice].eq(places_of(used, choice) | reduce(or_, others))

        # -- cycle 4: the one just before, and a place for a new order ------------------------------------
        known, vacant = Signal(state), Signal(places)
        m.d.comb += [
            known.eq(Mux(same[4][0], left[5], seen)),
            self.alive.eq(known.alive),
            self.order.eq(known.order),
        ]
        full, free = [], []
        for choice in range(CHOICES):
            just = Mux(stored[5] & near[4][choice][0], places_of(left[5].where, choice), 0)
            occupied = Signal(WAYS, name=f"occupied_{choice}")
            m.d.comb += occupied.eq(taken[choice] | just)
            full.append(occupied.all())
            free.append(first_of(~occupied))
        stash_free = Signal(STASH)
        m.d.comb += [
            stash_free.eq(~(Cat(each.valid for each in stash) | Mux(stored[5], left[5].where[buckets:], 0))),
            self.room.eq(~full[0] | ~full[1] | stash_free.any()),
            vacant.eq(
                Cat(
                    Mux(~full[0] & (full[1] | ~right), free[0], 0),
                    Mux(~full[1] & (full[0] | right), free[1], 0),
                    Mux(full[0] & full[1], first_of(stash_free), 0),
                )
            ),
        ]
        m.d.sync += [
            stored[5].eq(self.store),
            left[5].eq(known),
        ]
        with m.If(self.store):
            m.d.sync += [
                left[5].alive.eq(self.keep),
                left[5].order.eq(self.new),
                left[5].where.eq(Mux(known.alive, known.where, vacant)),
            ]
        return m
