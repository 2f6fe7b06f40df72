"""The bench: one command for each figure that the README quotes.

A benchmark runs its peer beside ours in the same run and reports the ratio. Figures go through
``bench.figures`` to ``build/bench.json``, place and route to ``build/synth.json``, proofs to
``build/formal.json``; ``make readme`` turns them into the README's table.
"""
