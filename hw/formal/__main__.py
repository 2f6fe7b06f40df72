"""``python -m hw.formal``: runs proofs and their mutations, prints one JSON object."""

import argparse
import json
import sys

from hw.formal.proofs import PROOFS


def main() -> int:
    """Prove every property, or those whose names have certain words in them.

    1 if one does not hold, or a mutation was not caught.
    """
    parser = argparse.ArgumentParser(prog="make formal ARGS=...", description="Prove properties and break what they are about.")
    parser.add_argument("words", nargs="*", help="only proofs whose names have one of these words in them")
    words = parser.parse_args().words
    chosen = [proof for proof in PROOFS if not words or any(word in proof.name for word in words)]
    if not chosen:
        parser.error(f"no proof has {' or '.join(words)} in its name")
    figures, details, failed = [], [], False
    for proof in chosen:
        print(f"formal: {proof.name} ...", file=sys.stderr, flush=True)
        verdict = proof.check()
        caught = {mutation: proof.catches(mutation) for mutation in proof.mutations}
        good = verdict.holds is True and all(caught.values())
        failed = failed or not good
        held = f"holds for {proof.depth} cycles" if proof.mode == "bmc" else "proved"
        said = {True: held, False: "refuted", None: "not decided"}[verdict.holds]
        if verdict.holds and not good:
            said = f"{held}, but a mutation was not caught"
        if not good:
            print(verdict.log, file=sys.stderr)
        print(f"formal: {proof.name}: {said}, {verdict.seconds:.0f} s, mutations {caught}", file=sys.stderr, flush=True)
        figures.append({"name": proof.name, "value": said, "unit": ""})
        details.append(
            {
                "name": proof.name,
                "covers": proof.covers,
                "mode": proof.mode,
                "depth": proof.depth,
                "verdict": said,
                "seconds": round(verdict.seconds, 1),
                "mutations_caught": caught,
            }
        )
    print(json.dumps({"figures": figures, "proofs": details}, indent=2))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
