"""The engine: the path in software, compiled by Numba.

Feed, book, signals, quoter, risk gate and session, stage by stage the names that ``hw`` uses.
It is the reference that the gateware must equal, the fallback when there is no card, and the
inner loop of the backtester. It knows ``wire`` and nothing else of ours.
"""
