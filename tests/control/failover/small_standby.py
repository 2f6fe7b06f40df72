"""``hairpin`` with the small segments of the tests, so that they meet many."""

import functools

from control import cli
from control.failover import standby
from tests.control.journal_crashes import SEGMENT_RECORDS

standby.Journal = functools.partial(standby.Journal, segment_records=SEGMENT_RECORDS)
cli.main()
