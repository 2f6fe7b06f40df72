"""The gateways: how clients and counterparties reach us by wire, over FIX and SoupBinTCP.

A gateway turns messages of its protocol into what the control plane understands, and back. It decides nothing: no order
reaches a venue without the risk gate, whichever way it came in.
"""
