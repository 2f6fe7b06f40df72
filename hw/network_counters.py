"""What the card counts at its edge, beside the counters that every device has (wire/counters.py): names and numbers."""

from hw.net.local.responder import COUNTERS as LOCAL
from hw.net.mac.xgmii.receiver import COUNTERS as RECEIVER
from hw.net.mac.xgmii.transmitter import COUNTERS as TRANSMITTER
from hw.tcp.engine import COUNTERS as TCP

PORTS = ("feed_a", "feed_b", "order")
"""Ports of the card, by name."""

LINK = (*RECEIVER, *TRANSMITTER, *LOCAL)
"""What each port counts."""

SESSION = ("connections_opened", "connections_closed", "connections_refused", "packets_unsent")
"""What the order session's connection counts: it was opened; it ended, for whatever reason; there was no way to the exchange;
packets that found none, or one without a login."""

NETWORK_COUNTERS = (
    *(f"{port}_{name}" for port in PORTS for name in LINK),
    *(f"tcp_{name}" for name in TCP),
    *SESSION,
    "recovery_frames",
)
