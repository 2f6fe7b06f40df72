"""The API over a device that trades: every route, every refusal, and that a limit holds for the next order."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from control.api import auth
from control.api.app import PREFIX, create
from control.api.context import Context
from control.desk import Desk
from control.event_log import EventLog
from control.live import Owner
from tests.control.small_market import SmallMarket, small_configuration
from wire.counters import COUNTERS
from wire.reasons import Reason

TWIN = pytest.param("twin", marks=[pytest.mark.twin, pytest.mark.gateware])


class Client(httpx.Client):
    """Speaks to a server in this process; `owner` is the thread behind it."""

    owner: Owner

    def stream_events(self, query: str = "", **headers: str) -> ClientConnection:
        """The WebSocket, with this client's token if it has one."""
        if token := self.headers.get("Authorization"):
            headers["Authorization"] = token
        url = str(self.base_url.copy_with(scheme="ws")).rstrip("/") + "/events" + query
        return connect(url, additional_headers=headers, open_timeout=10, proxy=None)


@contextmanager
def serving(state: Path, device: str = "software", **sections: dict[str, object]) -> Iterator[Client]:
    configuration = small_configuration(**sections)
    market = SmallMarket(configuration, device)
    desk = Desk(market, configuration)
    owner = Owner(desk, EventLog(configuration.serve.history, desk.stocks), speed=1.0)
    market.open()
    owner.start()
    token = auth.token(state)
    app = create(Context(owner, token, configuration, device))
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}{PREFIX}"
    try:
        with Client(base_url=url, timeout=30, trust_env=False) as client:
            client.owner = owner
            client.headers["Authorization"] = f"Bearer {token.value}"
            yield client
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()
        owner.stop()
        market.device.close()


def receive(stream: ClientConnection) -> dict[str, Any]:
    """The next page of events."""
    page: dict[str, Any] = json.loads(stream.recv(timeout=10))
    return page


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with serving(tmp_path) as client:
        yield client


def until(client: Client, path: str, good: Any, seconds: float = 10) -> Any:
    """The answer of a route as soon as it is what is waited for."""
    end = time.monotonic() + seconds
    while True:
        found = client.get(path).json()
        if good(found):
            return found
        assert time.monotonic() < end, found
        time.sleep(0.02)


