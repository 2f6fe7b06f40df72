"""The book alone against a plain one: neighbours about the same thing, cycles, levels emptied one after another."""

import random
from itertools import pairwise

import pytest
from amaranth.hdl import Cat, Const

from hw.book.order_table import OrderTable
from hw.book.refill import Refill
from hw.parameters import Parameters
from tests.hw.book_card import BASE, TICK, BookCard, PlainBook, check, command_bits, message, random_gap
from tests.hw.book_flow import flow
from wire.records import Opcode, Side, command

pytestmark = [pytest.mark.gateware]

PARAMETERS = Parameters(symbols=2, levels=128, orders=64, locates=64)
CALM = {"levels": 40, "references": 30, "faults": 0}


def price(level: int) -> int:
    return BASE + TICK * level


def add(reference: int, side: int, level: int, quantity: int = 100, **fields: int) -> dict:
    return message("A", order_reference=reference, side=side, price=price(level), quantity=quantity, **fields)


def delete(reference: int, **fields: int) -> dict:
    return message("D", order_reference=reference, **fields)


def replace(old: int, new: int, level: int, quantity: int = 100) -> dict:
    return message("U", order_reference=old, new_order_reference=new, price=price(level), quantity=quantity)


# -- cycles --------------------------------------------------------------------------------------------

LATENCY = {**dict.fromkeys("AFECXDPH", 8), "U": 9}


def test_latency_is_the_same_for_all_messages_of_a_type_on_an_idle_book():
    card, book = BookCard(PARAMETERS), PlainBook(PARAMETERS)
    seed = random.Random(1)
    messages = flow(seed, book, 600, **CALM)
    answers = check(card, book, messages, gap=lambda: 60)
    found: dict[str, set[int]] = {}
    for each, answer in zip(messages, answers, strict=True):
        found.setdefault(chr(each["type"]), set()).add(answer.given - answer.taken)
    assert found == {code: {cycles} for code, cycles in LATENCY.items()}


def test_a_message_is_taken_in_every_cycle_and_a_replace_in_two():
    card, book = BookCard(PARAMETERS), PlainBook(PARAMETERS)
    messages = [add(n, n & 1, 60 + n % 4) for n in range(40)]
    messages += [message("X", order_reference=n, quantity=10) for n in range(40)]
    messages += [replace(n, 100 + n, 60 + n % 4) for n in range(30)]
    messages += [delete(100 + n) for n in range(30)]
    answers = check(card, book, messages)
    taken, given = [answer.taken for answer in answers], [answer.given for answer in answers]
    steps = [1 + (chr(each["type"]) == "U") for each in messages]
    assert [b - a for a, b in pairwise(taken)] == steps[:-1]
    assert [b - a for a, b in pairwise(given)] == steps[1:]


def test_a_book_that_is_not_heard_takes_no_more_than_it_can_hold():
    card, book = BookCard(PARAMETERS), PlainBook(PARAMETERS)
    held = iter([0] * 200)
    messages = [each for n in range(20) for each in (add(n, 0, 60 + n), replace(n, 100 + n, 50))]
    answers = check(card, book, messages, ready=lambda: next(held, 1))
    inside = [answer for answer in answers if answer.taken < answers[0].given + 150]
    assert 8 <= len(inside) <= 16


# -- neighbours ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(8))
def test_neighbours_about_the_same_order_level_and_symbol(number):
    seed = random.Random(number)
    card, book = BookCard(PARAMETERS), PlainBook(PARAMETERS)
    for sizes in ({"levels": 4, "references": 8}, {"levels": 20, "references": 30, "faults": 0.02}, CALM):
        check(
            card,
            book,
            flow(seed, book, 1500, **sizes),
            gap=random_gap(seed, seed.choice((0, 4, 30))),
            ready=(lambda: 1) if number & 1 else lambda: seed.random() < 0.8,
        )


def test_chains_of_replaces_and_orders_that_come_and_go():
    card, book = BookCard(PARAMETERS), PlainBook(PARAMETERS)
    seed = random.Random(3)
    messages = [add(1, 0, 60)]
    for n in range(1, 200):  # each replaces what the one before it made, some of them the same reference
        messages.append(replace(n, n + 1, seed.choice((59, 60, 60, 61))))
        if seed.random() < 0.2:
            messages.append(replace(n + 1, n + 1, 60))
    messages.append(delete(200))
    for n in range(200):  # into the places that have just become free
        messages += [add(n << 4, 1, 70), delete(n << 4), add(n + 1 << 4, 1, 70), delete(n + 1 << 4)]
    check(card, book, messages)
    assert not book.orders


