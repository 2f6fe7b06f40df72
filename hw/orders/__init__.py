"""Own orders: four slots per symbol and side, and what they could still cost.

``slots.py`` keeps them in one memory, a row each, ``exposure.py`` keeps the sums that the risk gate
wants to know, ``changes.py`` says what an order and what the exchange says make of a slot. Only the trader writes.
"""
