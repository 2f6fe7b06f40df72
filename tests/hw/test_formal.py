"""The proofs: each holds, each mutation is caught, and the prover says what failed."""

import pytest
from amaranth.hdl import Assert, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from hw.formal import ProofError, assert_formal, check
from hw.formal.proofs import PROOFS

pytestmark = [pytest.mark.gateware, pytest.mark.timeout(1800)]

QUICK = [proof for proof in PROOFS if proof.quick]
LONG = [proof for proof in PROOFS if not proof.quick]


def mutations(proofs):
    return [(proof, mutation) for proof in proofs for mutation in proof.mutations]


def named(each):
    return getattr(each, "name", each)


class Stays(wiring.Component):
    """A bit that is set stays set, or, broken, does not."""

    i: In(1)

    def __init__(self, broken: bool):
        self.broken = broken
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        kept, before = Signal(reset_less=True), Signal(reset_less=True)
        m.d.sync += [kept.eq(self.i if self.broken else self.i | kept), before.eq(kept)]
        m.d.comb += Assert(kept | ~before)
        return m


@pytest.mark.parametrize("proof", QUICK, ids=named)
def test_the_property_is_proved(proof):
    assert_formal(proof.make(), **proof.how)


@pytest.mark.parametrize(("proof", "mutation"), mutations(QUICK), ids=named)
def test_a_broken_card_is_caught(proof, mutation):
    assert proof.catches(mutation)


@pytest.mark.slow
@pytest.mark.parametrize("proof", LONG, ids=named)
def test_the_longer_property_is_proved(proof):
    assert_formal(proof.make(), **proof.how)


@pytest.mark.slow
@pytest.mark.parametrize(("proof", "mutation"), mutations(LONG), ids=named)
def test_a_broken_card_is_caught_by_the_longer(proof, mutation):
    assert proof.catches(mutation)


def test_every_proof_can_fail():
    assert all(proof.mutations for proof in PROOFS)
    assert len({proof.name for proof in PROOFS}) == len(PROOFS)


def test_the_prover_proves_what_holds_and_names_what_does_not():
    assert_formal(Stays(broken=False), depth=3)
    with pytest.raises(ProofError, match=r"Stays: .*test_formal\.py"):
        assert_formal(Stays(broken=True), depth=3)


def test_a_verdict_is_kept_for_the_same_design_alone(tmp_path):
    first = check(Stays(broken=False), depth=3, cache=tmp_path)
    assert check(Stays(broken=False), depth=3, cache=tmp_path) == first
    assert check(Stays(broken=True), depth=3, cache=tmp_path).holds is False
    assert check(Stays(broken=False), depth=4, cache=tmp_path).holds is True
    assert len(list(tmp_path.iterdir())) == 3
