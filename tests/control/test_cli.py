"""The command line around `run` and `serve`: help, doctor, version, configuration."""

import json
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from control import VERSION
from control.cli import app
from control.doctor import State, _locked, as_json, examine

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("numba", "plotly", "fastapi", "uvicorn", "numpy", "amaranth", "cffi")


def invoke(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.stdout


def test_help_imports_nothing_heavy_and_names_every_command() -> None:
    code = (
        "import sys\nfrom control.cli import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    begin = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert time.monotonic() - begin < 15  # about 0.4 s where nothing else runs
    for command in ("run", "serve", "doctor", "version", "config"):
        assert command in done.stdout


def test_version_is_that_of_the_distribution() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert invoke("version").strip() == f"hairpin {declared}"
    assert json.loads(invoke("version", "--json")) == {"version": VERSION}


def test_doctor_says_of_everything_whether_it_is_there_and_what_to_do() -> None:
    told = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).stdout)
    assert told["schema"] == "hairpin.doctor/1"
    names = {each["name"] for each in told["findings"]}
    assert {"python", "g++", "make", "perl", "verilator", "tshark", "recorded data", "routed clock"} <= names
    for each in told["findings"]:
        assert each["detail"], each
        assert each["needed_for"], each
        assert each["state"] == "good" or each["remedy"], each


def test_doctor_finds_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    found = {each.name: each for each in examine()}
    assert found["g++"].state is State.MISSING
    assert "apt-get install g++" in found["g++"].remedy
    assert found["tshark"].state is State.OPTIONAL
    assert as_json(list(found.values()))["ok"] is False


def test_doctor_reads_a_lock_with_its_markers() -> None:
    text = (
        "numpy==2.4.6 \\\n    --hash=sha256:00\n"
        "colorama==0.4.6 ; sys_platform == 'win32' \\\n    --hash=sha256:01\n"
        "tomli==2.0.1 ; python_full_version >= '3.11' \\\n    --hash=sha256:02\n# comment\n"
    )
    assert _locked(text) == {"numpy": "2.4.6", "tomli": "2.0.1"}


def test_config_commands_show_check_and_describe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shown = tomllib.loads(invoke("config", "show"))
    as_object = json.loads(invoke("config", "show", "--json"))
    assert {name for name, value in as_object.items() if value} == shown.keys()
    schema = json.loads(invoke("config", "schema"))
    assert {"input", "limits", "quoter", "global", "symbols", "device", "serve"} <= schema["properties"].keys()
    invoke("config", "check", str(ROOT / "examples" / "demo.toml"))
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[inptu]\nseed = 1\n")
    result = CliRunner().invoke(app, ["config", "check", str(wrong)])
    assert result.exit_code == 2
    assert f"{wrong}:1: inptu: there is no such key; did you mean input?" in result.stderr
