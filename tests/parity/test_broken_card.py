"""Parity that cannot fail proves nothing: a card with one bit of its ladder flipped is found out."""

import pytest

from drivers.card import CardDevice
from drivers.software import SoftwareDevice
from hw.parameters import Parameters
from sim.twin import Twin, appliance
from tests.parity.differences import first_difference
from tests.parity.test_random_sessions import SIZES, session

pytestmark = [pytest.mark.parity, pytest.mark.twin, pytest.mark.gateware]

# The lowest bit of every best level's quantity that is written, in the Verilog of hw/book/tops.py.
FLIPPED = (r"(\n +\\?row_quantities[^\n\[]*\[[^\n]*\] <= )([^\n;]+);", r"\1(\2) ^ 1;")


def test_a_flipped_bit_in_the_book_makes_parity_fail():
    recording = session(0)
    broken = appliance(Parameters(**SIZES), patch=FLIPPED)
    with SoftwareDevice(**SIZES) as software, CardDevice(Twin(broken), kind="twin") as card:
        ours = software.process(recording.inputs, recording.buffer)
        theirs = card.process(recording.inputs, recording.buffer)
    difference = first_difference(recording.inputs, recording.buffer, ours, theirs)
    assert difference is not None
    assert "BOOK_TOP" in difference
