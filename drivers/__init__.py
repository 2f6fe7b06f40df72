"""The drivers: one ``Device``, whatever stands behind it.

``card`` speaks registers and rings over a transport (vfio, uart, twin); ``software`` runs the
engine as a device. What trades above cannot tell them apart. ``wire`` and ``engine`` are
imported here; ``sim.twin`` is loaded by name only, and only when a twin is asked for.
"""
