"""Random command sequences for the core, drawn by Hypothesis, and what the core says about them in tokens."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from sim.exchange.matching.core import Core
from sim.exchange.matching.state import ALL_SHOWN, MARKET_PRICE, Command, Event, Reason, Reject
from tests.sim.exchange.plain_market import PlainMarket

BASE, TICK, LEVELS, LAST = 10_000, 100, 64, 13_200
PRICES = [BASE + i * TICK for i in range(26, 38)]
FLAGS = [0, 0, 0, 0, 1, 2, 2, 4, 8, 16]

price = st.one_of(st.sampled_from(PRICES), st.sampled_from(PRICES), st.sampled_from([MARKET_PRICE, BASE + 50, BASE, BASE + 6300]))
shares = st.integers(1, 60)
display = st.sampled_from([ALL_SHOWN, ALL_SHOWN, ALL_SHOWN, 0, 5, 20])
enter = st.tuples(
    st.just("enter"),
    st.integers(1, 3),
    st.integers(0, 2),
    st.integers(0, 1),
    price,
    st.one_of(shares, shares, shares, st.sampled_from([0, 1_000_000])),
    display,
    st.sampled_from(FLAGS),
    st.integers(0, 3),
)
which = st.integers(0, 1 << 16)
cancel = st.tuples(st.just("cancel"), which, st.sampled_from([0, 0, 0, 1, 10, 40]))
replace = st.tuples(st.just("replace"), which, price, shares, display, st.sampled_from(FLAGS))
resize = st.tuples(st.just("resize"), which, st.integers(1, 40))
state = st.tuples(st.just("state"), st.sampled_from("HPQTTT"))
bands = st.tuples(st.just("bands"), st.sampled_from([(0, 0), (0, 0), (PRICES[2], PRICES[8]), (PRICES[4], PRICES[6])]))
threshold = st.sampled_from([(0, 0), (0, 0), (0, 0), (200, 0), (100, 350), (1, 1)])
cross = st.tuples(st.just("cross"), st.sampled_from("OCH"), st.sampled_from([0, 0, 13_000]), threshold)
imbalance = st.tuples(st.just("imbalance"), st.sampled_from("OCH"), st.sampled_from([0, 13_000]), threshold)
sweep = st.tuples(st.just("cancel_all"), st.integers(-1, 3))
step = st.one_of(enter, enter, enter, enter, enter, enter, cancel, replace, resize, state, bands, cross, imbalance, sweep)
steps = st.lists(step, max_size=60)


class Pair:
    """The core and the model, given the same commands. Events are read in tokens, for references are the core's own."""

    def __init__(self, core: Core | None = None, state_: str = "T") -> None:
        self.core = core or Core(1, LEVELS, 256, events=64)
        self.core.open_symbol(0, BASE, TICK, LAST, ord(state_))
        self.model = PlainMarket(BASE, TICK, LEVELS, LAST, state_)
        self.token = 0
        self.live: dict[int, tuple[int, int]] = {}
        """Every order that ever was accepted: its reference and owner by token."""
        self.terms: dict[int, tuple[int, int, int]] = {}
        self.events: list[Any] = []

    def do(self, action: tuple[Any, ...]) -> None:
        kind, *rest = action
        if kind == "enter":
            owner, firm, side, price_, shares_, display_, flags, prevention = rest
            self.token += 1
            token = self.token
            self.run(
                Command.ENTER, side=side, price=price_, shares=shares_, display=display_, flags=flags,
                firm=firm, owner=owner, token=token, prevention=prevention,
            )  # fmt: skip
            self.model.enter(token, owner, firm, side, price_, shares_, display_, flags, prevention)
            self.live[token] = self.core.last_reference, owner
            self.terms[token] = price_, display_, flags
        elif kind in ("cancel", "replace", "resize"):
            if not self.live:
                return
            # Mostly one that is there, sometimes one that is not.
            there = [o.token for o in self.model.orders]
            known = there if there and rest[0] % 8 else list(self.live)
            token = known[rest[0] % len(known)]
            reference, owner = self.live[token]
            # An order that shrank in place kept its reference: to the core, both names are one order.
            token = max(other for other, (theirs, _) in self.live.items() if theirs == reference)
            if rest[0] % 16 == 15:
                owner += 1
            if kind == "cancel":
                self.run(Command.CANCEL, reference=reference, owner=owner, shares=rest[1], token=token)
                self.model.cancel(token, owner, rest[1])
                return
            if kind == "replace":
                price_, shares_, display_, flags = rest[1:]
            else:
                (price_, display_, flags), shares_ = self.terms[token], rest[1]
            self.token += 1
            new = self.token
            self.run(
                Command.REPLACE, reference=reference, owner=owner, price=price_, shares=shares_, display=display_,
                flags=flags, token=new,
            )  # fmt: skip
            self.model.replace(token, owner, new, price_, shares_, display_, flags)
            if self.core.last_reference:
                self.live[new] = self.core.last_reference, owner
                self.terms[new] = price_, display_, flags
        elif kind == "state":
            self.run(Command.STATE, value=ord(rest[0]))
            self.model.state = rest[0]
        elif kind == "bands":
            lower, upper = rest[0]
            self.run(Command.BANDS, price=lower, value=upper)
            self.model.set_bands(lower, upper)
        elif kind == "cross":
            relative, least = rest[2]
            self.run(Command.CROSS, value=ord(rest[0]), price=rest[1], shares=relative, display=least)
            self.model.cross(*rest)
        elif kind == "imbalance":
            relative, least = rest[2]
            self.run(Command.IMBALANCE, value=ord(rest[0]), price=rest[1], shares=relative, display=least)
            near, _, _ = self.model.chosen(*rest)
            far, _, _ = self.model.chosen(*rest, book=False)
            reference, paired, over = self.model.indicated(rest[0])
            row = self.events[-1][-1].tolist()
            assert (row[6], row[12]) == (near, far)
            assert (row[11], row[7], row[8]) == (reference, paired, abs(over))
            assert row[3] == (-1 if over == 0 else int(over < 0))
        elif kind == "cancel_all":
            self.run(Command.CANCEL_ALL, symbol=-1, owner=rest[0])
            self.model.cancel_all(rest[0])

    def run(self, kind: Command, **fields: int) -> None:
        self.events.append(self.core.one(kind, **fields))

    def said(self) -> list[tuple[Any, ...]]:
        """What the core says has happened since the last call, as the model's log."""
        out: list[tuple[Any, ...]] = []
        for events in self.events:
            told: list[tuple[Any, ...]] = []
            for row in events.tolist():
                kind, price_, shares_, token, detail = Event(row[0]), row[6], row[7], row[10], row[15]
                if kind is Event.ACCEPTED:
                    told.append(("accepted", token, shares_))
                elif kind is Event.REJECTED:
                    told.append(("rejected", token, Reject(detail).name))
                elif kind is Event.EXECUTED:
                    told.append(("executed", token, row[14], price_, shares_))
                elif kind is Event.CANCELLED:
                    told.append(("cancelled", token, shares_, Reason(detail).name))
                elif kind is Event.REPLACED:
                    told.append(("replaced", self.by_reference(row[12], token), token, shares_))
                elif kind is Event.CROSSED:
                    told.append(("crossed", token, price_, shares_))
                elif kind is Event.CROSS:
                    told.append(("cross", chr(detail), price_, shares_))
            out += told
        self.events.clear()
        return out

    def by_reference(self, reference: int, new: int) -> int:
        return max(t for t, (r, _) in self.live.items() if r == reference and t < new)

    def agree(self) -> None:
        """Everything that can be seen is the same."""
        ours, theirs = self.said(), self.model.log
        assert _sorted_crosses(ours) == _sorted_crosses(theirs)
        self.model.log = []
        for side in (0, 1):
            queue = [(o.price, o.open, o.displayed) for o in self.core.queue(0, side)]
            assert queue == [(o.price, o.open, o.displayed) for o in self.model.book(side)]
            assert self.core.depth(0, side) == self.model.depth(side)
        counters = self.core.counters
        assert counters["shares_open"] == sum(o.open for o in self.model.orders)
        assert counters["orders_open"] == len(self.model.orders)
        assert counters["shares_executed"] == self.model.executed
        assert counters["shares_entered"] == self.model.entered
        assert counters["shares_entered"] == sum(counters[f"shares_{n}"] for n in ("executed", "cancelled", "open"))


def _sorted_crosses(log: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The cross is told after its executions by one and before them by the other, and mass cancels by slot."""
    crosses = [entry for entry in log if entry[0] == "cross"]
    system = sorted(entry for entry in log if entry[0] == "cancelled" and entry[3] == "SYSTEM")
    rest = [entry for entry in log if entry not in crosses and entry not in system]
    return crosses + system + rest
