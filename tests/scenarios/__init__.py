"""Scenarios: inputs for a device and what must come of them, the same for engine, twin and card.

Each module here has ``SCENARIOS``. A test runs them on whatever has ``process(inputs, buffer)``.
"""
