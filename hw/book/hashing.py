"""Where an order reference may be: its bucket for each choice, and the tag that tells it from the others there."""

from functools import reduce
from operator import xor

from amaranth.hdl import Cat, Const, Value

FOLD_BITS = 16
REFERENCE_BITS = 64


def bucket_and_tag(reference: Value, choice: int, bits: int) -> tuple[Value, Value]:
    """The bucket of a reference, ``bits`` wide, and a tag that tells it from the others there.

    The bucket is cut from the reference's words folded with XOR. The tag is the rest of the fold and all
    words but the lowest, from which the lowest follows. The second choice cuts the fold from its other end
    and turns the words, so that references that share one bucket rarely share the other.
    """
    width = max(FOLD_BITS, bits)
    words = [reference[at : at + width] for at in range(0, REFERENCE_BITS, width)]
    words[-1] = Cat(words[-1], Const(0, width - len(words[-1])))
    if choice:
        words = [word.rotate_left(5 * n) for n, word in enumerate(words)]
    folded = reduce(xor, words)
    if choice:
        folded = folded.rotate_left(bits)
    return folded[:bits], Cat(folded[bits:], reference[width:])
