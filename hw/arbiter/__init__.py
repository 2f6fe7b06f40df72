"""The arbiter: every message of the feeds once and in order, or a gap that is declared."""

from hw.arbiter.arbiter import Arbiter

__all__ = ["Arbiter"]
