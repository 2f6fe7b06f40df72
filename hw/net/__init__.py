"""The network edge: Ethernet, VLAN tags, IPv4 and UDP off, and everything that is not for us dropped and
counted.

Each layer is a component that takes its header off and judges it; ``Strip`` is what they share. ``Ingest`` is
one port with all of them and the MoldUDP64 receiver behind.
"""
