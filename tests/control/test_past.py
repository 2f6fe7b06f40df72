"""A restart: the desk stands as it did, through the journal alone, at any point of a day."""

import random
from copy import deepcopy
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from control.cli import app
from control.entries import Changed, Cleared, Killed, Started, described, read
from control.journal import entries, verify
from control.keeper import Keeper
from control.parameters import Limits, PortfolioLimits, Quoter, Taker
from control.past import past_of
from control.store import Journal, Record
from control.store.committer import Committer
from drivers.device import Position
from tests.control.order_desk import Trading
from wire.records import Side


def standing(made: Trading) -> dict[str, object]:
    """All that an operator set, and where the device stands."""
    desk = made.desk
    positions: dict[str, Position] = desk.positions()
    watch = desk.watch
    return {
        "limits": desk.limits,
        "quoters": desk.quoters,
        "takers": desk.takers,
        "portfolio": desk.portfolio,
        "enabled": desk.enabled,
        "reasons": watch.kill_reasons,
        "killed": (watch.killed, watch.killed_strategies, watch.killed_symbols),
        "positions": {stock: (each.position, each.cash) for stock, each in positions.items()},
    }


def disturb(made: Trading, rng: random.Random, count: int) -> None:
    """Things that operators and clients do."""
    desk = made.desk
    for n in range(count):
        stock = rng.choice(desk.stocks)
        match rng.randrange(9):
            case 0:
                desk.set_limits(stock, Limits(max_position=rng.randrange(500, 2_000)), who="somebody")
            case 1:
                desk.set_quoter(stock, Quoter(enabled=False, size=rng.randrange(1, 100)))
            case 2:
                desk.set_taker(stock, Taker(value=Decimal(rng.randrange(100)), max_age_ns=0))
            case 3:
                desk.set_portfolio(PortfolioLimits(max_gross=Decimal(rng.randrange(10**6, 10**7))))
            case 4:
                desk.enable(stock, rng.random() < 0.7)
            case 5:
                scope = rng.choice(({}, {"stock": stock}, {"strategy": rng.randrange(16)}))
                desk.kill(f"drill {n}", **scope)
            case 6:
                desk.clear_kill(**rng.choice(({}, {"stock": stock}, {"strategy": rng.randrange(16)})))
            case _:
                _, ask = made.best(stock)
                made.submit(f"{len(made.oms.orders)}", stock=stock, price=ask + 100, quantity=rng.randrange(1, 60), side=Side.BUY)
                made.advance()


def test_a_restart_at_any_point_stands_as_the_process_did(seed: int) -> None:
    rng = random.Random(seed)
    made = Trading()
    at: list[tuple[int, dict[str, object]]] = []
    for _ in range(6):
        disturb(made, rng, 8)
        at.append((len(made.disk.entries), deepcopy(standing(made))))
    made.close()
    for count, stood in at:
        again = Trading(entries=made.disk.entries[:count])
        assert standing(again) == stood
        assert again.said == []
        assert len(again.disk.entries) == count  # what was set again is not written again
        again.close()


def test_what_is_killed_stays_killed_and_says_who_and_why() -> None:
    made = Trading()
    made.desk.kill("fills look wrong", who="anna")
    made.close()
    again = Trading(entries=made.disk.entries)
    assert again.submit().result(0).ended is not None
    assert again.desk.watch.kill_reasons == {"global": "fills look wrong"}
    (entry,) = (read(each) for each in made.disk.entries)
    assert entry == Killed(reason="fills look wrong", who="anna")
    again.desk.clear_kill()
    assert again.submit("B").result(0).sent is not None
    again.close()


def test_a_taker_whose_value_has_aged_stays_off() -> None:
    made = Trading()
    made.clock -= 1_000_000_000
    made.desk.set_taker("AMZN", Taker(enabled=True, value=Decimal(1), max_age_ns=1_000))
    made.desk.set_taker("AAPL", Taker(enabled=True, value=Decimal(1), max_age_ns=0))
    made.close()
    again = Trading(entries=made.disk.entries)
    assert [each.value.enabled for each in again.desk.takers.values()] == [False, True]
    again.close()


