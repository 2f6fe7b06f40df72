"""SoupBinTCP 3.00: packets out of the exchange's stream, and packets to it."""
