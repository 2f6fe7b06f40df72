"""A device set to what another one was set to behaves the same: limits, quoters, kills; a taker's value is too old."""

from control.wired.memory import Memory
from drivers import commands
from drivers.settings import GlobalLimits, Taker
from tests.drivers.test_commands import LIMITS, QUOTER
from wire.records import Opcode


def test_the_last_setting_of_each_kind_and_symbol_is_kept() -> None:
    memory = Memory()
    first, last = commands.set_limits(0, LIMITS, tag=1), commands.set_limits(0, LIMITS, tag=2)
    other, quoter = commands.set_limits(1, LIMITS, tag=3), commands.set_quoter(0, QUOTER)
    general = commands.set_global(GlobalLimits(max_gross=1, credit=2, loss_limit=3, token_prefix="HP", firm="F"))
    taker = commands.set_taker(0, Taker(value=1, edge=1, size=1, max_age=5))
    for data in (first, other, quoter, general, taker, last, commands.heartbeat(), bytes(64)):
        memory.note(data)
    assert sorted(memory.settings) == sorted([last, other, quoter, general])
    assert all(data[0] != Opcode.SET_TAKER for data in memory.settings)


def test_kills_that_stand_are_kept_and_cleared_ones_are_not() -> None:
    memory = Memory()
    made = {
        "all": commands.kill(),
        "quoter": commands.kill(strategy=0),
        "taker": commands.kill(strategy=1),
        "stock": commands.kill(symbol=3),
    }
    for data in (*made.values(), commands.clear_kill(strategy=0), commands.clear_kill(symbol=4)):
        memory.note(data)
    assert memory.kills(mapped=False) == [made["all"], made["taker"]]
    assert memory.kills(mapped=True) == [made["stock"]]
    memory.note(commands.clear_kill())
    assert memory.kills(mapped=False) == [made["taker"]]


def test_what_is_enabled_is_what_was_said_last() -> None:
    memory = Memory()
    for data in (
        commands.set_trading(2, enabled=True),
        commands.set_trading(1, enabled=True),
        commands.set_trading(2, enabled=False),
        commands.set_trading(1, trading_state="H"),
        commands.set_trading(market_open=True),
    ):
        memory.note(data)
    assert memory.enabled == {2: False, 1: True}
