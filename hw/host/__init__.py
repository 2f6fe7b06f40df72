"""The host's side of the card: registers, command ring, event ring.

The registers are declared in ``registers.rdl``; ``python -m hw.host.generate`` makes ``register_map.py`` here,
``drivers/registers.py``, ``firmware/registers.h`` and ``docs/registers.md`` from it. Commands come in as records of
64 bytes, events go out as records of 64 bytes, both little-endian and 64 bits per beat.
"""
