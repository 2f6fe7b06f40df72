"""The network edge: frames in, the messages of good ones out; everything else is dropped and counted.

``datagram.py`` reads the headers of a feed's frames while they pass, ``sum.py`` their checksums, and ``port.py`` keeps
the messages of a packet in a buffer until the whole frame was found good.
"""
