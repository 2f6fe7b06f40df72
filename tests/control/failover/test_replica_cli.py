"""``hairpin standby`` and ``[replication]``: what is wrong is told, and where."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from control.cli import app
from control.configuration import Configuration
from control.layers import load
from control.store import Journal
from control.toml import to_toml


def standby(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["standby", *arguments])
    return result.exit_code, " ".join(result.output.split())


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        ((), 1, "replication.servers: empty"),
        (("--nats", "10.0.0.1"), 2, "replication.servers"),
        (("--nats", "nats://10.0.0.1:4222", "--stream", "a.b"), 2, "replication.stream"),
        (("--force",), 2, "--force and --accept-loss are about a promotion: they go with --promote"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, arguments: tuple[str, ...], code: int, text: str) -> None:
    found, told = standby("--journal", str(tmp_path / "journal"), *arguments)
    assert found == code
    assert text in told


def test_a_journal_that_another_process_writes_is_named(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal"):
        code, told = standby("--journal", str(tmp_path / "journal"), "--nats", "nats://127.0.0.1:9")
    assert code == 1
    assert "written by another process" in told


def test_the_section_survives_being_written_and_read(tmp_path: Path) -> None:
    file = tmp_path / "hairpin.toml"
    file.write_text('[replication]\nservers = ["nats://10.0.0.1:4222", "tls://10.0.0.2:4222"]\nmode = "local"\n')
    chosen = load(file)
    file.write_text(to_toml(chosen))
    assert load(file).replication == chosen.replication
    assert chosen.replication.servers == ("nats://10.0.0.1:4222", "tls://10.0.0.2:4222")
    assert Configuration().replication.servers == ()
