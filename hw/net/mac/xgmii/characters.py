"""Control characters and ordered sets of XGMII (IEEE 802.3 clause 46.2, table 46-3)."""

LANES = 8

IDLE = 0x07
SEQUENCE = 0x9C
START = 0xFB
TERMINATE = 0xFD
ERROR = 0xFE

LOCAL_FAULT, REMOTE_FAULT = 1, 2
"""Third byte behind ``SEQUENCE``; the two between are 0."""
