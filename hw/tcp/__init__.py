"""TCP (RFC 9293): the one connection that carries the order session to an exchange.

``engine.py`` wires the parts. Inward: ``receive.py`` takes segments out of frames, ``judge.py`` holds them against what
is expected, ``receive_buffer.py`` keeps the peer's bytes. Outward: ``template.py`` has the header ready before there is
anything to send, ``transmit.py`` builds frames, ``replay.py`` keeps what was not acknowledged. In between:
``connection.py`` is the state machine, ``send_window.py`` says what may be sent, ``recovery.py`` and ``timer.py`` what
is to be sent again.
"""
