"""``make bench``: every benchmark in this folder, one process each, or those that are named.

A benchmark is a module with a ``main()`` that measures, prints and calls `bench.figures.write`. Its peer is
run by `bench.peers`, in the environment that the peers have to themselves.
"""

import argparse
import ast
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def benchmarks() -> list[str]:
    """The modules here that ``make bench`` runs: those that define ``main``, but for the book-keeping."""
    def has_main(path: Path) -> bool:
        body = ast.parse(path.read_text()).body
        return any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in body)

    others = {"__main__", "figures", "readme"}
    return [path.stem for path in sorted(HERE.glob("*.py")) if path.stem not in others and has_main(path)]


def main() -> int:
    """Run the benchmarks and say which failed."""
    known = benchmarks()
    parser = argparse.ArgumentParser(prog="make bench", description=main.__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"one of {', '.join(known) or 'none yet'}")
    names = parser.parse_args().names or known
    unknown = sorted(set(names) - set(known))
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(known) or 'none yet'}")
    failed = [name for name in names if subprocess.call([sys.executable, "-m", f"bench.{name}"])]
    print(f"{len(names) - len(failed)} of {len(names)} benchmarks done, figures in build/bench.json")
    if failed:
        print(f"failed: {', '.join(failed)}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
