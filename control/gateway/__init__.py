"""The gateways: how clients and counterparties reach us by wire, and we them, over FIX and SoupBinTCP.

A gateway turns messages of its protocol into what the control plane understands, and back. It decides nothing: no order
reaches a venue without the risk gate, whichever way it came in. ``fix`` is FIX, initiator and acceptor; on it stand ``clients``,
who send orders, and ``dropcopy``, which is told of executions; ``soupbin`` is the client's side of SoupBinTCP.
"""
