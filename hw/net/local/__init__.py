"""What a port does for itself, so that it is a citizen of its network without the host: ARP, ICMP echo, IGMP.

``LocalResponder`` is all of it for one port. It reads the received frames beside the fast paths and never holds them
up: what may be for it goes into a ``FrameBuffer``, a ``Reader`` goes over it 16 bits at a time and judges it, ``Arp``,
``Icmp`` and ``Igmp`` answer, a ``Transmitter`` lays their frames out. ``FrameArbiter`` brings them to the line behind
the port's own traffic. Nothing here is fast, so that all of it is small.
"""
