"""The simulator: the world outside the card.

Exchange (matching engine, feed publisher, order ports), order-flow models, replay of recorded
data and network faults, each from a seed. ``sim/twin`` is the Verilated card in this process.
``wire``, ``engine`` and ``hw`` are imported here.
"""
