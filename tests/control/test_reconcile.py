"""Our executions against the drop copy: every difference is found, named and stops its stock, and nothing else does."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.oms.reconcile import Break, BreakKind, Fill, Reconciler
from wire.records import Side

FILL = Fill(1, 77, "HP00000000000001", "HPNA", Side.BUY, 100, 1_000_000)
STOCKS = ("HPNA", "HPNB", "HPNC")


def reconciler() -> tuple[Reconciler, list[Break], list[str]]:
    alarms: list[Break] = []
    stopped: list[str] = []
    return Reconciler(alarms.append, stopped.append, patience_ns=1000), alarms, stopped


def fills(count: int) -> list[Fill]:
    return [
        Fill(1 + n % 2, n, f"ORDER{n // 3}", STOCKS[n % 3], Side(n % 2), 10 + n, 1_000_000 + n, bust=False) for n in range(count)
    ]


@settings(max_examples=150, deadline=None)
@given(data=st.data(), count=st.integers(0, 30))
def test_what_both_sides_tell_in_any_order_and_more_than_once_is_no_break(data, count: int) -> None:
    made, alarms, stopped = reconciler()
    told = [(fill, ours) for fill in fills(count) for ours in (True, False)]
    again = data.draw(st.lists(st.sampled_from(told), max_size=10)) if told else []
    for fill, ours in data.draw(st.permutations(told + again)):
        (made.ours if ours else made.theirs)(fill, 0)
    made.tick(10**9)
    assert (alarms, stopped, made.matched, made.waiting) == ([], [], count, 0)
    for stock in STOCKS:
        shares = sum(fill.shares for fill in fills(count) if fill.stock == stock)
        assert made.position(stock) == (shares, shares)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), count=st.integers(1, 30))
def test_every_difference_is_found_once_and_only_its_stock_is_stopped(data, count: int) -> None:
    made, alarms, stopped = reconciler()
    all_fills = fills(count)
    wrong = data.draw(st.dictionaries(st.integers(0, count - 1), st.sampled_from(("ours", "theirs", "differs")), max_size=5))
    told = []
    for n, fill in enumerate(all_fills):
        how = wrong.get(n)
        if how != "theirs":
            told.append((fill, True))
        if how != "ours":
            told.append((replace(fill, price=fill.price + 1) if how == "differs" else fill, False))
    for fill, ours in data.draw(st.permutations(told)):
        (made.ours if ours else made.theirs)(fill, 0)
    made.tick(999)
    assert {each.kind for each in alarms} <= {BreakKind.DIFFERENT}
    made.tick(1000)
    made.tick(5000)
    kinds = {"ours": BreakKind.ONLY_OURS, "theirs": BreakKind.ONLY_THEIRS, "differs": BreakKind.DIFFERENT}
    found = sorted((each.order, each.stock, each.kind) for each in alarms)
    assert found == sorted((all_fills[n].order, all_fills[n].stock, kinds[how]) for n, how in wrong.items())
    assert set(stopped) == {all_fills[n].stock for n in wrong}


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("quantity", 99, "quantity 100 here, 99 there"),
        ("price", 1, "price 1000000 here, 1 there"),
        ("order", "X", "order HP00000000000001 here, X there"),
        ("side", Side.SELL, "side 0 here, 1 there"),
    ],
)
def test_a_break_says_what_differs(field: str, value, text: str) -> None:
    made, alarms, _ = reconciler()
    made.theirs(replace(FILL, **{field: value}), 0)
    made.ours(FILL, 1)
    assert str(alarms[0]).startswith("HPNA, order HP00000000000001: execution 77 of venue 1: the exchange tells it differently: ")
    assert text in str(alarms[0])


def test_a_bust_is_reconciled_like_an_execution() -> None:
    made, alarms, stopped = reconciler()
    for told in (made.ours, made.theirs):
        told(FILL, 0)
    made.theirs(replace(FILL, bust=True), 0)
    assert made.position("HPNA") == (100, 0)
    made.tick(1000)
    assert str(alarms[0]) == "HPNA, order HP00000000000001: bust of execution 77 of venue 1: we do not know it"
    assert stopped == ["HPNA"]


def test_the_end_of_the_day_waits_for_nothing_and_compares_positions() -> None:
    made, alarms, _ = reconciler()
    made.ours(FILL, 0)
    found = made.close_day({"HPNA": 100, "HPNB": 5}, {"HPNB": 5, "HPNC": -1}, 1)
    assert found == alarms
    assert [str(each) for each in found] == [
        "HPNA, order HP00000000000001: execution 77 of venue 1: the exchange does not know it",
        "HPNA: the positions differ: 100 shares here, 0 there",
        "HPNC: the positions differ: 0 shares here, -1 there",
    ]
