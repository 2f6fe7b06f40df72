"""The book: every order of the mapped symbols in, quantity per price level and best bid and offer out.

``intake.py`` makes steps of items, ``symbol_map.py`` finds the symbol, ``placer.py`` the ladder level and ``order_table.py``
the order; ``orders.py`` says what a step does to it. ``tops.py`` keeps the best levels and ``trust.py`` the trust; behind
them follows ``ladder.py`` with all levels, from which ``refill.py`` tops them up. ``commands.py`` is the slow lane.
``book.py`` puts them in a row.
"""

from hw.book.book import Book

__all__ = ["Book"]
