"""The proofs, and the mutations that each must catch."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from amaranth.lib import wiring

from hw.formal.arbiter import OnceAndInOrder
from hw.formal.exposure import SumsAreOfTheSlots
from hw.formal.frames import FramesStayWhole
from hw.formal.kill import KillStopsOrders
from hw.formal.limits import LimitsAreOneVersion
from hw.formal.mac import FramesEnd
from hw.formal.order_table import StoredIsFound
from hw.formal.position import GateSeesTheOrders, OrdersAreAsTold, PositionStaysWithinLimit, SumsFollow
from hw.formal.prover import Verdict, check
from hw.formal.queues import PassesInOrder
from hw.formal.replay import KeptUntilAcknowledged
from hw.formal.rings import CommandIndices, EventIndices, WritersKeepToTheBus
from hw.formal.risk import OrdersPassEveryCheck
from hw.formal.session import OrdersNeedALogin
from hw.formal.tcp import NewDataInWindow


@dataclass(frozen=True)
class Proof:
    """A property and how it is shown.

    Parameters
    ----------
    name : str
        The property in words.
    make : callable
        The component with its assertions; given the name of a mutation, the same but broken.
    mutations : tuple of str
        Each breaks the property.
    covers : str
        What is proved about what.
    mode, depth, unroll, registers
        As :func:`hw.formal.check` takes them.
    reach : int or None
        Cycles from power on in which every mutation is found out. None where that is further than the solver gets: then the
        same proof must fail.
    quick : bool
        Proof and mutations take a few seconds each: they are tests, too.
    """

    name: str
    make: Callable[..., wiring.Component]
    mutations: tuple[str, ...]
    covers: str
    mode: str = "prove"
    depth: int = 6
    reach: int | None = 8
    quick: bool = True
    unroll: bool = False
    registers: bool = False

    @property
    def how(self) -> dict:
        """What :func:`hw.formal.check` is told."""
        return {"mode": self.mode, "depth": self.depth, "unroll": self.unroll, "registers": self.registers}

    def check(self, mutation: str | None = None, **other) -> Verdict:
        """The verdict on the design, or on one with a mutation; ``other`` changes how it is shown."""
        return check(self.make(mutation), **{**self.how, "every": mutation is None, **other})

    def catches(self, mutation: str, **other) -> bool:
        """Whether the design with a mutation is found to be broken."""
        if self.reach is not None:
            return self.check(mutation, mode="bmc", depth=self.reach, **other).holds is False
        verdict = self.check(mutation, **other)
        return not verdict.holds and bool(verdict.failures())


UNBOUNDED = "all inputs free, unbounded (k-induction)"

PROOFS = (
    Proof(
        "kill asserted: no order leaves",
        KillStopsOrders,
        ("kill", "decision"),
        f"risk gate and release, {UNBOUNDED}",
    ),
    Proof(
        "no order leaves but one that passed every check, itself and as it was asked for",
        OrdersPassEveryCheck,
        OrdersPassEveryCheck.MUTATIONS,
        "risk gate and release against the table of the semantics, written apart but for the order in which sums of money and "
        f"the greater of two orders are compared; the product of price and quantity is any number; {UNBOUNDED}",
        depth=5,
        reach=5,
        quick=False,
        unroll=True,
    ),
    Proof(
        "limits are replaced as a whole: an order is judged by one version, the last",
        LimitsAreOneVersion,
        LimitsAreOneVersion.MUTATIONS,
        "the trader's memory of limits with two symbols and the risk gate; that nothing is stored while an order is under way is "
        f"assumed, as the trader handles one item at a time; the product is any number; {UNBOUNDED}",
        depth=5,
        reach=6,
        quick=False,
        unroll=True,
    ),
    Proof(
        "the worst-case position never exceeds its limit, whatever orders, fills, cancels and rejects there are",
        PositionStaysWithinLimit,
        PositionStaysWithinLimit.MUTATIONS,
        "the gate's check and what the trader makes of a slot and the position (hw.orders.changes), against an exchange that "
        f"keeps to its protocol; the symbol's other slots are numbers; rests on the four that follow; {UNBOUNDED}",
        depth=2,
        reach=None,
        quick=False,
    ),
    Proof(
        "own orders: a slot has its order as the exchange has told, and is free only when that can trade no more",
        OrdersAreAsTold,
        OrdersAreAsTold.MUTATIONS,
        f"hw.orders.changes and the gate, against an exchange that keeps to its protocol, {UNBOUNDED}",
        depth=4,
        reach=None,
        quick=False,
    ),
    Proof(
        "own orders: what the gate adds up is the true position and all that may still trade",
        GateSeesTheOrders,
        GateSeesTheOrders.MUTATIONS,
        f"risk gate and hw.orders.exposure.sums_without, with what the two before assert, {UNBOUNDED}",
        depth=4,
        reach=None,
        quick=False,
    ),
    Proof(
        "own orders: the sums that the gate gets are those of all slots in use",
        SumsAreOfTheSlots,
        SumsAreOfTheSlots.MUTATIONS,
        f"hw.orders.slots and hw.orders.exposure with two symbols, as the trader stores and asks, {UNBOUNDED}",
        depth=3,
        reach=None,
        quick=False,
        registers=True,
    ),
    Proof(
        "own orders: a sum changes by what its parts change by",
        SumsFollow,
        ("part",),
        "the arithmetic that the proofs of own orders take for granted, 40 bits",
        depth=1,
        reach=1,
    ),
    Proof(
        "a stored order is found until it is removed, and not after",
        StoredIsFound,
        StoredIsFound.MUTATIONS,
        "hw.book.order_table with 2 x 16 buckets, four references that share buckets, one of them followed, lookups and stores "
        "free, no second reset; the first 12 cycles, in which an order is stored, found, removed and looked for in the memory",
        mode="bmc",
        depth=12,
        reach=12,
        quick=False,
        unroll=True,
        registers=True,
    ),
    Proof(
        "frames of several streams leave whole, once, in order of priority",
        FramesStayWhole,
        ("last", "ready", "priority"),
        f"hw.net.local.arbiter with three inputs, {UNBOUNDED}",
        depth=4,
    ),
    Proof(
        "feeds: every sequence number once and in order, or a gap that is told",
        OnceAndInOrder,
        OnceAndInOrder.MUTATIONS,
        "hw.arbiter with packets, commands and time free, 64 bits wide; messages and buffers followed by one that is any; that a "
        f"port keeps a packet's buffer until it is given back is assumed; {UNBOUNDED}",
        mode="apart",
        depth=1,
        reach=None,
        quick=False,
        registers=True,
    ),
    Proof(
        "a frame that the receiver began is ended, once",
        FramesEnd,
        ("forgets", "endless"),
        "XGMII receiver with the smallest maximum, any characters, the first 16 cycles",
        mode="bmc",
        depth=16,
        reach=16,
    ),
    *(
        Proof(
            f"{name}: what goes in comes out, once and in its place",
            partial(PassesInOrder, what),
            ("full", "twice", "other"),
            f"{name}, {UNBOUNDED if mode == 'prove' else 'any sequence of the first 10 cycles'}",
            mode=mode,
            depth=depth,
        )
        for what, name, mode, depth in (
            ("register", "hw.streams.StreamRegister", "prove", 4),
            ("slice", "hw.host.register_slice.RegisterSlice", "prove", 4),
            ("queue", "hw.streams.StreamQueue of three places", "bmc", 10),
        )
    ),
    Proof(
        "event ring: no event is seen before it is there, none is overwritten before it is read",
        EventIndices,
        ("full", "early", "withdrawn", "page"),
        f"hw.host.dma.EventWriter, 2 events under way, indices of 6 bits, {UNBOUNDED}",
        depth=6,
        reach=30,
        quick=False,
    ),
    Proof(
        "command ring: no command is read before it is there, none is told done before it was given out",
        CommandIndices,
        ("bell", "withdrawn"),
        f"hw.host.dma.CommandFetcher, 2 commands under way, indices of 6 bits, {UNBOUNDED}",
        depth=3,
        reach=14,
        quick=False,
    ),
    Proof(
        "what the card offers on AXI stays until it is taken, no burst crosses 4 KiB",
        WritersKeepToTheBus,
        ("withdrawn", "free"),
        f"hw.host.write_arbiter with three writers that keep to the rules, {UNBOUNDED}",
        depth=3,
    ),
    Proof(
        "no order leaves on a connection without a login, the session ends with its connection",
        OrdersNeedALogin,
        ("end", "type"),
        f"hw.tcp.session_link, {UNBOUNDED}",
        depth=3,
    ),
    Proof(
        "TCP: a packet is kept until it is acknowledged, and sent again as it was, in order, with none left out",
        KeptUntilAcknowledged,
        KeptUntilAcknowledged.MUTATIONS,
        "hw.tcp.replay with four slots; packets, their sums, acknowledgements, time-outs and new connections free; what the "
        f"engine guarantees of them is assumed; {UNBOUNDED}",
        mode="apart",
        depth=1,
        reach=None,
        quick=False,
        registers=True,
    ),
    Proof(
        "TCP: what is sent for the first time follows what was sent, inside the window",
        NewDataInWindow,
        ("shrink", "beyond", "frame"),
        f"judge, connection, send window and template; segments, packets, commands and time free; {UNBOUNDED}",
        depth=9,
        reach=None,
        quick=False,
    ),
)
