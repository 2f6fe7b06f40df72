"""The exchange: a real opponent, with a matching engine of its own.

``matching`` is the compiled core, ``publication`` turns what happens there into ITCH 5.0, ``venue`` puts both
together with the accounts that trade there, ``ouch42`` and ``ouch50`` are how these speak, and ``server`` is all
of it on sockets. Unlike :mod:`sim.venue`, which inserts our orders into a recorded day, whatever is entered
here changes what happens next.
"""