def problem(response: Any, status: int, kind: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = response.json()
    assert found["type"] == f"/problems/{kind}"
    assert (found["status"], bool(found["title"]), bool(found["detail"])) == (status, True, True)
    return found


BUY = {"stock": "AMZN", "side": "buy", "price": "219.5000", "quantity": 100}


# -- who may -------------------------------------------------------------------------------------


def test_every_route_but_live_and_ready_asks_for_the_token(client: Client) -> None:
    del client.headers["Authorization"]
    paths = client.get("openapi.json").json()["paths"]
    asked = 0
    for path, operations in paths.items():
        for method in operations:
            where = path.removeprefix(PREFIX + "/").replace("{stock}", "AMZN").replace("{id}", "1008")
            response = client.request(method, where)
            if path.endswith(("livez", "readyz")):
                assert response.status_code in (200, 503)
                assert response.json().keys() == {"status"}
            else:
                problem(response, 401, "unauthorized")
                assert response.headers["WWW-Authenticate"].startswith("Bearer")
                asked += 1
    assert asked >= 20


@pytest.mark.parametrize("given", ["Bearer wrong", "Bearer", "Basic abc", "Bearer \xfc"])
def test_a_wrong_token_is_refused(client: Client, given: str) -> None:
    problem(client.get("status", headers={"Authorization": given.encode("latin-1")}), 401, "unauthorized")


def test_the_token_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    first, second = auth.token(tmp_path / "state"), auth.token(tmp_path / "state")
    assert (first.fresh, second.fresh) == (True, False)
    assert first.value == second.value
    assert len(first.value) >= 43
    assert first.path.stat().st_mode & 0o777 == 0o600
    first.path.chmod(0o644)
    with pytest.raises(PermissionError, match="can be read by others"):
        auth.token(tmp_path / "state")


# -- what it shows -------------------------------------------------------------------------------


def test_openapi_has_an_example_on_every_model_that_is_ours(client: Client) -> None:
    described = client.get("openapi.json").json()
    lacking = [
        name
        for name, schema in described["components"]["schemas"].items()
        if not schema.get("examples")
        and not any("examples" in field or "$ref" in str(field) for field in schema.get("properties", {}).values())
        and not name.startswith(("HTTPValidation", "Validation"))
    ]
    assert lacking == []


def test_status_and_health_say_what_the_device_says(client: Client) -> None:
    status = client.get("status").json()
    assert (status["device"], status["session"], status["market_open"]) == ("software", "up", True)
    assert status["identity"]["symbols"] == 16
    health = until(client, "health", lambda found: found["ready"])
    assert [check["name"] for check in health["checks"]] == [
        "device",
        "session",
        "feed",
        "market",
        "kill",
        "symbols",
    ]
    assert client.get("health/livez").json() == {"status": "ok"}
    assert client.get("health/readyz").status_code == 200


def test_symbols_positions_books_and_pnl_are_the_devices_own(client: Client) -> None:
    symbols = client.get("symbols").json()["symbols"]
    assert [(each["stock"], each["symbol"], each["trading_state"]) for each in symbols] == [
        ("AMZN", 0, "T"),
        ("AAPL", 1, "T"),
    ]
    assert client.get("symbols/AAPL").json() == symbols[1]
    positions = client.get("positions").json()["positions"]
    assert [(each["stock"], each["position"], each["pnl"]) for each in positions] == [
        ("AMZN", 0, "0.0000"),
        ("AAPL", 0, "0.0000"),
    ]
    assert client.get("pnl").json()["total"] == "0.0000"
    book = client.get("books/AMZN", params={"depth": 2}).json()
    expected = client.owner.ask(lambda desk: desk.market.device.snapshot(depth=2)).result(5).books[0]
    assert [(level["price"], level["quantity"], level["orders"]) for level in book["bids"]] == [
        (f"{level.price / 10_000:.4f}", level.quantity, level.orders) for level in expected.bids
    ]
    assert len(book["asks"]) == 2


def test_counters_come_by_name_and_by_reason(client: Client) -> None:
    found = client.get("counters").json()
    assert found["counters"].keys() == COUNTERS.keys()
    assert found["refused"].keys() == {reason.name.lower() for reason in Reason}
    assert found["counters"]["itch_A"] == 80
    one = client.get("counters", params={"name": ["frames", "refused_position"]}).json()
    assert (one["counters"].keys(), one["refused"]) == ({"frames", "refused_position"}, {"position": 0})
    wrong = problem(client.get("counters", params={"name": "framess"}), 422, "invalid")
    assert wrong["errors"][0]["pointer"] == "query.name"


# -- limits and quoter ---------------------------------------------------------------------------


@pytest.mark.parametrize("device", ["software", TWIN])
def test_a_limit_changed_by_rest_holds_for_the_next_order(tmp_path: Path, device: str) -> None:
    with serving(tmp_path, device, quoter={"enabled": False}) as client:
        first = client.post("orders", json=BUY | {"quantity": 101})
        assert first.status_code == 201, first.text
        changed = client.patch("symbols/AMZN/limits", json={"max_quantity": 100})
        assert (changed.status_code, changed.json()["device"]["max_quantity"]) == (200, 100)
        assert client.post("orders", json=BUY | {"price": "219.4900"}).status_code == 201  # equal passes
        refused = problem(client.post("orders", json=BUY | {"price": "219.4800", "quantity": 101}), 409, "refused")
        assert refused["reasons"] == ["max_quantity"]
        counters = client.get("counters", params={"name": "refused_max_quantity"}).json()
        assert counters["refused"] == {"max_quantity": 1}
        other = client.post("orders", json=BUY | {"stock": "AAPL", "price": "149.0000", "quantity": 101})
        assert other.status_code == 201  # the other stock kept its limit


def test_a_position_limit_stops_the_quoter_too(client: Client) -> None:
    until(client, "orders", lambda found: len(found["orders"]) == 4)
    before = client.get("counters").json()["counters"]["refused_position"]
    client.patch("symbols/AMZN/limits", json={"max_position": 0})
    for order in client.get("orders", params={"stock": "AMZN"}).json()["orders"]:
        assert client.delete(f"orders/{order['id']}").status_code == 202
    until(client, "counters", lambda found: found["counters"]["refused_position"] > before)
    assert until(client, "orders?stock=AMZN", lambda found: not found["orders"])


def test_portfolio_limits_hold_too(client: Client) -> None:
    assert client.patch("limits", json={"max_gross": "1000"}).status_code == 200
    refused = problem(client.post("orders", json=BUY), 409, "refused")
    assert refused["reasons"] == ["gross_exposure"]


def test_a_put_wants_all_and_a_patch_only_what_changes(client: Client) -> None:
    limits = client.get("symbols/AMZN/limits").json()["limits"]
    missing = {name: value for name, value in limits.items() if name != "collar"}
    wrong = problem(client.put("symbols/AMZN/limits", json=missing), 422, "invalid")
    assert [each["pointer"] for each in wrong["errors"]] == ["body.collar"]
    put = client.put("symbols/AMZN/limits", json=limits | {"collar": "0.5000"})
    assert put.json()["limits"] == limits | {"collar": "0.5000"}
    patched = client.patch("symbols/AMZN/limits", json={"max_repeats": 3}).json()["limits"]
    assert patched == limits | {"collar": "0.5000", "max_repeats": 3}


def test_etag_and_if_match_stop_a_change_that_overtook_another(client: Client) -> None:
    seen = client.get("symbols/AMZN/limits").headers["ETag"]
    first = client.patch("symbols/AMZN/limits", json={"max_repeats": 1}, headers={"If-Match": seen})
    assert first.status_code == 200
    second = client.patch("symbols/AMZN/limits", json={"max_repeats": 2}, headers={"If-Match": seen})
    problem(second, 412, "stale")
    assert second.headers["ETag"] == first.headers["ETag"] == client.get("symbols/AMZN/limits").headers["ETag"]
    assert client.get("symbols/AMZN/limits").json()["limits"]["max_repeats"] == 1
    again = client.patch("symbols/AMZN/limits", json={"max_repeats": 2}, headers={"If-Match": first.headers["ETag"]})
    assert again.status_code == 200
    problem(client.patch("limits", json={}, headers={"If-Match": "seven"}), 422, "invalid")


def test_a_quoter_changed_by_rest_quotes_so_from_then_on(client: Client) -> None:
    until(client, "orders", lambda found: len(found["orders"]) == 4)
    client.patch("symbols/AMZN/quoter", json={"half_spread": "0.5000", "size": 70})
    found = until(
        client,
        "orders?stock=AMZN",
        lambda found: [each["remaining"] for each in found["orders"] if each["state"] == "live"] == [70, 70],
    )
    prices = sorted(float(each["price"]) for each in found["orders"])
    assert prices[1] - prices[0] >= 1.0
    client.patch("symbols/AMZN/quoter", json={"enabled": False})
    until(client, "orders?stock=AMZN", lambda found: not found["orders"])


def test_a_taker_set_by_rest_hits_what_is_past_its_value(client: Client) -> None:
    assert client.get("symbols/AMZN/taker").json()["taker"]["enabled"] is False
    body = {"enabled": True, "value": "199999", "edge": "0.0100", "size": 7, "max_age_ns": 0}
    answer = client.put("symbols/AMZN/taker", json=body)
    assert answer.json()["device"] == {"value": 1_999_990_000, "edge": 100, "size": 7, "max_age": 0, "enabled": 1}
    until(client, "events?type=order_sent&limit=10000", lambda found: any(each["strategy"] == 1 for each in found["events"]))
    stopped = client.patch("symbols/AMZN/taker", json={"enabled": False}, headers={"If-Match": answer.headers["ETag"]})
    assert stopped.json()["taker"]["enabled"] is False
    problem(client.put("symbols/AMZN/taker", json={"enabled": True}), 422, "invalid")


def test_a_symbol_that_is_disabled_sends_nothing(client: Client) -> None:
    assert client.patch("symbols/AMZN", json={"enabled": False}).json()["enabled"] is False
    refused = problem(client.post("orders", json=BUY), 409, "refused")
    assert refused["reasons"] == ["symbol_disabled"]
    until(client, "orders?stock=AMZN", lambda found: not found["orders"])
    both = client.patch("symbols", json={"AMZN": {"enabled": True}, "AAPL": {"enabled": False}}).json()
    assert [each["enabled"] for each in both["symbols"]] == [True, False]
    problem(
        client.patch("symbols", json={"AMZN": {"enabled": False}, "IBM": {"enabled": True}}),
        404,
        "unknown-stock",
    )
    assert client.get("symbols/AMZN").json()["enabled"] is True  # all or none


@pytest.mark.parametrize(
    ("method", "path", "body", "pointer"),
    [
        ("PATCH", "symbols/AMZN/limits", {"max_position": -1}, "body.max_position"),
        ("PATCH", "symbols/AMZN/limits", {"max_positon": 1}, "body.max_positon"),
        ("PATCH", "symbols/AMZN/limits", {"collar": 0.5}, "body.collar"),
        ("PATCH", "symbols/AMZN/limits", {"collar": "0.00001"}, "body.collar"),
        ("PATCH", "symbols/AMZN/limits", {"collar": None}, "body.collar"),
        ("PATCH", "symbols/AMZN/limits", {"max_quantity": True}, "body.max_quantity"),
        ("PATCH", "symbols/AMZN/limits", {"rate": 1, "burst": 9}, "body.burst"),
        ("PATCH", "symbols/AMZN/quoter", {"offset": "50000"}, "body.offset"),
        ("PATCH", "symbols/AMZN/quoter", {"size": "many"}, "body.size"),
        ("PATCH", "limits", {"max_gross": "-1"}, "body.max_gross"),
        ("PATCH", "symbols/AMZN", {}, "body.enabled"),
        ("POST", "orders", BUY | {"side": "up"}, "body.side"),
        ("POST", "orders", BUY | {"price": 219.5}, "body.price"),
        ("POST", "orders", BUY | {"quantity": 1_000_000}, "body.quantity"),
        ("POST", "orders", BUY | {"strategy": 16}, "body.strategy"),
        ("POST", "orders", {"stock": "AMZN"}, "body.price"),
        ("POST", "kill", {"scope": "global"}, "body.reason"),
        ("POST", "kill", {"scope": "symbol", "reason": "x"}, "body.stock"),
        ("POST", "kill", {"scope": "global", "stock": "AMZN", "reason": "x"}, "body.stock"),
        ("DELETE", "kill?scope=strategy", None, "query.strategy"),
        ("DELETE", "orders/xyz", None, "path.id"),
        ("GET", "books/AMZN?depth=0", None, "query.depth"),
        ("GET", "books/amzn", None, "path.stock"),
        ("GET", "events?type=tirade", None, "query.type"),
    ],
)
def test_what_is_wrong_is_answered_with_the_field(
    client: Client, method: str, path: str, body: object, pointer: str
) -> None:
    found = problem(client.request(method, path, json=body), 422, "invalid")
    assert pointer in [each["pointer"] for each in found["errors"]], found
    assert pointer in found["detail"]


def test_what_is_not_json_and_what_is_nowhere_are_problems_too(client: Client) -> None:
    problem(client.post("orders", content=b"{", headers={"Content-Type": "application/json"}), 422, "invalid")
    problem(client.get("nowhere"), 404, "not-found")
    problem(client.put("status"), 405, "method-not-allowed")
    problem(client.post("orders", content=b" " * 70_000), 413, "too-large")
    for path in ("symbols/IBM", "symbols/IBM/limits", "symbols/IBM/quoter", "books/IBM", "orders?stock=IBM"):
        assert "AMZN, AAPL" in problem(client.get(path), 404, "unknown-stock")["detail"]
    problem(client.delete("orders/FFFFFFFFF008"), 404, "unknown-order")


# -- orders --------------------------------------------------------------------------------------


def test_an_order_lives_from_post_to_delete(tmp_path: Path) -> None:
    with serving(tmp_path, quoter={"enabled": False}) as client:
        before = client.owner.events.last
        sent = client.post("orders", json=BUY | {"strategy": 5})
        assert (sent.status_code, sent.json()["marking"]) == (201, "B")
        where = sent.headers["Location"].removeprefix(PREFIX + "/")
        live = until(client, where, lambda found: found.get("state") == "live")
        assert (live["price"], live["remaining"], live["strategy"], live["tag"]) == (
            "219.5000",
            100,
            5,
            sent.json()["tag"],
        )
        assert client.delete(where).json() == {"id": live["id"], "sent": True}
        until(client, "orders", lambda found: not found["orders"])
        problem(client.delete(where), 404, "unknown-order")
        page = client.get("events", params={"after": before, "limit": 10_000}).json()
        kinds = [each["type"] for each in page["events"] if each.get("tag") == live["tag"]]
        assert kinds == ["order_sent", "command", "accepted", "order_sent", "cancelled"]


def test_an_idempotency_key_makes_a_write_happen_once(tmp_path: Path) -> None:
    with serving(tmp_path, quoter={"enabled": False}) as client:
        key = {"Idempotency-Key": "first"}
        first, second = (client.post("orders", json=BUY, headers=key) for _ in range(2))
        assert (first.status_code, second.status_code) == (201, 201)
        assert first.json() == second.json()
        assert second.headers["Idempotent-Replayed"] == "true"
        assert second.headers["Location"] == first.headers["Location"]
        assert len(client.get("orders").json()["orders"]) == 1
        problem(client.post("orders", json=BUY | {"quantity": 5}, headers=key), 409, "key-reused")
        refused = {"Idempotency-Key": "second"}
        large = BUY | {"quantity": 5_000}
        problem(client.post("orders", json=large, headers=refused), 409, "refused")
        assert client.post("orders", json=large, headers=refused).headers["Idempotent-Replayed"] == "true"
        assert client.get("counters").json()["counters"]["orders_refused"] == 1
        problem(client.post("orders", json=BUY, headers={"Idempotency-Key": "x" * 200}), 422, "invalid")


# -- kill ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("device", ["software", TWIN])
def test_kill_stops_everything_and_clear_resumes(tmp_path: Path, device: str) -> None:
    with serving(tmp_path, device) as client:
        until(client, "orders", lambda found: [each["state"] for each in found["orders"]] == ["live"] * 4)
        killed = client.post("kill", json={"reason": "drill"}).json()
        assert (killed["everything"], killed["reasons"]) == (True, {"global": "drill"})
        assert problem(client.post("orders", json=BUY), 409, "refused")["reasons"] == ["kill_global"]
        until(client, "orders", lambda found: not found["orders"])
        assert client.get("health/readyz").status_code == 503
        new = client.get("counters").json()["counters"]["orders_new"]
        time.sleep(0.2)
        assert client.get("counters").json()["counters"]["orders_new"] == new
        assert client.delete("kill").json()["everything"] is False
        until(client, "orders", lambda found: len(found["orders"]) == 4)
        assert client.get("kill").json()["reasons"] == {}


def test_kills_of_a_stock_and_of_a_strategy_stop_only_those(client: Client) -> None:
    until(client, "orders", lambda found: len(found["orders"]) == 4)
    client.post("kill", json={"scope": "symbol", "stock": "AMZN", "reason": "news"})
    until(client, "orders", lambda found: {each["stock"] for each in found["orders"]} == {"AAPL"})
    state = client.post("kill", json={"scope": "strategy", "strategy": 7, "reason": "odd"}).json()
    assert (state["stocks"], state["strategies"], state["everything"]) == (["AMZN"], [7], False)
    assert state["reasons"] == {"symbol AMZN": "news", "strategy 7": "odd"}
    (bid,) = (each["price"] for each in client.get("orders").json()["orders"] if each["side"] == "buy")
    order = {"stock": "AAPL", "side": "buy", "price": bid, "quantity": 7}
    assert problem(client.post("orders", json=order | {"strategy": 7}), 409, "refused")["reasons"] == ["kill_strategy"]
    assert client.post("orders", json=order | {"strategy": 8}).status_code == 201
    assert client.delete("kill?scope=strategy&strategy=7").json()["stocks"] == ["AMZN"]
    assert client.delete("kill?scope=symbol&stock=AMZN").json()["reasons"] == {}
    until(client, "orders?stock=AMZN", lambda found: len(found["orders"]) == 2)


# -- events --------------------------------------------------------------------------------------


def test_events_go_on_behind_a_cursor(client: Client) -> None:
    first = client.get("events", params={"limit": 10}).json()
    assert first["events"][0]["sequence"] == 0
    second = client.get("events", params={"after": first["next"], "limit": 10}).json()
    assert second["events"][0]["sequence"] > first["events"][-1]["sequence"]
    assert first["lost"] == second["lost"] == 0
    sent = client.get("events", params={"type": "order_sent"}).json()["events"]
    assert {each["type"] for each in sent} == {"order_sent"}
    assert {each["stock"] for each in sent} == {"AMZN", "AAPL"}


def test_the_socket_gives_the_same_events_as_the_cursor(client: Client) -> None:
    before = client.owner.events.last
    with client.stream_events(f"?after={before}&type=command") as stream:
        assert receive(stream) == {"events": [], "next": before, "lost": 0}
        client.patch("symbols/AMZN/limits", json={"max_repeats": 9})
        client.patch("symbols/AAPL/quoter", json={"size": 9})
        seen = []
        while not seen or seen[-1]["command"] != "set_quoter":
            page = receive(stream)
            assert page["lost"] == 0
            seen += page["events"]
    assert [each["stock"] for each in seen if "tag" in each] == ["AMZN", "AAPL"]
    cursor = client.get("events", params={"after": before, "type": "command"}).json()["events"]
    assert seen == cursor[: len(seen)]


def test_the_socket_takes_the_token_in_the_first_message_and_goes_on_where_asked(client: Client) -> None:
    token = client.headers.pop("Authorization").removeprefix("Bearer ")
    last = client.owner.events.last
    with client.stream_events() as stream:
        stream.send(json.dumps({"token": token, "after": last - 3, "types": ["command", "accepted"]}))
        assert receive(stream) == {"events": [], "next": last - 3, "lost": 0}


@pytest.mark.parametrize("first", ['{"token": "wrong"}', '{"tokn": 1}', "no json", b"\xff"])
def test_the_socket_refuses_who_has_no_token(client: Client, first: str | bytes) -> None:
    del client.headers["Authorization"]
    with client.stream_events() as stream:
        stream.send(first)
        with pytest.raises(ConnectionClosed) as closed:
            receive(stream)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


def test_the_socket_refuses_another_origin(client: Client) -> None:
    with pytest.raises(InvalidStatus), client.stream_events(Origin="https://elsewhere.example"):
        pass
    with client.stream_events(Origin=str(client.base_url.copy_with(path="/")).rstrip("/")) as stream:
        assert receive(stream)["lost"] == 0


def test_a_socket_that_does_not_read_gets_the_newest_and_a_count(tmp_path: Path) -> None:
    with serving(tmp_path, serve={"mailbox": 50}) as client:
        first = client.owner.events.last
        client.owner.ask(lambda desk: [desk.orders() for _ in range(100)]).result(10)
        with client.stream_events(f"?after={first}&type=command") as stream:
            receive(stream)
            page = receive(stream)
        assert page["lost"] > 100
        assert len(page["events"]) + page["lost"] <= page["next"] - first


# -- the owner -----------------------------------------------------------------------------------


def test_no_answer_in_time_is_503_and_says_that_it_may_have_happened(tmp_path: Path) -> None:
    with serving(tmp_path, serve={"acknowledge_seconds": 1}) as client:
        client.owner.ask(lambda desk: time.sleep(1.5))
        found = problem(client.patch("limits", json={"max_gross": "5"}), 503, "no-answer")
        assert "may still happen" in found["detail"]
        time.sleep(0.7)
        assert client.get("limits").json()["limits"]["max_gross"] == "50000000"  # it was not begun, so taken back


def test_when_the_owner_ends_everybody_is_told(client: Client) -> None:
    owner = client.owner
    owner.stop()
    problem(client.get("positions"), 503, "stopped")
    assert client.get("health/livez").status_code == 503
    health = client.get("health").json()
    assert (health["live"], health["ready"]) == (False, False)
