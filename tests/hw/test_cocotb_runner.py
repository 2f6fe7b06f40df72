"""The runner for cocotb benches: what a bench is given, and that no failure is lost."""

import pytest

from hw.streams import Beat, StreamRegister
from tests.hw.cocotb_runner import BenchError, build, run
from tests.hw.mac_benches import runner as bench

pytestmark = [pytest.mark.gateware, pytest.mark.twin]


@pytest.fixture
def go():
    def go(*tests: str):
        run(
            StreamRegister(Beat), bench, tests=tests, parameters={"payload": 2**68 + 5}, environment={"BENCH_COLOUR": "green"}
        )

    return go


def test_a_bench_sees_the_ports_its_parameters_and_its_environment(go):
    go("passes")


def test_a_failure_is_named_with_its_message_and_its_line(go):
    with pytest.raises(BenchError, match=r"(?s)1 of 2 tests failed.*fails: four is not five.*runner\.py"):
        go("passes", "fails")


def test_a_simulator_that_dies_fails(go):
    with pytest.raises(BenchError, match="without results"):
        go("dies")


def test_a_name_that_no_test_has_fails(go):
    with pytest.raises(BenchError, match="no test ran by the name of pass"):
        go("pass")


def test_a_model_is_compiled_once():
    assert build(StreamRegister(Beat)) == build(StreamRegister(Beat)) != build(StreamRegister(8))
