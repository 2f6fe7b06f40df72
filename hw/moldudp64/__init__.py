"""MoldUDP64 (1.00, 2009-07-07): the packet header off, its message blocks checked and put into a packet
buffer.
"""
