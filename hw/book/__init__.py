"""The book: every order of the mapped symbols in, quantity per price level and best bid and offer out.

``symbol_map.py`` finds the symbol and the ladder level, ``order_table.py`` the order, ``ladder.py`` keeps the
levels and the trust; ``book.py`` is the three in a row.
"""

from hw.book.book import Book

__all__ = ["Book"]
