"""The API over a journal on a disk: what was answered is there after a restart, and a disk that fails stops the trading."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn

from control.api import auth
from control.api.app import PREFIX, create
from control.api.context import Context
from control.desk import Desk
from control.event_log import EventLog
from control.keeper import Keeper
from control.live import Owner
from control.oms.flow import OrderFlow
from control.past import hold, past_of, restore
from control.store import Journal
from control.store.committer import Committer
from tests.control.small_market import SmallMarket, small_configuration
from tests.control.test_api import BUY, Client, problem, until


@contextmanager
def serving(state: Path, sync: Callable[[int], None] | None = None) -> Iterator[Client]:
    """As `hairpin serve` does it, over a market that stands still."""
    configuration = small_configuration(quoter={"enabled": False})
    market = SmallMarket(configuration)
    journal = Journal(state / "journal", **({"sync": sync} if sync else {}))
    known = list(journal.records()) if journal.acknowledged else []
    keeper = Keeper(Committer(journal))
    past = past_of(known, keeper)
    desk = Desk(market, configuration, keeper)
    owner = Owner(desk, EventLog(65_536, desk.stocks), flow=OrderFlow(past.oms, desk, run=past.runs + (2 if known else 1)))
    hold(desk)
    market.open()
    restore(past, desk, print)
    owner.start()
    app = create(Context(owner, auth.token(state), configuration, "software"))
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        with Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}{PREFIX}", timeout=30, trust_env=False) as client:
            client.owner = owner
            client.headers["Authorization"] = f"Bearer {auth.token(state).value}"
            yield client
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()
        owner.stop()
        keeper.close()
        market.device.close()


def key(name: str) -> dict[str, str]:
    return {"Idempotency-Key": name}


def test_a_key_holds_through_a_restart(tmp_path: Path) -> None:
    large, long = BUY | {"quantity": 5_000}, "k" * 100
    with serving(tmp_path) as client:
        first = client.post("orders", json=BUY, headers=key("first"))
        named_long = client.post("orders", json=BUY | {"price": "219.4900"}, headers=key(long))
        assert (first.status_code, named_long.status_code) == (201, 201)
        problem(client.post("orders", json=large, headers=key("second")), 409, "refused")
        until(client, "orders", lambda found: [each["state"] for each in found["orders"]] == ["live", "live"])
    with serving(tmp_path) as client:
        again = client.post("orders", json=BUY, headers=key("first"))
        assert (again.status_code, again.json()) == (201, first.json())
        assert again.headers["Idempotent-Replayed"] == "true"
        assert client.post("orders", json=BUY | {"price": "219.4900"}, headers=key(long)).json() == named_long.json()
        refused = problem(client.post("orders", json=large, headers=key("second")), 409, "refused")
        assert refused["reasons"] == ["max_quantity", "max_notional", "position"]
        problem(client.post("orders", json=BUY | {"quantity": 7}, headers=key("first")), 409, "key-reused")
        assert client.get("counters").json()["counters"]["orders_new"] == 0
        assert client.get("orders").json()["orders"] == []  # of the device
        lost = client.get("orders/history", params={"unreconciled": True}).json()["orders"]
        assert [each["client_order_id"] for each in lost][:1] == ["first"]
        assert len(lost) == 2
        settled = client.post(f"orders/history/{lost[0]['number']}/settle").json()
        assert (settled["status"], settled["unreconciled"], settled["open"]) == ("cancelled", False, 0)
        problem(client.post(f"orders/history/{lost[0]['number']}/settle"), 409, "not-now")
    with serving(tmp_path) as client:
        left = client.get("orders/history", params={"unreconciled": True}).json()["orders"]
        assert [each["number"] for each in left] == [lost[1]["number"]]


def test_settings_and_kills_hold_through_a_restart(tmp_path: Path) -> None:
    with serving(tmp_path) as client:
        changed = client.patch("symbols/AMZN/limits", json={"max_quantity": 50})
        client.patch("symbols/AAPL", json={"enabled": False})
        client.post("kill", json={"scope": "strategy", "strategy": 7, "reason": "odd"})
    with serving(tmp_path) as client:
        again = client.get("symbols/AMZN/limits")
        assert (again.json(), again.headers["ETag"]) == (changed.json(), changed.headers["ETag"])
        assert problem(client.post("orders", json=BUY), 409, "refused")["reasons"] == ["max_quantity"]
        state = client.get("kill").json()
        assert (state["everything"], state["strategies"], state["reasons"]) == (False, [7], {"strategy 7": "odd"})
        assert client.get("symbols/AAPL").json()["enabled"] is False


def test_an_order_s_history_is_all_that_happened_to_it(tmp_path: Path) -> None:
    with serving(tmp_path) as client:
        sent = client.post("orders", json=BUY | {"strategy": 5}, headers=key("A")).json()
        until(client, "orders", lambda found: [each["state"] for each in found["orders"]] == ["live"])
        assert client.patch(f"orders/{sent['id']}", json={"price": "219.4000", "quantity": 60}).status_code == 202
        (replaced,) = until(client, "orders", lambda found: [each["remaining"] for each in found["orders"]] == [60])["orders"]
        assert replaced["id"] != sent["id"]
        problem(client.delete(f"orders/{sent['id']}"), 404, "unknown-order")
        too_large = problem(client.patch(f"orders/{replaced['id']}", json={"quantity": 5_000}), 409, "refused")
        assert too_large["reasons"] == ["max_quantity", "max_notional", "position"]
        assert client.delete(f"orders/{replaced['id']}").status_code == 202
        where = f"orders/history/{sent['number']}"
        record = until(client, where, lambda found: found["status"] == "cancelled")
        assert (record["client"], record["client_order_id"], record["strategy"]) == ("api", "A", 5)
        assert [(each["what"], each["number"]) for each in record["facts"]][:3] == [("send", 0), ("replace", 1), ("replace", 2)]
        asked, said = {"send", "replace", "cancel"}, {"accepted", "replaced", "refused", "cancelled"}
        assert {each["what"] for each in record["facts"]} == asked | said
        page = client.get("orders/history", params={"client": "api", "status": "cancelled"}).json()
        assert [each["number"] for each in page["orders"]] == [record["number"]]
        assert client.get("orders/history", params={"after": page["next"]}).json()["orders"] == []
        problem(client.get("orders/history/999"), 404, "unknown-order")
        problem(client.get("orders/history?status=odd"), 422, "invalid")


def test_a_disk_that_fails_kills_refuses_orders_and_lets_cancels_out(tmp_path: Path) -> None:
    broken = threading.Event()

    def sync(file: int) -> None:
        if broken.is_set():
            raise OSError(28, "No space left on device")

    with serving(tmp_path, sync) as client:
        sent = client.post("orders", json=BUY).json()
        until(client, "orders", lambda found: [each["state"] for each in found["orders"]] == ["live"])
        broken.set()
        refused = problem(client.post("orders", json=BUY | {"price": "219.4900"}), 503, "journal-failed")
        assert "No space left on device" in refused["detail"]
        assert client.delete(f"orders/{sent['id']}").status_code in (202, 404)  # the kill may have been faster
        until(client, "orders", lambda found: not found["orders"])
        state = client.get("kill").json()
        assert state["everything"]
        assert "No space left on device" in state["reasons"]["global"]
        assert "No space" in next(each["detail"] for each in client.get("health").json()["checks"] if each["name"] == "journal")
        problem(client.post("orders", json=BUY), 503, "journal-failed")
        problem(client.patch("limits", json={"max_gross": "5"}), 503, "journal-failed")
        assert client.post("kill", json={"scope": "symbol", "stock": "AMZN", "reason": "drill"}).status_code == 200
        assert client.get("counters").json()["counters"]["orders_new"] == 1


@pytest.mark.parametrize("body", [{}, {"price": 1.5}, {"quantity": 0}])
def test_a_change_of_nothing_is_none(tmp_path: Path, body: dict[str, object]) -> None:
    with serving(tmp_path) as client:
        problem(client.patch("orders/1008", json=body), 422, "invalid")
