"""Proofs: what holds for every input, shown by a solver and not by samples.

``prover.py`` runs yosys, smtbmc and z3 on a component that has assertions; ``proofs.py`` lists the proofs, each with
mutations that it must catch. ``python -m hw.formal`` runs them and prints what came out as JSON.
"""

from hw.formal.prover import ProofError, Verdict, assert_formal, check

__all__ = ["ProofError", "Verdict", "assert_formal", "check"]
