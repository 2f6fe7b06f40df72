"""``python -m hw.formal``: runs proofs and their mutations, prints one JSON object.

Verdicts are kept under the cache by what was proved with which tools: a run that was stopped goes on where it was.
"""

import argparse
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hw.cache import cache_folder
from hw.formal.proofs import PROOFS, Proof
from hw.formal.prover import Verdict


def said(proof: Proof, verdict: Verdict, caught: dict[str, bool]) -> str:
    """A verdict in words."""
    if verdict.holds is not True:
        return "refuted" if verdict.holds is False else "not decided"
    held = f"holds for {proof.depth} cycles" if proof.mode == "bmc" else "proved"
    return held if all(caught.values()) else f"{held}, but a mutation was not caught"


def main() -> int:
    """Prove every property, or those whose names have certain words in them.

    1 if one does not hold, or a mutation was not caught.
    """
    parser = argparse.ArgumentParser(prog="make formal ARGS=...", description="Prove properties and break what they are about.")
    parser.add_argument("words", nargs="*", help="only proofs whose names have one of these words in them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="proofs and mutations at a time")
    arguments = parser.parse_args()
    words = arguments.words
    chosen = [proof for proof in PROOFS if not words or any(word in proof.name for word in words)]
    if not chosen:
        parser.error(f"no proof has {' or '.join(words)} in its name")
    cache = cache_folder() / "formal"
    details: list[dict[str, Any]] = []
    failed = False
    # A proof is a process of its own, so threads that wait for them are enough.
    with ThreadPoolExecutor(arguments.jobs) as pool:
        asked = [
            (
                proof,
                pool.submit(proof.check, cache=cache),
                {each: pool.submit(proof.catches, each, cache=cache) for each in proof.mutations},
            )
            for proof in chosen
        ]
        for proof, whole, broken in asked:
            print(f"formal: {proof.name} ...", file=sys.stderr, flush=True)
            verdict = whole.result()
            caught = {mutation: found.result() for mutation, found in broken.items()}
            if verdict.holds is not True or not all(caught.values()):
                failed = True
                print(verdict.log, file=sys.stderr)
            held = said(proof, verdict, caught)
            print(f"formal: {proof.name}: {held}, {verdict.seconds:.0f} s, mutations {caught}", file=sys.stderr, flush=True)
            details.append(
                {
                    "name": proof.name,
                    "covers": proof.covers,
                    "mode": proof.mode,
                    "depth": proof.depth,
                    "verdict": held,
                    "seconds": round(verdict.seconds, 1),
                    "mutations_caught": caught,
                }
            )
    figures = [{"name": each["name"], "value": each["verdict"], "unit": ""} for each in details]
    print(json.dumps({"figures": figures, "proofs": details}, indent=2))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
