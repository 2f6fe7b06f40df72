"""The proofs, and the mutations that each must catch."""

from collections.abc import Callable
from dataclasses import dataclass, field

from amaranth.lib import wiring

from hw.formal.kill import KillStopsOrders


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
    mode, depth
        As :func:`hw.formal.check` takes them.
    """

    name: str
    make: Callable[..., wiring.Component]
    mutations: tuple[str, ...]
    mode: str = "prove"
    depth: int = 6
    covers: str = field(default="")


PROOFS = (
    Proof(
        "kill asserted: no order leaves",
        KillStopsOrders,
        ("kill", "decision"),
        covers="risk gate and release, all inputs free, unbounded (k-induction)",
    ),
)
