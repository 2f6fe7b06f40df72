"""The engine: the path in software, compiled by Numba.

Feed, book, signals, quoter, risk gate and session, stage by stage the names that ``hw`` uses.
It is the reference that the gateware must equal, the fallback when there is no card, and the
inner loop of the backtester. It knows ``wire`` and nothing else of ours.
"""

import hashlib
import os
import sys
import tempfile
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]


def _cache_directory() -> Path:
    """The first folder that can be written to, named by what compiled code is made from.

    Numba looks for changes in the one file that a function stands in. A folder for each state of all the
    sources keeps what two branches compiled apart.
    """
    digest = hashlib.sha256()
    for room in ("wire", "engine"):
        for file in sorted((_ROOT / room).glob("*.py")):
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    checkout = [_ROOT / "build" / "cache"] if (_ROOT / "pyproject.toml").exists() else []
    given = os.environ.get("HAIRPIN_CACHE")
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "hairpin"
    for place in [*([Path(given)] if given else checkout), home]:
        folder = place / "numba" / digest.hexdigest()[:16]
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    return Path(tempfile.mkdtemp(prefix="hairpin-numba-"))


if "NUMBA_CACHE_DIR" not in os.environ:
    os.environ["NUMBA_CACHE_DIR"] = str(_cache_directory())
    if "numba" in sys.modules:  # it has read its settings already
        sys.modules["numba"].config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"]
