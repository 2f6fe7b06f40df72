"""Configuration: what gives way to what, what is exact, and how a mistake is told."""

import math
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.configuration import Configuration
from control.layers import ConfigurationError, load
from control.parameters import Limits, Quoter, currency
from control.toml import to_toml
from drivers import commands, settings
from wire.records import SET_LIMITS

NOTHING: dict[str, str] = {}


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)  # no hairpin.toml of the checkout

    def write(text: str) -> Path:
        path = tmp_path / "demo.toml"
        path.write_text(text)
        return path

    return write


def mistakes(path: Path | None, environment: dict[str, str] = NOTHING, **flags: object) -> list[str]:
    with pytest.raises(ConfigurationError) as error:
        load(path, environment=environment, flags={"input": flags})
    return str(error.value).splitlines()


def test_defaults_give_way_to_the_file_that_to_the_environment_and_that_to_flags(write) -> None:
    path = write("[input]\nseed = 2\nmessages = 20\nrate = 200\n")
    environment = {"HAIRPIN_INPUT__MESSAGES": "30", "HAIRPIN_INPUT__RATE": "300"}
    made = load(path, environment=environment, flags={"input": {"rate": 400, "seed": None}})
    assert (made.input.source, made.input.seed, made.input.messages, made.input.rate) == (
        "synthetic",
        2,
        30,
        400,
    )


def test_a_symbol_overrides_only_what_it_says(write) -> None:
    path = write("[limits]\nmax_position = 900\nmax_quantity = 90\n[symbols.AMZN.limits]\nmax_position = 70\n")
    made = load(path, environment={"HAIRPIN_SYMBOLS__AMZN__QUOTER__SIZE": "5"})
    amazon, apple = made.symbol("AMZN"), made.symbol("AAPL")
    assert (amazon.limits.max_position, amazon.limits.max_quantity, amazon.quoter.size) == (70, 90, 5)
    assert (apple.limits.max_position, apple.limits.max_quantity, apple.quoter.size) == (900, 90, 100)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[limits]\nmax_quantty = 5",
            "demo.toml:2: limits.max_quantty: there is no such key; did you mean max_quantity?",
        ),
        ("\n[globl]\nrate = 1", "demo.toml:2: globl: there is no such key; did you mean global?"),
        ("[symbols.AMZN.quoter]\nsizee = 1", ":2: symbols.AMZN.quoter.sizee: there is no such key"),
        ("[input]\nseed = -3", "demo.toml:2: input.seed: input should be greater than or equal to 0"),
        ("[limits]\n\nmax_position = 1.5", "demo.toml:3: limits.max_position: "),
        (
            "[quoter]\nhalf_spread = 0.00001",
            ":2: quoter.half_spread: decimal input should have no more than 4 decimal places, and not 0.00001",
        ),
        ("[feed.a]\nloss = 1.5", "demo.toml:2: feed.a.loss: input should be less than or equal to 1"),
        ("[input]\nsymbols = ['amzn']", "demo.toml:2: input.symbols.0: a stock symbol is"),
        ("[limits]\nrate = 1\nburst = 9", "demo.toml:3: limits.burst: 9 messages at 1 per second"),
        ("[quoter]\nsize = true", "demo.toml:2: quoter.size: a number is expected"),
        ("[venue]\nouch = '5.1'", "demo.toml:2: venue.ouch: input should be '4.2' or '5.0'"),
        ("[input\nseed = 3", "demo.toml:1: not TOML: "),
        ("seed", "demo.toml: not TOML: "),
    ],
)
def test_a_mistake_is_told_with_file_line_key_and_reason(write, text: str, said: str) -> None:
    (found,) = mistakes(write(text))
    assert said in found


def test_every_mistake_is_told_at_once_each_where_it_is(write) -> None:
    path = write("[limits]\nmax_position = -1\n[symbols.AMZN.limits]\ncollar = 'x'\n")
    found = mistakes(path, {"HAIRPIN_INPUT__SEDE": "1", "HAIRPIN_CACHE": "/tmp"}, messages=-5)
    assert [line.split(": ")[:2] for line in found] == [
        ["$HAIRPIN_INPUT__SEDE", "input.sede"],
        ["--messages", "input.messages"],
        [f"{path}:2", "limits.max_position"],
        [f"{path}:4", "symbols.AMZN.limits.collar"],
    ]


def test_a_file_that_is_not_there_is_a_mistake_with_its_name(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path / "none.toml")
    assert found == f"{tmp_path / 'none.toml'}: No such file or directory"


def test_toml_decimals_reach_the_device_exactly(write) -> None:
    made = load(write("[limits]\ncollar = 0.1\nmax_notional = 123456789012.3456\n"), environment=NOTHING)
    data = commands.set_limits(0, made.limits.settings())
    assert SET_LIMITS.unpack(data)["collar"] == 1000
    assert SET_LIMITS.unpack(data)["max_notional"] == 1_234_567_890_123_456


