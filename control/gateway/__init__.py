"""Sessions with the world outside: machines without a socket, and what carries them over TCP.

``fix`` is FIX, initiator and acceptor, for clients, brokers and drop copies; ``soupbin`` the client's side of SoupBinTCP, for
order ports, snapshots and drop copies of exchanges.
"""
