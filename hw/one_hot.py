"""Choices among few, with a bit for each of them: no number is made of the place, and none has to be understood."""

from collections.abc import Iterable
from functools import reduce
from operator import or_

from amaranth.hdl import Value, ValueLike


def lowest(bits: Value) -> Value:
    """Of the bits that are set the first one."""
    return bits & -bits


def select(bits: Value, values: Iterable[ValueLike]) -> Value:
    """The value whose bit is set, 0 if none is; of several all their bits.

    ``bits`` is better a signal than an expression, which would be there once for every bit of every value.
    """
    values = [Value.cast(value) for value in values]
    return reduce(or_, (value & bit.replicate(len(value)) for bit, value in zip(bits, values, strict=True)))
