"""The tests: one folder per room, one file per subject.

A test says the property in its name, draws its input from a seed and compares with something
that was not written beside it. ``tests/hw`` holds the cocotb benches, one file per component.
Recorded data comes from ``tests.shared_data`` and is skipped, saying so, where it is missing.
"""
