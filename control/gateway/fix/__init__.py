"""FIX sessions: acceptor and initiator for 4.2, 4.4 and 5.0 SP2 on FIXT 1.1.

``session`` is the protocol as a state machine without sockets or clocks: bytes and the time go in, bytes come out.
``store`` keeps what was sent and the numbers, so that a kill -9 loses none of it; ``acceptor`` and ``initiator`` carry
the bytes over TCP. The application sees whole, valid messages in order, each once.
"""
