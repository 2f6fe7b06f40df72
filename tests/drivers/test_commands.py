"""Settings become commands that the device takes, and values that it would not take are named."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import commands
from drivers.settings import Feed, GlobalLimits, Limits, Quoter, SymbolSetup, Taker, in_ticks, price, ticks
from wire.errors import FieldError
from wire.records import COMMANDS, NO_SYMBOL, KillScope, Opcode, OuchVersion, Side, SnapshotPart

SETUP = SymbolSetup(stock="AMZN", stock_locate=1, base_price=2_000_000, tick=100)
LIMITS = Limits(
    max_quantity=1, max_position=2, max_notional=3, loss_limit=4, collar=5, max_open_orders=6,
    locate_quantity=7, rate_interval=8, rate_burst=9, duplicate_window=10, max_repeats=11,
)  # fmt: skip


def fields(data):
    return COMMANDS[Opcode(data[0])].unpack(data)


def test_the_ladder_follows_from_the_tick():
    got = fields(commands.set_symbol(3, SETUP, 4096, tag=9))
    assert (got["symbol"], got["tag"], got["stock"], got["enabled"]) == (3, 9, "AMZN", 1)
    assert (got["span"], got["tick_reciprocal"]) == (409_600, (1 << 32) // 100 + 1)


@given(st.integers(2, 1023), st.integers(0, (1 << 32) - 1))
def test_the_reciprocal_divides_exactly_within_the_span(tick, offset):
    got = fields(commands.set_symbol(0, SymbolSetup(stock="A", stock_locate=1, base_price=0, tick=tick), 4096))
    distance = offset % got["span"]
    assert distance * got["tick_reciprocal"] >> 32 == distance // tick


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"tick": 0}, "tick"),
        ({"tick": 1}, "tick"),
        ({"tick": 1024}, "tick"),
        ({"base_price": -1}, "base_price"),
        ({"base_price": (1 << 32) - 409_600}, "base_price"),
        ({"stock_locate": 0}, "stock_locate"),
        ({"stock_locate": 16384}, "stock_locate"),
        ({"trading_state": "X"}, "trading_state"),
        ({"stock": "TOOLONGNAME"}, "stock"),
    ],
)
def test_what_the_device_would_refuse_is_named(change, field):
    values = {"stock": "AMZN", "stock_locate": 1, "base_price": 0, "tick": 100} | change
    with pytest.raises(FieldError) as caught:
        commands.set_symbol(0, SymbolSetup(**values), 4096)
    assert caught.value.field == field
    assert caught.value.value == change[field]
    assert field in str(caught.value)


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: commands.set_limits(0, Limits(**{**as_dict(LIMITS), "max_position": 1 << 32})), "max_position"),
        (lambda: commands.set_limits(0, Limits(**{**as_dict(LIMITS), "collar": -1})), "collar"),
        (lambda: commands.set_quoter(0, Quoter(half_spread=1, size=1, skew=1 << 31)), "skew"),
        (lambda: commands.set_global(GlobalLimits(max_gross=0, credit=0, loss_limit=0, token_prefix="A")), "token_prefix"),
        (lambda: commands.set_feed(Feed(start_sequence=1 << 63)), "start_sequence"),
        (lambda: commands.set_feed(Feed(port_a=65536)), "port_a"),
        (lambda: commands.set_trading(0, reg_sho="3"), "reg_sho"),
        (lambda: commands.new_order(0, Side.NONE, 1, 1), "side"),
        (lambda: commands.kill(strategy=16), "strategy"),
        (lambda: commands.kill(symbol=1, strategy=1), "scope"),
        (lambda: commands.login("user", "password", sequence=-1), "sequence"),
        (lambda: commands.login("toolong", "password"), "username"),
    ],
)  # fmt: skip
def test_every_builder_names_the_field_that_is_wrong(make, field):
    with pytest.raises(FieldError) as caught:
        make()
    assert caught.value.field == field


QUOTER = Quoter(
    half_spread=1, size=2, decay=31, min_life=6, ofi_weight=-7, trade_weight=-(2**31), variance_weight=2**32 - 1, enabled=False
)
TAKER = Taker(value=2**32 - 1, edge=3, size=4, max_age=2**63, enabled=True)


def as_dict(settings):
    return {name: getattr(settings, name) for name in settings.__dataclass_fields__}


@pytest.mark.parametrize(
    ("data", "settings"),
    [
        (commands.set_limits(5, LIMITS), LIMITS),
        (commands.set_quoter(5, Quoter(half_spread=1, size=2, offset=-3, skew=-4, min_change=5)),
         Quoter(half_spread=1, size=2, offset=-3, skew=-4, min_change=5)),
        (commands.set_quoter(5, QUOTER), QUOTER),
        (commands.set_taker(5, TAKER), TAKER),
    ],
)  # fmt: skip
def test_settings_arrive_whole(data, settings):
    got = fields(data)
    assert got["symbol"] == 5
    assert {name: got[name] for name in as_dict(settings)} == as_dict(settings)


def test_scopes_of_kill():
    assert fields(commands.kill())["scope"] == KillScope.GLOBAL
    assert fields(commands.kill(symbol=4)) | {"reserved": 0} == {
        "opcode": Opcode.KILL, "flags": 0, "symbol": 4, "tag": 0, "scope": KillScope.SYMBOL, "strategy": 0, "reserved": 0,
    }  # fmt: skip
    got = fields(commands.clear_kill(strategy=15))
    assert (got["opcode"], got["scope"], got["strategy"]) == (Opcode.CLEAR_KILL, KillScope.STRATEGY, 15)


def test_trading_leaves_what_is_not_named():
    got = fields(commands.set_trading(2, reg_sho="1"))
    assert (got["enabled"], got["trading_state"], got["reg_sho"], got["market_open"]) == (2, "", "1", 2)
    got = fields(commands.set_trading(market_open=True))
    assert (got["symbol"], got["market_open"]) == (NO_SYMBOL, 1)


def test_login_right_justifies_the_sequence():
    data = commands.login("user", "password", sequence=42)
    at = COMMANDS[Opcode.LOGIN].offset("sequence")
    assert data[at : at + 20] == b"42".rjust(20)


@pytest.mark.parametrize("ouch", OuchVersion)
def test_login_says_what_is_spoken_behind_all_else(ouch):
    data = commands.login("user", "password", ouch=ouch)
    assert fields(data)["ouch"] == data[8 + 6 + 10 + 10 + 20] == ouch
    assert fields(commands.login("user", "password"))["ouch"] == OuchVersion.V4_2


def test_snapshot_parts():
    got = fields(commands.snapshot(1, SnapshotPart.BOOK | SnapshotPart.ORDERS, depth=3))
    assert (got["parts"], got["depth"]) == (5, 3)


@given(st.integers(-(1 << 31), (1 << 31) - 1))
def test_fixed_point_goes_there_and_back(fixed):
    assert ticks(in_ticks(fixed)) == fixed


def test_fixed_point_rounds_to_the_nearest():
    assert ticks("0.5") == ticks(0.5) == ticks(Decimal("0.5")) == 32768
    assert ticks(1 / 3) == 21845
    assert ticks(-1.25) == -81920
    for wrong in (float("inf"), float("nan")):
        with pytest.raises(ValueError, match="finite"):
            ticks(wrong)


def test_prices_are_exact():
    assert price("223.46") == price(223.46) == price(Decimal("223.4600")) == 2_234_600
    for wrong in ("0.00001", 1 / 3, "nan"):
        with pytest.raises(ValueError, match="no whole number"):
            price(wrong)
