"""What the reader hands to the protocols."""

from amaranth.lib import data, enum

from hw.net.local.put import LENGTH_BITS


class Kind(enum.Enum, shape=2):
    """Who may want a frame."""

    ARP = 0
    ICMP = 1
    IGMP = 2


class Waiting(data.Struct):
    """A frame in the buffer; ``length`` in bytes."""

    kind: Kind
    length: LENGTH_BITS


class Arrival(data.Struct):
    """A frame whose lengths and checksums are right.

    ARP: ``mac``, ``source`` and ``destination`` are sender's MAC address, sender's and target's IPv4 address.
    ICMP, IGMP: Ethernet's source, the header's source and destination, ``body`` the payload's first eight bytes, the
    first highest. A fragment's ``body`` and the checksum over it mean nothing.
    """

    kind: Kind
    mac: 48
    source: 32
    destination: 32
    ours: 1
    """``destination`` is the port's address."""
    on_link: 1
    """``source`` is in the port's network."""
    request: 1
    """ARP: asks; else it answers."""
    body: 64
    eight: 1
    """The payload has exactly eight bytes."""
    twelve: 1
    """The payload has twelve bytes or more."""
    total_length: LENGTH_BITS
    type_of_service: 8
    options: 1
    fragment: 1