def test_a_binary_float_is_refused() -> None:
    with pytest.raises(ValueError, match="binary float is not exact"):
        Limits(collar=0.1)


@given(st.integers(0, 1_999_999_900))
def test_a_price_survives_the_way_to_the_device_and_back(units: int) -> None:
    assert settings.price(currency(units)) == units


def test_quoter_ticks_are_the_currency_over_the_tick_in_q16_16() -> None:
    quoter = Quoter(half_spread="0.025", offset="-0.01", skew="0.005", min_change="0.015")
    made = quoter.settings(Decimal("0.01"))
    assert made.half_spread == round(2.5 * 65536)
    assert made.offset == -65536
    assert made.skew == 328  # half a tick per 100 shares: 327.68
    assert made.min_change == 2  # not less than was asked for


def test_weights_are_per_share_and_per_squared_half_tick() -> None:
    made = Quoter(order_flow="0.01", trade_flow="-0.02", variance=100, min_life_ns=7).settings(Decimal("0.01"))
    assert (made.ofi_weight, made.trade_weight) == (655, -1311)  # a tick and two per 100 shares: 655.36, 1310.72
    assert made.variance_weight == 65536 // 4  # 100 * 0.005^2 currency are a quarter of a tick
    assert made.min_life == 7


@pytest.mark.parametrize("half_life", [1_000, 1_234_567, 10**9, 10**12])
def test_a_half_life_is_that_of_the_decay_within_a_half_of_its_power_of_two(half_life: int) -> None:
    decay = Quoter(half_life_ns=half_life).settings(Decimal("0.01")).decay
    halved = (1 << 8 + decay) * math.log(0.5) / math.log(7 / 8)
    assert decay in (0, 31) or 2**-0.51 < halved / half_life < 2**0.51


def test_a_quoter_value_that_the_device_cannot_hold_is_named() -> None:
    with pytest.raises(ValueError, match=r"^offset: 50000"):
        Quoter(offset=50_000).settings(Decimal("0.01"))


@pytest.mark.parametrize(("rate", "burst"), [(3, 1), (1000, 5), (7, 20)])
def test_a_burst_passes_and_one_more_does_not(rate: int, burst: int) -> None:
    """The device's rule (docs/architecture.md, section 8), walked through at one moment."""
    limits = Limits(rate=rate, burst=burst)
    now, arrival, passed = 10**12, 0, 0
    while not arrival > now + limits.rate_burst:
        arrival = max(arrival, now) + limits.rate_interval
        passed += 1
    assert passed == burst


def test_what_config_show_prints_gives_the_same_configuration(write) -> None:
    text = "[symbols.'BRK.B'.quoter]\nsize = 7\n[global]\nrate = 5000\n[feed.common]\nrate = 0.25\n"
    made = load(write(text), environment=NOTHING)
    assert load(write(to_toml(made)), environment=NOTHING) == made


def test_defaults_are_what_no_file_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load(environment=NOTHING) == Configuration()


def test_hairpin_toml_here_is_taken_and_hairpin_config_before_it(write, monkeypatch: pytest.MonkeyPatch) -> None:
    here = write("[input]\nseed = 11\n")
    here.rename(here.with_name("hairpin.toml"))
    other = write("[input]\nseed = 12\n")
    assert load(environment=NOTHING).input.seed == 11
    assert load(environment={"HAIRPIN_CONFIG": str(other)}).input.seed == 12


def test_fix_sessions_are_named_after_their_clients_and_come_back_from_toml(write) -> None:
    text = '[fix.sessions.alpha]\ntarget = "A"\nversion = "FIX.4.2"\nrate = 100\nburst = 10\n'
    made = load(write(text + '[fix.sessions.clearing]\nkind = "drop_copy"\ntarget = "C"\n'), environment=NOTHING)
    assert [(name, each.kind, each.target) for name, each in made.fix.sessions.items()] == [
        ("alpha", "orders", "A"),
        ("clearing", "drop_copy", "C"),
    ]
    assert load(write(to_toml(made)), environment=NOTHING) == made


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[fix.sessions.api]\ntarget = "A"\n', "api is the name of a client that is there already"),
        ('[fix.sessions.a]\ntarget = "A"\n[fix.sessions.b]\ntarget = "A"\n', "a and b have the same version and CompIDs"),
        ('[fix.sessions.a]\nsender = "X"\n', "fix.sessions.a.target"),
        ('[fix.sessions.a]\ntarget = "A"\nversion = "FIX.4.3"\n', "FIX.4.2"),
        ('[fix.sessions.A]\ntarget = "A"\n', "fix.sessions.A"),
    ],
)
def test_a_fix_session_that_cannot_be_is_told(write, text: str, told: str) -> None:
    assert told in "\n".join(mistakes(write(text)))
