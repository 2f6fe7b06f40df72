"""What proofs have in common: assertions under a condition, streams that keep to the rules, designs that can be looked into."""

from amaranth.hdl import Assert, Cat, Module, Signal, Value


def unless(condition: Value, *what: Value) -> list[Value]:
    """Assertions of what holds but for a condition."""
    return [Assert(condition | each, src_loc_at=2) for each in what]


def when(condition: Value, *what: Value) -> list[Value]:
    """Assertions of what holds with a condition."""
    return [Assert(~condition | each, src_loc_at=2) for each in what]


def stands(m: Module, valid: Value, ready: Value, *payload: Value) -> Value:
    """What is offered stays as it is until it is taken."""
    offered, what = Signal(), Signal(len(Cat(payload)))
    m.d.sync += [offered.eq(valid & ~ready), what.eq(Cat(payload))]
    return ~offered | (valid & (what == Cat(payload)))


class Open:
    """Mixed into a component, before it: elaborated at once, so that a proof sees its ``inside`` and adds to its ``module``."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.module = super().elaborate(None)

    def elaborate(self, platform):
        return self.module
