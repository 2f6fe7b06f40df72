"""Sessions with the world outside: SoupBinTCP and FIX, each a machine without a socket, and what carries it over TCP."""
