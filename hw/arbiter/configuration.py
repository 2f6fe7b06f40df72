"""What SET_FEED sets."""

from amaranth.lib import data

from wire.records import SET_FEED

BLANK_SESSION = int.from_bytes(b" " * SET_FEED["session"].width, "little")


class FeedConfiguration(data.Struct):
    """Destinations and session that the ports take. ``session`` has its first character in the low bits."""

    session: 80 = BLANK_SESSION
    address_a: 32
    port_a: 16
    address_b: 32
    port_b: 16
