"""The control plane: it trades with the card, watches it, limits it and can stop it.

Orders, strategies, routing, risk, compliance, backtests, gateways, storage, the API and the
command line. It drives any ``Device`` and appends what changes its state to the journal first.
``drivers``, ``engine``, ``wire`` and, for demo venues, ``sim`` are imported here.
"""

VERSION = "0.1.0"
