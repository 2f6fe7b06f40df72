"""The peers' own environment: other people's packages, and the process that they are measured in."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.figures import ROOT

PYTHON = Path(os.environ.get("HAIRPIN_PEERS") or ROOT / "build" / "peers" / "bin" / "python")


def measure(script: str, arguments: Sequence[str | Path] = ()) -> Any:
    """Run Python source text among the peers; what it prints last, read as JSON.

    Raises
    ------
    FileNotFoundError
        The environment is not there: ``make bench`` makes it.
    subprocess.CalledProcessError
        The script failed; its own words have gone to standard error.
    """
    if not PYTHON.exists():
        raise FileNotFoundError(f"no {PYTHON}: `make bench` installs requirements/peers.txt there")
    done = subprocess.run(
        [PYTHON, "-c", script, *map(str, arguments)], check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    return json.loads(done.stdout.splitlines()[-1])
