"""The wire: what the bytes mean.

Message layouts and codecs for Ethernet, IPv4, UDP, TCP, MoldUDP64, SoupBinTCP, ITCH, OUCH and FIX.
Each message is declared once; the NumPy dtype, the compiled readers and writers and the Amaranth
layout all come from that declaration. Nothing of ours is imported here.
"""
