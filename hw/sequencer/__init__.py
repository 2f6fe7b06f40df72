"""The sequencer: everything that changes state, as one stream of items, one after the other.

``commands.py`` reads the host's commands, ``sequencer.py`` merges them with feed, order session and clock.
"""
