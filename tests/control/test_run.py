"""`hairpin run` on software: the same answer twice, a report that adds up, and a page that needs nobody."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from control.cli import app
from control.report import Report, without_timing
from tests.shared_data import shared_data
from wire import ouch42, ouch50, pcap, soupbintcp
from wire.appendage import element

MESSAGES = "3000"


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration of the checkout or of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HAIRPIN_CONFIG", raising=False)


def hairpin(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result.stdout


def run(*arguments: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(hairpin("run", "--json", "--no-page", "--messages", MESSAGES, *arguments))
    return told


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    result = CliRunner().invoke(app, ["run", "--json", "--no-page", "--messages", MESSAGES, "--seed", "5"])
    assert result.exit_code == 0, result.output
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def test_the_same_run_gives_the_same_report_but_for_its_timing(told: dict[str, Any]) -> None:
    again = run("--seed", "5")
    assert without_timing(again) == without_timing(told)
    assert again["devices"][0]["timing"] != told["devices"][0]["timing"]
    other = run("--seed", "6")
    assert other["devices"][0]["events_sha256"] != told["devices"][0]["events_sha256"]


def test_the_report_is_of_its_schema(told: dict[str, Any]) -> None:
    assert told["schema"] == "hairpin.report/1"
    assert Report.model_validate(told).model_dump(mode="json", by_alias=True) == told
    with pytest.raises(ValueError, match="extra"):
        Report.model_validate(told | {"more": 1})


def test_the_report_adds_up(told: dict[str, Any]) -> None:
    (device,) = told["devices"]
    feed, orders, symbols = device["feed"], device["orders"], device["symbols"]
    assert sum(told["input"]["by_type"].values()) == told["input"]["messages"] == feed["messages"]
    assert feed["by_type"] == told["input"]["by_type"]
    assert sum(each["orders_sent"] for each in symbols) == orders["new"] + orders["replace"] + orders["cancel"] > 50
    assert sum(each["fills"] for each in symbols) == orders["executed"]
    for each in symbols:
        assert each["bought"] - each["sold"] == each["position"]
        assert float(each["pnl"]) == pytest.approx(float(each["cash"]) + each["position"] * float(each["mark"]))
        assert [float(level["price"]) for level in each["bids"]] == sorted(
            (float(level["price"]) for level in each["bids"]), reverse=True
        )
    assert float(device["pnl"]) == pytest.approx(sum(float(each["pnl"]) for each in symbols))
    assert device["rejects"] == {
        name.removeprefix("refused_"): count
        for name, count in device["counters"].items()
        if name.startswith("refused_") and count
    }
    latency = device["timing"]["latency"]
    assert sum(count for _, count in latency["histogram"]) == latency["count"] == told["input"]["inputs"]
    assert told["parity"] is None


def test_limits_of_a_file_are_the_devices(told: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "tight.toml"
    file.write_text("[limits]\nmax_quantity = 99\n[symbols.HPNB.limits]\nmax_quantity = 100\n")
    report = run("--seed", "5", "--config", str(file))
    by_stock = {each["stock"]: each for each in report["devices"][0]["symbols"]}
    assert by_stock["HPNA"]["orders_sent"] == 0 < by_stock["HPNA"]["orders_refused"]
    assert by_stock["HPNB"]["orders_sent"] > 0
    assert report["devices"][0]["rejects"]["max_quantity"] >= by_stock["HPNA"]["orders_refused"]


def test_chosen_stocks_are_followed_in_that_order() -> None:
    report = run("--symbols", "TWO,ONE")
    assert report["input"]["stocks"] == ["TWO", "ONE"]


def test_lost_messages_are_asked_for_and_trust_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "lossy.toml"
    file.write_text("[feed.common]\nrate = 0.005\n")
    feed = run("--config", str(file))["devices"][0]["feed"]
    assert feed["gaps"] == feed["recovered"] > 3
    assert feed["packets_recovery"] >= feed["gaps"]
    assert feed["lost"] > 0


# -- text, page, capture -------------------------------------------------------------------------


def test_data_is_on_standard_output_and_progress_on_standard_error(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["run", "--messages", "500", "--report", str(tmp_path / "r" / "a.html")])
    assert result.exit_code == 0, result.output
    assert "Books and positions" in result.stdout
    assert "messages/s, venue included" in result.stderr
    assert "venue included" not in result.stdout
    assert (tmp_path / "r" / "a.html").stat().st_size > 1_000_000


def test_the_page_holds_all_that_it_needs(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    hairpin("run", "--messages", MESSAGES, "--report", str(page))
    text = page.read_text()
    start = text.index("<script>")
    plotly, ours = text[start : text.rindex("<script>")], text[:start] + text[text.rindex("<script>") :]
    assert len(plotly) > 1_000_000
    addresses = set(re.findall(r"https?://[^\s\"'<>]+", ours)) - {"http://www.w3.org/2000/svg"}
    assert addresses == set()
    assert not re.search(r"(?:src|href)=[\"'](?!data:)|@import|url\(", ours)
    assert "default-src 'none'" in ours
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)[1])
    assert data["report"]["schema"] == "hairpin.report/1"
    line = data["series"]["HPNA"]["bid"]
    assert len(line["at"]) == len(line["value"]) > 10


@pytest.mark.browser
def test_the_page_draws_its_plots_and_asks_nobody(tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    page_file = tmp_path / "report.html"
    hairpin("run", "--messages", MESSAGES, "--report", str(page_file))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        asked: list[str] = []
        wrong: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(page_file.as_uri())
        page.wait_for_selector("#market .main-svg")
        assert page.locator("#market .scatterlayer .trace").count() >= 6
        page.get_by_role("tab").nth(1).click()
        assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
        assert wrong == []


def test_the_capture_has_every_packet_both_ways(tmp_path: Path) -> None:
    path = tmp_path / "out" / "run.pcap"
    report = run("--pcap", str(path))
    (device,) = report["devices"]
    packets = pcap.read(path)
    assert [each.timestamp for each in packets] == sorted(each.timestamp for each in packets)
    udp = [each for each in packets if each.data[23] == 17]
    ours = [each for each in packets if each.data[23] == 6 and each.data[26:30] == bytes([10, 0, 0, 2])]
    assert len(udp) == device["feed"]["frames"]
    assert len(ours) == device["outputs"]
    assert len(packets) - len(udp) - len(ours) > 0
    kinds = [each.data[54 + soupbintcp.HEADER_LENGTH - 1] for each in ours]
    entered = [each.data[57:] for each in ours if each.data[56:58] == b"UO"]
    assert kinds[0] == ord("L")
    assert len(entered) == device["orders"]["new"]
    first = ouch42.INBOUND.unpack(entered[0][: ouch42.ENTER_ORDER.length])
    assert first["order_token"].startswith("HP")


def test_a_run_in_the_other_ouch_has_the_same_events(told: dict[str, Any], tmp_path: Path, monkeypatch) -> None:
    """What happens does not hang on the words: only the packets differ."""
    monkeypatch.setenv("HAIRPIN_VENUE__OUCH", "5.0")
    path = tmp_path / "run.pcap"
    (other,), (device,) = run("--seed", "5", "--pcap", str(path))["devices"], told["devices"]
    same = ("events", "events_sha256", "outputs", "orders", "pnl")
    assert {name: other[name] for name in same} == {name: device[name] for name in same}
    assert other["outputs_sha256"] != device["outputs_sha256"]
    orders = [each.data[57:] for each in pcap.read(path) if each.data[23] == 6 and each.data[56:58] == b"UO"]
    assert {len(each) for each in orders} == {ouch50.ENTER_ORDER.length + element("firm").length}


@pytest.mark.tshark
def test_the_capture_is_dissected_without_a_complaint(tmp_path: Path) -> None:
    path = tmp_path / "run.pcap"
    run("--pcap", str(path))
    wrong = "_ws.malformed || _ws.expert.severity == error"
    asked = ["tshark", "-r", str(path), "-Y", wrong, "-T", "fields", "-e", "frame.number"]
    found = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


@pytest.mark.twin
@pytest.mark.gateware
def test_a_run_on_the_card_can_be_watched_signal_by_signal(tmp_path: Path) -> None:
    file, wave = tmp_path / "small.toml", tmp_path / "run.fst"
    file.write_text("[device]\nsymbols = 2\nlevels = 64\norders = 64\n[input]\nsymbols = [\"ONE\"]\norders = 40\n")
    result = CliRunner().invoke(
        app, ["run", "--device", "twin", "--no-page", "-n", "20", "-c", str(file), "--waveform", str(wave)]
    )
    assert result.exit_code == 0, result.output
    assert wave.read_bytes()[0] == 0  # FST begins with its header block
    assert wave.stat().st_size > 10_000
    with pytest.raises(SystemExit):
        app(["run", "--no-page", "--waveform", str(wave)])


# -- files ---------------------------------------------------------------------------------------


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("name", "stock"),
    [
        ("itch/AMZN_2012-06-21_full_day_level5.itch.gz", "AMZN"),
        ("lobster/LOBSTER_SampleFile_AMZN_2012-06-21_5.zip", "AMZN"),
    ],
)
def test_recorded_data_is_traded_on(name: str, stock: str) -> None:
    report = run("--input", str(shared_data(name)), "--symbols", stock, "--messages", "4000")
    (device,) = report["devices"]
    assert report["input"]["messages"] == device["feed"]["messages"] == 4000
    assert device["symbols"][0]["stock"] == stock
    assert device["symbols"][0]["trusted"]
    assert device["orders"]["new"] > 0


# -- what goes wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--input", "none.itch"], "none.itch: No such file or directory"),
        (["--symbols", "lower"], "--symbols: input.symbols.0: a stock symbol is"),
        (["--seed", "-1"], "--seed: input.seed: "),
        (["--config", "none.toml"], "none.toml: No such file or directory"),
        (["--device", "toaster"], "toaster"),
        (["--messages", "many"], "--messages"),
    ],
)
def test_what_is_used_wrongly_ends_with_2_and_says_what(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(app, ["run", "--no-page", *arguments])
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_a_file_that_is_nothing_known_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "noise.bin"
    path.write_bytes(b"\xff" * 1000)
    result = CliRunner().invoke(app, ["run", "--no-page", "--input", str(path)])
    assert result.exit_code == 2
    assert "noise.bin" in result.stderr


def test_a_stock_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "day.itch"
    from sim.sources import itch_file
    from sim.sources.flow import FlowConfig, flow

    itch_file.write(path, flow(FlowConfig(messages=100)))
    result = CliRunner().invoke(app, ["run", "--no-page", "--input", str(path), "--symbols", "NONE"])
    assert result.exit_code == 2
    assert "NONE" in result.stderr
