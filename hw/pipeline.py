"""Registers between the stages of a computation."""

from amaranth.hdl import Module, Signal, Value, ValueLike


def delayed(m: Module, value: ValueLike, name: str, cycles: int = 1) -> Value:
    """The value so many cycles later. What it is at first means nothing."""
    value = Value.cast(value)
    for n in range(cycles):
        kept = Signal(value.shape(), name=f"{name}_{n}" if cycles > 1 else name, reset_less=True)
        m.d.sync += kept.eq(value)
        value = kept
    return value
