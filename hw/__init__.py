"""The gateware: the path in Amaranth, one folder per stage.

``hw/appliance.py`` wires the stages into a card; ``hw/boards`` holds pins and clocks only, and
``hw/formal`` the proofs. Every stage gives the answers of its namesake in ``engine``, bit for
bit. It knows ``wire`` and nothing else of ours.
"""
