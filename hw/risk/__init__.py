"""The pre-trade risk gate: every new and every replace order passes it, whoever made it.

``gate.py`` decides: all checks on every order, in parallel. ``release.py`` is the only way to the order port, and it
opens for an order only on the gate's own decision. ``hw/formal`` proves that.
"""
