"""What can go wrong, from a seed.

`feed` is what a network does to the packets of a whole day, for replays. The rest is a small world in which anything may fail
at any time: `clockwork` is its time, `network` its lines, `exchange` a venue that can be cut off, slow, or dead, `plan` says
what happens when. Nothing in it looks at a real clock, so a seed gives the same day again, to the last byte.
"""

from sim.faults.feed import Arrivals, CommonLoss, FaultConfig, arrivals, holes

__all__ = ["Arrivals", "CommonLoss", "FaultConfig", "arrivals", "holes"]
