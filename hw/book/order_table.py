"""The order table: order reference to order, d-left hashing with a stash."""

from functools import reduce
from operator import or_, xor

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from hw.parameters import Parameters

CHOICES = 2
"""Buckets in which a reference may be."""

WAYS = 4
"""Orders in a bucket."""

STASH = 8
"""Orders that found both their buckets full."""

FOLD_BITS = 16
REFERENCE_BITS = 64


class Order(data.StructLayout):
    """An order: on level ``index`` if ``in_band``, else ``beyond`` if it could be the best of its side."""

    def __init__(self, parameters: Parameters):
        super().__init__(
            {
                "symbol": parameters.symbol_bits,
                "side": 1,
                "in_band": 1,
                "beyond": 1,
                "index": parameters.index_bits,
                "quantity": 32,
            }
        )


def bucket_and_tag(reference: Value, choice: int, bits: int) -> tuple[Value, Value]:
    """The bucket of a reference, ``bits`` wide, and a tag that tells it from the others there.

    The bucket is cut from the reference's words folded with XOR. The tag is the rest of the fold and all
    words but the lowest, from which the lowest follows. The second choice cuts the fold from its other end
    and turns the words, so that references that share one bucket rarely share the other.
    """
    width = max(FOLD_BITS, bits)
    words = [reference[at : at + width] for at in range(0, REFERENCE_BITS, width)]
    words[-1] = Cat(words[-1], Const(0, width - len(words[-1])))
    if choice:
        words = [word.rotate_left(5 * n) for n, word in enumerate(words)]
    folded = reduce(xor, words)
    if choice:
        folded = folded.rotate_left(bits)
    return folded[:bits], Cat(folded[bits:], reference[width:])


def first_of(bits: Value) -> Value:
    """The lowest bit that is set, alone; for a few bits."""
    before = [Cat(bits[:n]).any() if n else Const(0) for n in range(len(bits))]
    return Cat(bit & ~earlier for bit, earlier in zip(bits, before, strict=True))


class OrderTable(wiring.Component):
    """Finds, stores and removes orders by their reference.

    Parameters
    ----------
    parameters : Parameters
        The table has twice ``orders`` places.

    Members
    -------
    reference : In(64)
    start : In(1)
        Looks the reference up.
    done : Out(1)
        What follows is valid, until the next ``start``.
    found : Out(1)
        The reference is in the table.
    order : Out(Order)
        What was stored for it.
    room : Out(1)
        It is not there, and there is a place for it.
    store, keep, new : In(1), In(1), In(Order)
        Stores ``new`` for the reference that was looked up, or removes what is there if ``keep`` is low. Only
        after ``done``, and only if ``found`` or ``room``.
    busy : Out(1)
        The table is being cleared after reset.

    A lookup takes 5 cycles, a store one. A new order goes to the emptier of its two buckets, then to the
    stash: up to half of the places both are full next to never. No entry moves. After reset it takes orders /
    4 cycles to clear it.
    """

    def __init__(self, parameters: Parameters):
        self.parameters = parameters
        order = Order(parameters)
        super().__init__(
            {
                "reference": In(REFERENCE_BITS),
                "start": In(1),
                "done": Out(1),
                "found": Out(1),
                "order": Out(order),
                "room": Out(1),
                "store": In(1),
                "keep": In(1),
                "new": In(order),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        order = Order(self.parameters)
        bits = (2 * self.parameters.orders // (CHOICES * WAYS)).bit_length() - 1
        entry = data.StructLayout({"valid": 1, "tag": REFERENCE_BITS - bits, "order": order})
        stashed = data.StructLayout({"valid": 1, "tag": REFERENCE_BITS, "order": order})

        reference = Signal(REFERENCE_BITS)
        buckets = [Signal(bits, name=f"bucket_{choice}") for choice in range(CHOICES)]
        tags = [Signal(REFERENCE_BITS - bits, name=f"tag_{choice}") for choice in range(CHOICES)]
        stash = [Signal(stashed, name=f"stash_{n}") for n in range(STASH)]
        places = CHOICES * WAYS + STASH
        where = Signal(places)  # the place of the order, or of the one to come; the stash last

        clearing, sweep = Signal(init=1), Signal(bits)
        with m.If(clearing):
            m.d.sync += sweep.eq(sweep + 1)
            with m.If(sweep.all()):
                m.d.sync += clearing.eq(0)
        m.d.comb += self.busy.eq(clearing)

        read = []
        for choice in range(CHOICES):
            for way in range(WAYS):
                way_memory = memory.Memory(shape=entry, depth=1 << bits, init=[])
                m.submodules[f"way_{choice}_{way}"] = way_memory
                reader, writer = way_memory.read_port(), way_memory.write_port()
                m.d.comb += [
                    reader.addr.eq(buckets[choice]),
                    reader.en.eq(1),
                    writer.addr.eq(Mux(clearing, sweep, buckets[choice])),
                    writer.en.eq(clearing | (self.store & where[choice * WAYS + way])),
                ]
                with m.If(~clearing):
                    m.d.comb += [
                        writer.data.valid.eq(self.keep),
                        writer.data.tag.eq(tags[choice]),
                        writer.data.order.eq(self.new),
                    ]
                read.append(reader.data)
        for n, place in enumerate(stash):
            with m.If(self.store & where[CHOICES * WAYS + n]):
                m.d.sync += [place.valid.eq(self.keep), place.tag.eq(reference), place.order.eq(self.new)]

        # Cycle by cycle: hash, read, the memory's output register, compare, select.
        step = Signal(5)
        m.d.sync += step.eq(Cat(self.start, step))
        m.d.comb += self.done.eq(step[-1])
        with m.If(self.start):
            m.d.sync += reference.eq(self.reference)
            for choice in range(CHOICES):
                bucket, tag = bucket_and_tag(self.reference, choice, bits)
                m.d.sync += [buckets[choice].eq(bucket), tags[choice].eq(tag)]

        entries = [Signal(entry, name=f"entry_{n}") for n in range(CHOICES * WAYS)]
        hits, used = Signal(places), Signal(places)
        m.d.sync += [each.eq(data) for each, data in zip(entries, read, strict=True)]
        m.d.sync += [
            hits.eq(
                Cat(
                    *(each.valid & (each.tag == tags[n // WAYS]) for n, each in enumerate(entries)),
                    *(each.valid & (each.tag == reference) for each in stash),
                )
            ),
            used.eq(Cat(each.valid for each in (*entries, *stash))),
        ]

        groups = [used[:WAYS], used[WAYS : 2 * WAYS], used[2 * WAYS :]]
        left, right = (Signal(range(WAYS + 1), name=f"load_{choice}") for choice in range(CHOICES))
        m.d.comb += [left.eq(sum(groups[0])), right.eq(sum(groups[1]))]
        take = Signal(len(groups))
        m.d.comb += [
            take[0].eq((left <= right) & ~groups[0].all()),
            take[1].eq((right < left) & ~groups[1].all()),
            take[2].eq(groups[0].all() & groups[1].all()),
        ]
        vacant = Cat(
            Mux(chosen, first_of(~group), 0)[: len(group)]
            for chosen, group in zip(take, groups, strict=True)
        )
        with m.If(step[3]):
            m.d.sync += [
                self.found.eq(hits.any()),
                self.room.eq(~hits.any() & ~used.all()),
                where.eq(Mux(hits.any(), hits, vacant)),
                self.order.eq(
                    reduce(
                        or_,
                        (
                            Mux(hits[n], Value.cast(each.order), 0)
                            for n, each in enumerate((*entries, *stash))
                        ),
                    )
                ),
            ]
        return m
