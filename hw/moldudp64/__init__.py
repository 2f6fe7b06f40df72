"""MoldUDP64 (1.00, 2009-07-07): where the messages of a packet lie in the beats that pass, and whether they fill it."""
