"""The exchange: a real opponent, with a matching engine of its own.

``matching`` is the compiled core, ``publication`` turns what happens there into ITCH 5.0, ``venue`` puts both
together with the accounts that trade there, ``ouch42``, ``ouch50`` and ``fix`` are how these speak, ``luld`` halts
what moves too fast, and ``server`` is all of it on sockets; a FIX port's session is plugged in from outside.
Unlike :mod:`sim.venue`, which inserts our orders into a recorded day, whatever is entered
here changes what happens next.
"""
