"""What the device's events say about the whole: session, market, feed, kills."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wire.records import NO_SYMBOL, CommandError, EventType, Opcode, SessionState, TrustCause


@dataclass
class TradingState:
    """What the feed says about one stock."""

    trading_state: str = "T"
    operational_halt: bool = False
    reg_sho: str = "0"


@dataclass
class Watch:
    """What the device's events say about the whole."""

    session: SessionState = SessionState.DOWN
    market_open: bool = False
    feed_whole: bool = True
    killed: bool = False
    killed_strategies: int = 0
    killed_symbols: set[int] = field(default_factory=set)
    kill_reasons: dict[str, str] = field(default_factory=dict)
    trading: dict[int, TradingState] = field(default_factory=dict)

    _KINDS = tuple(
        int(kind)
        for kind in (
            EventType.SESSION,
            EventType.KILL,
            EventType.TRADING_STATE,
            EventType.TRUST_LOST,
            EventType.TRUST_REGAINED,
            EventType.COMMAND,
        )
    )

    def see(self, events: NDArray[np.void]) -> None:
        """Take in a batch of events."""
        for event in events[np.isin(events["type"], self._KINDS)]:
            kind, symbol, info = int(event["type"]), int(event["symbol"]), int(event["info"])
            if kind == EventType.SESSION:
                self.session = SessionState(info)
            elif kind == EventType.KILL:
                self._kill(symbol, info)
            elif kind == EventType.TRADING_STATE and symbol == NO_SYMBOL:
                self.market_open = info == ord("Q")
            elif kind == EventType.TRADING_STATE:
                self.trading[symbol] = TradingState(chr(info & 0xFF), bool(info >> 8 & 0xFF), chr(info >> 16 & 0xFF))
            elif kind == EventType.COMMAND:
                if event["value"] == Opcode.SET_FEED and info == CommandError.NONE:
                    self.feed_whole = True  # whatever was missing is not waited for any more
            elif symbol == NO_SYMBOL and info == TrustCause.GAP:
                self.feed_whole = kind == EventType.TRUST_REGAINED
            elif symbol == NO_SYMBOL and info == TrustCause.RESUMED:
                self.feed_whole = True

    def _kill(self, symbol: int, info: int) -> None:
        self.killed, self.killed_strategies = bool(info & 1), info >> 16
        if symbol != NO_SYMBOL:
            (self.killed_symbols.add if info >> 1 & 1 else self.killed_symbols.discard)(symbol)
