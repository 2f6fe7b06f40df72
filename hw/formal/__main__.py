"""``python -m hw.formal``: runs every proof and its mutations, prints one JSON object."""

import json
import sys

from hw.formal.proofs import PROOFS


def main() -> int:
    """1 if a property does not hold, or a mutation was not caught."""
    figures, details, failed = [], [], False
    for proof in PROOFS:
        print(f"formal: {proof.name} ...", file=sys.stderr, flush=True)
        verdict = proof.check()
        caught = {mutation: proof.catches(mutation) for mutation in proof.mutations}
        good = verdict.holds is True and all(caught.values())
        failed = failed or not good
        held = "proved" if proof.mode == "prove" else f"holds for {proof.depth} cycles"
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
