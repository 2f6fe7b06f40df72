"""The drivers: one ``Device``, whatever stands behind it.

``card`` speaks registers and rings over a transport (vfio, uart, twin); ``software`` runs the
engine as a device. What trades above cannot tell them apart. ``wire`` and ``engine`` are
imported here; ``sim.twin`` is loaded by name only, and only when a twin is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from drivers.device import Answer, Batch, CommandRefusedError, Device, DeviceError, Identity, Snapshot

__all__ = [
    "NAMES",
    "Answer",
    "Batch",
    "CommandRefusedError",
    "Device",
    "DeviceError",
    "Identity",
    "Snapshot",
    "open",
]

NAMES = ("software", "twin")


def open(name: str, **parameters: Any) -> Device:
    """A device by name.

    Parameters
    ----------
    name : str
        ``software``: the engine. ``twin``: the card in simulation, built when it is not there yet.
    parameters
        Both: ``symbols``, ``levels``, ``orders`` (`drivers.software.SoftwareDevice`). The twin takes
        ``waveform`` and ``report`` too (`sim.twin.power_on`).

    Raises
    ------
    ValueError
        No such device, or sizes that are not possible.
    """
    if name == "software":
        from drivers.software import SoftwareDevice

        return SoftwareDevice(**parameters)
    if name == "twin":
        from drivers.card import CardDevice

        return CardDevice(import_module("sim.twin").power_on(**parameters), kind="twin")
    raise ValueError(f"no device {name!r}; there are {', '.join(NAMES)}")
