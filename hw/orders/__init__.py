"""Own orders: four slots per symbol and side, and what they could still cost.

``slots.py`` keeps them in one memory, a row each, ``exposure.py`` adds up what the risk gate wants to know about
them. Only the trader writes.
"""
