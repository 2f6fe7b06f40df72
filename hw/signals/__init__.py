"""Signals: what the top of the book says, in fixed point. docs/architecture.md, Semantics, section 7.

All in ticks of the ladder, Q16.16, in the same integers as ``engine.signals``.
"""
