"""What a device was set to since it was configured, so that another one can be set to the same."""

from __future__ import annotations

from typing import Any

from wire.records import COMMANDS, NO_SYMBOL, KillScope, Opcode

_KEPT = (Opcode.SET_GLOBAL, Opcode.SET_LIMITS, Opcode.SET_QUOTER)
"""Of each, the last one per symbol is how the device stands. A taker is not among them: its value has an age."""


class Memory:
    """The settings that commands made.

    Attributes
    ----------
    enabled : dict
        By symbol, where a command said so.
    """

    def __init__(self) -> None:
        self.enabled: dict[int, bool] = {}
        self._settings: dict[tuple[Opcode, int], bytes] = {}
        self._kills: dict[tuple[int, int], bytes] = {}

    def note(self, data: bytes) -> None:
        """Keep what a command that was done has set."""
        try:
            opcode = Opcode(data[0])
        except ValueError:
            return
        fields: dict[str, Any] = COMMANDS[opcode].unpack(data)
        if opcode in _KEPT:
            self._settings[opcode, fields["symbol"]] = data
        elif opcode is Opcode.SET_TRADING and fields["symbol"] != NO_SYMBOL and fields["enabled"] <= 1:
            self.enabled[fields["symbol"]] = bool(fields["enabled"])
        elif opcode in (Opcode.KILL, Opcode.CLEAR_KILL):
            which = {KillScope.SYMBOL: fields["symbol"], KillScope.STRATEGY: fields["strategy"]}
            key = fields["scope"], which.get(fields["scope"], 0)
            if opcode is Opcode.KILL:
                self._kills[key] = data
            else:
                self._kills.pop(key, None)

    @property
    def settings(self) -> list[bytes]:
        """The commands that set a configured device to the same, but for kills and what is enabled."""
        return list(self._settings.values())

    def kills(self, *, mapped: bool) -> list[bytes]:
        """The commands of kills that stand: of symbols, which have to be mapped before, or of everything else."""
        return [data for (scope, _), data in self._kills.items() if (scope == KillScope.SYMBOL) == mapped]
