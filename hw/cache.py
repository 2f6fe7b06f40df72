"""Where what was made of the gateware is kept, and under which name."""

import hashlib
import os
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def cache_folder() -> Path:
    """``HAIRPIN_CACHE``, by default ``build/cache``."""
    return Path(os.environ.get("HAIRPIN_CACHE") or ROOT / "build" / "cache")


def without_sources(text: str) -> str:
    """RTLIL without source locations: they name files of this machine and are no part of the design."""
    return re.sub(r"^\s*attribute \\src .*\n", "", text, flags=re.MULTILINE)


def digest(*parts: str) -> str:
    """A name for what was made of these."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