def test_what_is_not_followed_any_more_is_told() -> None:
    limits = Changed(setting="limits", stock="IBM", value=Limits().model_dump(mode="json"), version=2, who="api")
    again = Trading(entries=[Record(1, 1, limits.KIND, limits.pack())])
    assert again.said == ["IBM: its limits from before is left, the device does not follow it"]
    again.close()


@pytest.mark.parametrize(
    "entry",
    [
        Started(run=3, device="twin", version="0.1.0"),
        Changed(setting="enabled", stock="AMZN", value={"enabled": False}, version=4, who="api"),
        Killed(strategy=7, reason="odd", who="api"),
        Cleared(stock="AMZN", who="api"),
    ],
)
def test_an_entry_comes_back_as_it_was(entry) -> None:
    record = Record(1, 2, entry.KIND, entry.pack())
    assert read(record) == entry
    told = described(record)
    assert told["kind"] == type(entry).__name__.lower()
    assert entry.model_dump(mode="json").items() <= told.items()


# -- on a disk -----------------------------------------------------------------------------------


def test_a_keeper_goes_on_when_its_journal_fails_and_says_so_once(tmp_path: Path) -> None:
    broken = False

    def sync(file: int) -> None:
        if broken:
            raise OSError(5, "Input/output error")

    keeper = Keeper(Committer(Journal(tmp_path, sync=sync)))
    told: list[str] = []
    keeper.on_failure(told.append)
    assert keeper.append(16, b"one", 1).result(10) == 2
    broken = True
    for _ in range(2):
        assert keeper.append(16, b"two", 2).exception(10) is not None
    assert len(told) == 1
    assert "Input/output error" in told[0]
    assert keeper.failure == told[0]
    keeper.close()


def test_the_command_shows_and_verifies(tmp_path: Path) -> None:
    made = Trading()
    made.desk.kill("drill", who="anna")
    made.desk.clear_kill()
    made.submit(quantity=5_000)
    made.close()
    with Journal(tmp_path) as journal:
        for each in made.disk.entries:
            journal.append(each.kind, each.payload, each.timestamp)
        journal.commit()
        shown = CliRunner().invoke(app, ["journal", "show", str(tmp_path), "--json"])  # while it is open
    lines = shown.stdout.splitlines()
    assert len(lines) == len(made.disk.entries) == 4
    assert '"reasons":["max_quantity"' in lines[-1]
    assert [each.payload for each in entries(tmp_path)] == [each.payload for each in made.disk.entries]
    table = CliRunner().invoke(app, ["journal", "show", str(tmp_path)])
    assert "fills" not in table.stdout
    assert "who=anna" in table.stdout
    good = CliRunner().invoke(app, ["journal", "verify", str(tmp_path), "--json"])
    assert (good.exit_code, verify(tmp_path).entries, verify(tmp_path).good) == (0, 4, True)
    path = tmp_path / "00000001.journal"
    data = bytearray(path.read_bytes())
    data[256 + 60] ^= 1
    path.write_bytes(data)
    bad = CliRunner().invoke(app, ["journal", "verify", str(tmp_path)])
    assert bad.exit_code == 1
    assert "record 1 (byte 256): broken" in bad.stdout
    assert CliRunner().invoke(app, ["journal", "verify", str(tmp_path / "nowhere")]).exit_code == 2


def test_orders_come_back_from_the_disk(tmp_path: Path) -> None:
    made = Trading()
    disturb(made, random.Random(4), 10)
    made.close()
    with Journal(tmp_path) as journal:
        for each in made.disk.entries:
            journal.append(each.kind, each.payload, each.timestamp)
        journal.commit()
    past = past_of(entries(tmp_path), Keeper())
    assert past.oms.orders == made.oms.orders


def test_a_position_is_the_device_s_again() -> None:
    made = Trading()
    _, ask = made.best()
    order = made.submit(price=ask + 100, quantity=50).result(0)
    made.advance(2)
    assert order.executed == 50
    made.close()
    again = Trading(entries=made.disk.entries)
    position = again.desk.positions()["AMZN"]
    assert (position.position, position.cash) == (50, -order.notional)
    again.close()
