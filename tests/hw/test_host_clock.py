"""The nanosecond clock against rational numbers, cycle by cycle and over long runs, and on a servo's leash."""

from __future__ import annotations

import gc
import random
import warnings
from fractions import Fraction

import pytest
from amaranth.hdl import UnusedElaboratable

from hw.host.clock import NS_AT_1G, NS_AT_10G, NanosecondClock
from tests.hw.verilated import Model

pytestmark = [pytest.mark.gateware, pytest.mark.twin]

UNIT = Fraction(1, 1 << 32)  # ns
WRAP = 1 << 64
FIRST = 3  # cycles after a reset in which the clock stands at 0
SET, RATE = 4, 6  # cycles until they show


class Reference:
    """The clock as its docstring has it, in rational numbers: what is asked for in a cycle shows a fixed number later."""

    def __init__(self, period: Fraction):
        self.length = round(period * (1 << 32))
        self.cycle, self.time, self.rates, self.jumps = 0, Fraction(0), {}, {}
        self.extra = 0

    def ask(self, rate: int | None = None, value: int = 0, set: bool = False, step: bool = False) -> None:
        if rate is not None:
            self.rates[self.cycle + RATE] = rate
        if set or step:
            self.jumps[self.cycle + SET] = (set, value)

    def tick(self) -> int:
        """The next cycle's time."""
        self.cycle += 1
        self.extra = self.rates.pop(self.cycle, self.extra)
        if self.cycle > FIRST:
            self.time += (self.length + self.extra) * UNIT
        if self.cycle in self.jumps:
            is_set, value = self.jumps.pop(self.cycle)
            self.time = Fraction(value) if is_set else self.time + value
        return int(self.time // 1) % WRAP


@pytest.fixture(scope="module", params=[NS_AT_10G, NS_AT_1G], ids=["6.4 ns", "8 ns"])
def clock(request) -> tuple[Model, Fraction]:
    return Model(NanosecondClock(request.param)), request.param


@pytest.fixture
def model(clock) -> Model:
    model, _ = clock
    for name in ("rate", "value", "set", "step", "capture"):
        model[name].value = 0
    for reset in (1, 0):
        model["rst"].value = reset
        if reset:
            model.step()
    model.settle()
    return model


@pytest.fixture
def reference(clock) -> Reference:
    return Reference(clock[1])


def test_the_time_is_that_of_rational_numbers_whatever_is_asked(model, reference, seed):
    rng = random.Random(seed)
    captured, expected = 0, 0
    for _ in range(60_000):
        ask = {"set": False, "step": False, "value": rng.getrandbits(64)}
        kind = rng.random()
        if kind < 0.003:
            ask["set"] = True
            if rng.random() < 0.5:  # just before the low half carries into the high one
                ask["value"] = ask["value"] & ~0xFFFFFFFF | 0xFFFFFFFF - rng.randrange(40)
        elif kind < 0.006:
            ask["step"] = True
            if rng.random() < 0.5:
                ask["value"] = rng.randint(-1000, 1000) % WRAP
        if rng.random() < 0.01:
            ask["rate"] = rng.choice([rng.randint(-(1 << 31), (1 << 31) - 1), rng.randint(-200, 200), 0])
            model["rate"].value = ask["rate"] % (1 << 32)
        capture = rng.random() < 0.01
        model["value"].value, model["set"].value, model["step"].value = ask["value"], ask["set"], ask["step"]
        model["capture"].value = capture
        reference.ask(**ask)
        model.settle()
        if capture:
            captured = expected
        model.step()
        expected = reference.tick()
        assert model["now"].value == expected, f"cycle {reference.cycle}"
        assert model["captured"].value == captured


def test_set_comes_before_step(model, reference):
    model["value"].value, model["set"].value, model["step"].value = 1000, 1, 1
    reference.ask(value=1000, set=True)
    for _ in range(20):
        model.step()
        model["set"].value = model["step"].value = 0
        assert model["now"].value == reference.tick()


@pytest.mark.parametrize("rate", [0, 12_345, -(1 << 31), (1 << 31) - 1])
def test_over_a_long_run_the_error_is_below_the_bound_and_time_never_goes_back(clock, model, rate):
    """The bound of the docstring: half a unit for each cycle, and 1 ns for the rounding down."""
    period = clock[1]
    model["rate"].value = rate % (1 << 32)
    cycles, before = 1_500_000, -1
    for _ in range(10):
        model.step()
    start, now = model["now"].value, model["now"]
    step = model.step
    for n in range(1, cycles):
        step()
        time = now.value
        assert time > before
        before = time
        if n % 997 == 0:
            exact = n * (period + rate * UNIT)
            late = exact - (time - start)
            assert -n * UNIT / 2 - 1 < late < n * UNIT / 2 + 1


def test_a_servo_locks_on_a_reference_that_drifts(clock, model, seed):
    """A pulse of the reference every 4000 cycles, with an oscillator of ours that is 50 ppm off and drifts: after the first
    pulses, which step the clock, a proportional and integral servo keeps it within 3 ns (the pulse is seen at a clock edge, so
    1 cycle is 6.4 or 8 ns of noise), and time never goes back.
    """
    period, rng = float(clock[1]), random.Random(seed)
    between = 4000
    true, off = 0.0, 50e-6  # what the reference says in ns; how much faster our cycles are than they should be
    integral, offsets, pulses, rate, before = 0.0, [], 0, 0, 0
    next_pulse = between * period
    settled = 250
    for _ in range(between * 600):
        off += rng.gauss(0, 2e-9)
        true += period * (1 + off)
        model["capture"].value = true >= next_pulse
        model.step()
        model["set"].value = model["step"].value = 0
        if pulses > 2:
            assert model["now"].value >= before
            before = model["now"].value
        if not model["capture"].value:
            continue
        # The time of the pulse, in the middle of the cycle that saw it.
        model["capture"].value = 0
        model.settle()
        offset = model["captured"].value + 0.5 - next_pulse - period / 2
        next_pulse += between * period
        pulses += 1
        if pulses <= 2:
            model["value"].value, model["step"].value = -round(offset) % WRAP, 1
            continue
        ppb = -offset / (between * period)  # relative error of frequency that would make it so in one interval
        integral += 0.05 * ppb
        rate = round((0.3 * ppb + integral) * period * (1 << 32))
        model["rate"].value = max(-(1 << 31), min((1 << 31) - 1, rate)) % (1 << 32)
        if pulses > settled:
            offsets.append(offset)
    assert len(offsets) > 300
    mean = sum(offsets) / len(offsets)
    spread = (sum((each - mean) ** 2 for each in offsets) / len(offsets)) ** 0.5
    assert abs(mean) < 1
    assert spread < 3
    assert abs(integral - off) < 3e-6, f"the servo found {integral * 1e6:.2f} ppm, it was {off * 1e6:.2f}"


@pytest.mark.parametrize("period", [1, 15, 0, Fraction(31, 2)])
def test_a_cycle_of_an_impossible_length_is_refused(period):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnusedElaboratable)
        with pytest.raises(ValueError, match=f"period is {period}"):
            NanosecondClock(period)
        gc.collect()
