"""One declaration, four views of the bytes: Python, NumPy, compiled code, Amaranth."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from tests.wire.declared import FAMILIES, RECORDS, values_of
from wire import buffers, itch
from wire.errors import FieldError, LengthError, TypeCodeError
from wire.layout import Record, field

records = pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS.keys())


def as_integer(f: Any, value: Any, order: str) -> int:
    """What a compiled reader gives for a field value."""
    if f.kind in ("int", "signed"):
        return int(value)
    piece = value.encode().ljust(f.width) if f.kind == "alpha" else value
    return int.from_bytes(piece, order)  # type: ignore[arg-type]


@records
@settings(max_examples=20)
@given(data=st.data())
def test_packed_values_come_back(record: Record, data: st.DataObject) -> None:
    values = data.draw(values_of(record))
    packed = record.pack(values)
    assert len(packed) == record.length
    assert record.unpack(packed) == values
    assert record.unpack(b"??" + packed + b"?", 2, exact=False) == values


@records
@settings(max_examples=20)
@given(data=st.data())
def test_numpy_sees_the_same_values(record: Record, data: st.DataObject) -> None:
    values = data.draw(values_of(record))
    packed = record.pack(values)
    assert record.dtype.itemsize == record.length
    row = np.frombuffer(packed, record.dtype)[0]
    for f in record.fields:
        assert record.dtype.fields is not None
        assert record.dtype.fields[f.name][1] == f.offset
        seen = row[f.name]
        if f.kind == "alpha":
            assert seen.decode().rstrip(" ") == values[f.name].rstrip("\0")
        elif f.kind == "raw":
            assert seen.tobytes() == values[f.name]
        elif isinstance(seen, np.ndarray):
            assert int.from_bytes(seen.tobytes(), record.order) == values[f.name] % (1 << 8 * f.width)
        else:
            assert int(seen) == values[f.name]


# All distinct field places, read and written by one compiled function each: a compilation per field would
# take minutes.
PLACES = sorted(
    {
        (f.offset, f.width, f.kind == "signed", r.order)
        for r in RECORDS.values()
        for f in r.fields
        if f.width <= 8
    }
)
ROW = max(offset + width for offset, width, *_ in PLACES)


def _compiled(lines: list[str], header: str, scope: dict[str, Any]) -> Any:
    exec("\n".join([header, *("    " + line for line in lines)]), scope)
    return njit(scope["function"])


@pytest.fixture(scope="module")
def read_all() -> Any:
    scope = {f"r{i}": buffers.reader(*place) for i, place in enumerate(PLACES)}
    lines = [f"out[{i}] = np.uint64(r{i}(buffer, at))" for i in range(len(PLACES))]
    return _compiled(lines, "def function(buffer, at, out):", {**scope, "np": np})


@pytest.fixture(scope="module")
def write_all() -> Any:
    scope = {f"w{i}": buffers.writer(o, w, order) for i, (o, w, _, order) in enumerate(PLACES)}
    lines = [f"w{i}(buffer, {i * ROW}, values[{i}])" for i in range(len(PLACES))]
    return _compiled(lines, "def function(buffer, values):", {**scope, "np": np})


def test_compiled_readers_of_every_field_see_the_same_values(read_all: Any, rng: np.random.Generator) -> None:
    at = 3
    buffer = rng.integers(0, 256, ROW + at, dtype=np.uint8)
    for seen in (buffer, np.frombuffer(buffer.tobytes(), np.uint8)):  # writable, and not
        out = np.zeros(len(PLACES), np.uint64)
        read_all(seen, at, out)
        for (offset, width, signed, order), value in zip(PLACES, out.tolist(), strict=True):
            piece = buffer[at + offset : at + offset + width].tobytes()
            expected = int.from_bytes(piece, order, signed=signed)  # type: ignore[arg-type]
            assert value == expected % (1 << 64), (offset, width, signed, order)
            assert buffers.reader(offset, width, signed, order)(buffer, at) == expected  # type: ignore[arg-type]


def test_compiled_writers_of_every_field_change_it_and_nothing_else(
    write_all: Any, rng: np.random.Generator
) -> None:
    values = rng.integers(0, 1 << 64, len(PLACES), dtype=np.uint64)
    for kind in (np.uint64, np.int64):
        buffer = np.full(len(PLACES) * ROW, 0x5A, np.uint8)
        expected = buffer.copy()
        write_all(buffer, values.astype(kind))
        plain = np.full_like(buffer, 0x5A)
        for i, ((offset, width, _, order), value) in enumerate(zip(PLACES, values.tolist(), strict=True)):
            piece = (value % (1 << 8 * width)).to_bytes(width, order)  # type: ignore[arg-type]
            begin = i * ROW + offset
            expected[begin : begin + width] = np.frombuffer(piece, np.uint8)
            buffers.writer(offset, width, order)(plain, i * ROW, value)  # type: ignore[arg-type]
        assert buffer.tobytes() == expected.tobytes()
        assert plain.tobytes() == expected.tobytes()


@records
@settings(max_examples=5)
@given(data=st.data())
def test_readers_called_from_python_agree_with_unpack(record: Record, data: st.DataObject) -> None:
    values = data.draw(values_of(record))
    buffer = np.frombuffer(b"?" + record.pack(values), np.uint8)
    rebuilt = np.frombuffer(record.pack(), np.uint8).copy()
    for f in record.fields:
        if f.width <= 8:
            number = as_integer(f, values[f.name], record.order)
            assert record.reader(f.name)(buffer, 1) == number
            record.writer(f.name)(rebuilt, 0, number)
        else:
            rebuilt[f.offset : f.end] = buffer[1 + f.offset : 1 + f.end]
    assert rebuilt.tobytes() == buffer[1:].tobytes()


@pytest.mark.gateware
@records
@settings(max_examples=5)
@given(data=st.data())
def test_amaranth_sees_the_same_values(record: Record, data: st.DataObject) -> None:
    from amaranth.hdl import Const, Shape, unsigned

    values = data.draw(values_of(record))
    packed = record.pack(values)
    whole = Const(int.from_bytes(packed, "little"), unsigned(8 * record.length))
    assert Shape.cast(record.layout()).width == 8 * record.length
    for f in record.fields:
        if f.kind == "signed":  # a cast is an operator: the simulator evaluates it, below
            continue
        order = record.order if f.kind == "int" else "little"
        expected = int.from_bytes(packed[f.offset : f.end], order)
        assert Const.cast(record.bits(whole, f.name)).value == expected, f.name
    assert Const.cast(record.octets(values)).value == whole.value
    assert len(record.octets({})) == 8 * record.length


@pytest.mark.gateware
@pytest.mark.parametrize("order", ["big", "little"])
def test_amaranth_extends_signed_and_narrow_values(order: Any) -> None:
    from amaranth.hdl import Module, Signal, signed
    from amaranth.sim import Simulator

    record = Record(
        "Sample", field("count", 4), field("change", 3, "signed"), field("name", 2, "alpha"), order=order
    )
    count, change, packed = Signal(7), Signal(signed(9)), Signal(8 * record.length)
    back, back_change = Signal(32), Signal(signed(24))
    module = Module()
    module.d.comb += [
        packed.eq(record.octets({"count": count, "change": change, "name": "AB"})),
        back.eq(record.bits(packed, "count")),
        back_change.eq(record.bits(packed, "change")),
    ]

    async def bench(ctx: Any) -> None:
        for a, b in ((0, 0), (127, -256), (5, 255), (1, -1)):
            ctx.set(count, a)
            ctx.set(change, b)
            await ctx.delay(1e-9)
            assert ctx.get(packed).to_bytes(record.length, "little") == record.pack(
                count=a, change=b, name="AB"
            )
            assert (ctx.get(back), ctx.get(back_change)) == (a, b)

    simulator = Simulator(module)
    simulator.add_testbench(bench)
    simulator.run()


@records
def test_a_short_or_long_record_is_refused_naming_its_place(record: Record) -> None:
    packed = record.pack()
    for data, at, found in (
        (packed[:-1], 0, record.length - 1),
        (packed + b"\0", 0, record.length + 1),
        (b"??" + packed[:-1], 2, record.length - 1),
    ):
        with pytest.raises(LengthError) as caught:
            record.unpack(data, at)
        error = caught.value
        assert (error.record, error.offset, error.expected, error.found) == (
            record.name,
            at,
            record.length,
            found,
        )


@records
def test_a_wrong_type_character_is_refused(record: Record) -> None:
    if record.code is None:
        return
    packed = bytearray(b"?" + record.pack())
    for code in (ord("~"), 0xFF):
        packed[1] = code
        with pytest.raises(TypeCodeError) as caught:
            record.unpack(packed, 1)
        error = caught.value
        assert (error.record, error.offset, error.expected, error.found) == (
            record.name,
            1,
            record.code,
            code,
        )


@records
def test_values_that_do_not_fit_are_refused_naming_the_field(record: Record) -> None:
    for f in record.fields:
        bad: list[Any] = {
            "int": [-1, 1 << 8 * f.width, 1.5, "1"],
            "signed": [-(1 << 8 * f.width - 1) - 1, 1 << 8 * f.width - 1, 0.0],
            "alpha": ["x" * (f.width + 1), "é", b"x" * (f.width + 1), 7],
            "raw": [b"x" * (f.width + 1), 7],
        }[f.kind]
        for value in bad:
            with pytest.raises(FieldError) as caught:
                record.pack({f.name: value})
            assert (caught.value.record, caught.value.field, caught.value.offset) == (
                record.name,
                f.name,
                f.offset,
            )
            assert caught.value.value == value
    with pytest.raises(FieldError, match="no such field"):
        record.pack(nonsense=1)


def test_text_that_is_not_ascii_is_refused_naming_its_byte() -> None:
    packed = bytearray(itch.ADD_ORDER.pack(stock="AAPL"))
    packed[25] = 0xC3
    with pytest.raises(FieldError) as caught:
        itch.ADD_ORDER.unpack(b"?" + packed, 1)
    assert (caught.value.field, caught.value.offset) == ("stock", 25)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_family_knows_its_types_and_refuses_others(family: Any) -> None:
    for i, record in enumerate(family.records):
        packed = record.pack()
        assert family.of(packed) is record
        assert family.unpack(packed) == record.unpack(packed)
        assert family.lengths[ord(record.code)] == record.length
        assert family.indices[ord(record.code)] == i
    unknown = [code for code in range(256) if code not in family.by_code]
    assert not family.lengths[unknown].any()
    assert (family.indices[unknown] == -1).all()
    for code in unknown:
        with pytest.raises(TypeCodeError) as caught:
            family.unpack(bytes([0, code]), 1)
        assert (caught.value.offset, caught.value.found) == (1, code)
    with pytest.raises(LengthError):
        family.unpack(b"")


def test_a_declaration_that_cannot_be_is_refused() -> None:
    for fields in ([field("a", 0)], [field("a", 9)], [field("a", 1), field("a", 1)]):
        with pytest.raises(ValueError, match="Broken"):
            Record("Broken", *fields)
