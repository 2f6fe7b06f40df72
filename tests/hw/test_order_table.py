"""The order table against a dictionary, on references that are made to collide, one in every cycle."""

import random

import pytest
from amaranth.hdl import Cat, Const

from hw.book.order_table import CHOICES, STASH, WAYS, OrderTable
from hw.parameters import Parameters
from tests.hw.simulation import simulate

pytestmark = pytest.mark.gateware

PARAMETERS = Parameters(symbols=2, levels=64, orders=64, locates=64)
LATENCY = 4


async def pass_through(ctx, dut, references, decide):
    """One reference per cycle (None: none); ``decide(n, alive, quantity, room)`` gives None or the quantity to
    store, 0 to remove."""
    for cycle in range(len(references) + LATENCY):
        now = references[cycle] if cycle < len(references) else None
        before = references[cycle - 1] if 0 < cycle <= len(references) else None
        ctx.set(dut.reference, now or 0)
        ctx.set(dut.look, before is not None)
        stored = None
        if cycle >= LATENCY and references[cycle - LATENCY] is not None:
            stored = decide(cycle - LATENCY, ctx.get(dut.alive), ctx.get(dut.order.quantity), ctx.get(dut.room))
        ctx.set(dut.store, stored is not None)
        ctx.set(dut.keep, bool(stored))
        ctx.set(dut.new.quantity, stored or 0)
        await ctx.tick()
    ctx.set(dut.store, 0)
    ctx.set(dut.look, 0)
    await ctx.tick().repeat(8)


def churn(number, dut):
    """Random references, nearly all of them with a neighbour that is the same or in the same buckets."""
    seed = random.Random(number)
    alive: dict[int, int] = {}
    refused = 0
    # Few bits that vary: buckets and stash fill up, and references differ in tags only.
    pool = [seed.randrange(16) << seed.choice((0, 16, 40, 60)) | seed.randrange(8) << 12 for _ in range(150)]
    hot = pool[:6] if number & 1 else pool
    references = [seed.choice(seed.choice((pool, hot))) if seed.random() < 0.9 else None for _ in range(2500)]

    def decide(n, found, quantity, room):
        nonlocal refused
        reference = references[n]
        assert found == (reference in alive), f"reference {reference:x}, {n}"
        if found:
            assert quantity == alive[reference]
            what = seed.choice((None, 0, 0, seed.randrange(1, 1 << 32)))
            if what is not None:
                alive[reference] = what
            if what == 0:
                del alive[reference]
            return what
        if not room:
            refused += 1
            return None
        if seed.random() < 0.1:
            return None
        alive[reference] = seed.randrange(1, 1 << 32)
        return alive[reference]

    async def run(ctx):
        await ctx.tick().repeat(3)
        await pass_through(ctx, dut, references, decide)
        await pass_through(ctx, dut, pool, check)

    def check(n, found, quantity, room):
        assert found == (pool[n] in alive)
        assert not found or quantity == alive[pool[n]]

    simulate(dut, run)
    return refused


@pytest.mark.parametrize("number", range(4))
def test_a_stored_order_is_found_until_it_is_removed_and_not_after(number):
    refused = churn(number, OrderTable(PARAMETERS))
    assert refused or number & 1, "the pool does not fill the table"


# The fifth before writes while this one reads: then the simulated memory gives what was there.
@pytest.mark.parametrize(("what", "forgotten"), [*(("same", n) for n in range(5)), *(("near", n) for n in range(4))])
def test_a_table_that_forgets_one_of_those_before_is_found_out(what, forgotten, monkeypatch):
    """The mutation: one of the five references before is not compared, whole or by its bucket."""
    compare = getattr(OrderTable, what)

    def forgetful(self, *arguments):
        compared = compare(self, *arguments)
        return Cat(Const(0) if n == forgotten else compared[n] for n in range(5))

    monkeypatch.setattr(OrderTable, what, forgetful)
    with pytest.raises(AssertionError):
        [churn(number, OrderTable(PARAMETERS)) for number in range(1, 12, 2)]


def test_one_pair_of_buckets_and_the_stash_fill_up_then_there_is_no_room():
    """References that are equal but for words that the folds see not at all: one bucket of each choice."""
    dut = OrderTable(PARAMETERS)
    references = []
    for n in range(1 << 16):
        # The lowest word undoes what the second one does to the first fold; the second fold turns it by 5.
        folded = (n ^ ((n << 5 | n >> 11) & 0xFFFF)) >> 12
        if not folded and len(references) < 40:
            references.append(n << 16 | n)
    stored = 0

    def decide(n, found, quantity, room):
        nonlocal stored
        assert not found
        assert room == (stored < CHOICES * WAYS + STASH)
        stored += room
        return n + 1 if room else None

    async def run(ctx):
        await pass_through(ctx, dut, references, decide)

    simulate(dut, run)
    assert stored == CHOICES * WAYS + STASH
