"""Sizes of a card, fixed when it is built. The engine takes the same ones and gives the same answers."""

from dataclasses import dataclass

from amaranth.utils import ceil_log2

MAX_SYMBOLS = 512
"""An order id has 12 bits for the slot: symbol, side and four slots."""

MAX_LEVELS = 4096
"""Two layers of 64-bit words say which levels are occupied."""

WORD_LEVELS = 64
"""Levels in one word of the occupancy map."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What a card holds.

    Parameters
    ----------
    symbols : int
        Books, 1 to 512.
    levels : int
        Prices per side of a book: a power of two, 64 to 4096.
    orders : int
        Orders alive in all books together: a power of two, from 64 on. The table has twice as many places.
    locates : int
        Stock locates that can be mapped: those below this power of two.

    Raises
    ------
    ValueError
        A size that cannot be built.
    """

    symbols: int = 16
    levels: int = 4096
    orders: int = 16384
    locates: int = 16384

    def __post_init__(self) -> None:
        if not 1 <= self.symbols <= MAX_SYMBOLS:
            raise ValueError(f"symbols is 1 to {MAX_SYMBOLS}, not {self.symbols}")
        for name, least, most in (
            ("levels", WORD_LEVELS, MAX_LEVELS),
            ("orders", 64, 1 << 20),
            ("locates", 2, 1 << 16),
        ):
            value = getattr(self, name)
            if value & (value - 1) or not least <= value <= most:
                raise ValueError(f"{name} is a power of two from {least} to {most}, not {value}")

    @property
    def symbol_bits(self) -> int:
        """Bits of a symbol; at least one."""
        return max(1, ceil_log2(self.symbols))

    @property
    def index_bits(self) -> int:
        """Bits of a ladder level."""
        return ceil_log2(self.levels)

    @property
    def order_bits(self) -> int:
        """Bits of a number of orders, 0 to ``orders``."""
        return ceil_log2(self.orders) + 1


PROFILES = {
    "twin": Parameters(),
    "ecp5_85": Parameters(symbols=8, levels=1024, orders=4096),
    "ecp5_45": Parameters(symbols=4, levels=512, orders=2048, locates=8192),
    "sim_large": Parameters(symbols=64, levels=4096, orders=1 << 19),
    "small": Parameters(symbols=2, levels=64, orders=64, locates=64),
}
"""Sizes by name: ``twin`` is simulated, ``sim_large`` too, with room for the whole order flow of 64 stocks; ``ecp5_85`` fills
about 80 % of that device's block RAM, ``ecp5_45`` that of the smaller one, whose LUTs do not suffice yet; ``small`` is for
tests."""
