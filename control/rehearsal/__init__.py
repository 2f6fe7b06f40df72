"""A whole site in the small world of `sim.faults`, every fault from a seed, and what has to hold afterwards.

`world` plays a seed; `host` is the control plane in it, made of the real parts; `board` a card; `clients` who trade; `judge` says
what is wrong. `hairpin faults` runs seeds.
"""