def test_a_table_that_stays_full_has_room_for_the_next_one():
    parameters = Parameters(symbols=1, levels=64, orders=512, locates=64)
    card, book = BookCard(parameters), PlainBook(parameters)
    seed = random.Random(4)
    alive = [seed.getrandbits(64) for _ in range(512)]
    check(card, book, [add(each, each & 1, each >> 1 & 63) for each in alive])
    messages = []
    for _ in range(4000):
        gone = alive.pop(seed.randrange(512))
        alive.append(seed.getrandbits(64))
        messages += [delete(gone), add(alive[-1], alive[-1] & 1, alive[-1] >> 1 & 63)]
        if seed.random() < 0.1:
            messages.append(add(seed.getrandbits(64), 0, 5))  # one too many
    check(card, book, messages)
    assert len(book.orders) == 512


# -- best levels and ladder ------------------------------------------------------------------------------


@pytest.mark.parametrize("gap", [0, 3, 40])
def test_levels_emptied_one_after_another(gap):
    """Sweeps through both sides, with snapshots of what is left."""
    card, book = BookCard(PARAMETERS), PlainBook(PARAMETERS)
    seed = random.Random(gap)
    for turn in range(4):
        levels = [*((0, n) for n in range(0, 64, 1 + turn)), *((1, n) for n in range(64, 128, 1 + turn))]
        seed.shuffle(levels)
        levels = levels[:60]
        adds = {seed.getrandbits(64): each for each in levels}
        check(card, book, [add(reference, *each) for reference, each in adds.items()])
        best_first = sorted(adds, key=lambda each: -adds[each][1] if adds[each][0] == Side.BUY else adds[each][1])
        # Half of it in this order; the other half with orders that come back to the best levels.
        check(card, book, [delete(each) for each in best_first[:30]], gap=lambda: gap)
        snapshot(card, book, 0)
        messages = []
        for n, each in enumerate(best_first[30:]):
            again, once_more = seed.getrandbits(64), seed.getrandbits(64)
            messages += [delete(each), add(again, *adds[each]), replace(again, once_more, adds[each][1])]
            messages.append(message("E", order_reference=once_more, quantity=100, match_number=n))
        check(card, book, messages, gap=lambda: gap)
        assert not book.orders


def snapshot(card: BookCard, book: PlainBook, symbol: int) -> None:
    """A snapshot has the levels of both sides, best first."""
    (*levels, last) = card.run([command_bits(command(Opcode.SNAPSHOT, symbol, parts=1, depth=255))])
    names = ("side", "rank", "price", "quantity", "orders")
    found = [tuple(getattr(each.entry.level, name) for name in names) for each in levels]
    expected = []
    for side in (Side.BUY, Side.SELL):
        row = book.levels.get((symbol, side), {})
        for rank, at in enumerate(sorted(row, reverse=side == Side.BUY)):
            expected.append((side, rank, at, *row[at]))
    assert found == expected
    assert not last.entry.is_level


def test_after_a_reset_the_book_is_empty():
    parameters = Parameters(symbols=2, levels=64, orders=64, locates=64)
    card = BookCard(parameters)
    for _ in range(3):
        book, seed = PlainBook(parameters), random.Random(7)
        check(card, book, flow(seed, book, 500, levels=20, references=30))
        snapshot(card, book, 0)
        card.model["rst"].value = 1
        card.cycle()
        card.model["rst"].value = 0
        card.model.settle()
        card.map()


# -- mutations -------------------------------------------------------------------------------------------


def run_all(*numbers: int) -> None:
    for number in numbers:
        seed = random.Random(number)
        card, book = BookCard(PARAMETERS), PlainBook(PARAMETERS)
        for sizes in ({"levels": 4, "references": 8}, CALM):
            check(card, book, flow(seed, book, 1500, **sizes), gap=random_gap(seed, 6))


def test_a_table_that_does_not_know_the_order_before_is_found_out(monkeypatch):
    compare = OrderTable.same
    monkeypatch.setattr(OrderTable, "same", lambda *given: Cat(Const(0), compare(*given)[1:]))
    with pytest.raises(AssertionError, match="message"):
        run_all(0)


def test_a_search_that_is_never_in_vain_is_found_out(monkeypatch):
    """What changed behind the levels of a row, while the ladder was searched, is not looked at."""
    monkeypatch.setattr(Refill, "in_vain", lambda self, *_: Const(0))
    with pytest.raises(AssertionError):
        run_all(*range(4))
