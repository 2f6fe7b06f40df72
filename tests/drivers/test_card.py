"""The card's driver: it knows what it talks to, and notices what it was not told."""

import pytest

from drivers import registers
from drivers.card import CardDevice, UnknownCardError
from drivers.settings import Feed, SymbolSetup
from tests.drivers.engine_card import EngineCard
from wire.counters import NUMBER


@pytest.mark.parametrize(
    ("register", "value", "message"),
    [
        (registers.IDENTIFICATION, 0x58494C58, "identification is 0x58494C58, expected 0x4850494E"),
        (registers.VERSION, 2 << 16 | 3, "version is 2.3, expected 1.x"),
        (registers.COUNTERS, 12, "number of counters is 12, expected"),
        (registers.SLOTS, 4 << 8 | 8, "own orders per symbol and side is 8, expected 4"),
        (registers.SLOTS, 2 << 8 | 4, "packets held per feed port is 2, expected 4"),
        (registers.SYMBOLS, 0, "symbols is 0, expected 1 to 512"),
        (registers.LEVELS, 0, "levels is 0, expected at least 1"),
    ],
)
def test_a_card_that_is_not_understood_is_refused_and_let_go(register, value, message):
    transport = EngineCard()
    transport.registers[register.address] = value
    with pytest.raises(UnknownCardError, match=message):
        CardDevice(transport)
    assert transport.closed


def test_a_later_minor_version_is_understood():
    transport = EngineCard()
    transport.registers[registers.VERSION.address] = registers.VERSION.reset + 7
    with CardDevice(transport) as card:
        assert card.identify().version == (1, registers.VERSION["minor"].reset + 7)
        assert card.identify().build == "00c0ffee"


def test_lost_events_are_counted_and_made_good_by_a_snapshot():
    transport = EngineCard()
    with CardDevice(transport) as card:
        card.configure_symbol(1, SymbolSetup(stock="A", stock_locate=3, base_price=0, tick=100))
        transport.lose = {1, 2}
        card.heartbeat(at=5)
        card.heartbeat()
        assert card.events_lost == 0  # nobody can know yet
        batch = card.heartbeat()
        assert (batch.events_lost, card.events_lost) == (2, 2)
        assert batch.recovered is not None
        assert batch.recovered.positions[1].position == 0
        assert card.heartbeat().events_lost == 0


def test_a_card_that_has_been_running_is_not_short_of_events():
    transport = EngineCard()
    with CardDevice(transport) as card:
        card.configure_feed(Feed())
    transport.registers[registers.EVENT_SEQUENCE.address] = 1
    with CardDevice(transport) as card:
        assert card.heartbeat(at=9).events_lost == 0


def test_counters_go_on_where_32_bits_end():
    transport = EngineCard()
    number = NUMBER["messages"]
    with CardDevice(transport) as card:
        for value in (5, 0xFFFF_FFFF, (1 << 32) + 3, 3 << 31):
            transport.engine.counters[number] = value
            assert card.counters()["messages"] == value


def test_emergency_kill_is_a_register():
    transport = EngineCard()
    with CardDevice(transport) as card:
        card.emergency_kill()
        assert transport.registers[registers.CONTROL.address] == 1
        card.emergency_kill(False)
        assert transport.registers[registers.CONTROL.address] == 0
        assert card.status().keys() == {each.name for each in registers.STATUS.fields}
