"""The commands that set up a device which knows nothing, for the session of an opening."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from control.configuration import Configuration
from control.wired.books import PRIVATE_SESSION
from control.wired.memory import Memory
from control.wired.opening import Holding, Opening
from drivers import commands, settings
from wire.records import SET_GLOBAL, Opcode


def setting_up(
    configuration: Configuration, opening: Opening, held: Mapping[str, Holding], memory: Memory
) -> list[bytes]:
    """Feed, limits, symbols, quoters and positions, then what was set and killed since.

    The feed is the host's private session: nothing of the exchange's comes in, and no symbol is enabled, before there are books.
    Of the day's credit the device is given what the session's executions so far have left.

    Raises
    ------
    ValueError
        A value that does not fit the device.
    """
    general, levels, spent = configuration.portfolio, configuration.device.levels, opening.orders.view.executed_notional
    made = [
        commands.set_feed(settings.Feed(start_sequence=1, session=PRIVATE_SESSION)),
        commands.set_global(general.settings(general.firm, general.token_prefix)),
        *memory.kills(mapped=False),
    ]
    for symbol, setup in opening.setups.items():
        own = configuration.symbol(setup.stock)
        made += [
            commands.set_symbol(symbol, replace(setup, enabled=False, trading_state="H"), levels),
            commands.set_limits(symbol, own.limits.settings()),
            commands.set_quoter(symbol, own.quoter.settings(setup.tick * settings.PRICE_UNIT)),
        ]
        if setup.stock in held:
            at = held[setup.stock]
            made.append(commands.set_position(symbol, position=at.shares, cash=at.cash, mark=at.mark))
    return [with_credit_left(each, spent) for each in (*made, *memory.settings, *memory.kills(mapped=True))]


def with_credit_left(data: bytes, spent: int) -> bytes:
    """A SET_GLOBAL with what is left of its credit, for a device that does not know what was spent (1e-4 x shares); any other
    command as it is.
    """
    if data[0] != Opcode.SET_GLOBAL:
        return data
    fields = SET_GLOBAL.unpack(data)
    return SET_GLOBAL.pack(fields | {"credit": max(fields["credit"] - spent, 0)})
