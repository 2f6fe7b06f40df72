"""The server's side of SoupBinTCP, without a socket."""

import pytest

from sim.exchange.soup import SoupServer
from wire import soupbintcp
from wire.soupbintcp import LoginRequest

JOURNAL = [b"one", b"two", b"three"]


def server(journal: list[bytes] | str | None = None) -> SoupServer:
    def admit(request: LoginRequest) -> list[bytes] | str:
        return "A" if request.password == "WRONG" else JOURNAL if journal is None else journal

    return SoupServer("DAY1", admit, 0.0)


def said(made: SoupServer, now: float = 0.0) -> list[tuple[str, bytes]]:
    return [(packet.code, packet.payload) for packet in soupbintcp.packets(made.pump(now), soupbintcp.SERVER)]


def login(made: SoupServer, number: int = 0, session: str = "", password: str = "") -> list[tuple[str, bytes]]:
    assert list(made.receive(soupbintcp.login_request("me", password, session, number), 0.0)) == []
    return said(made)


@pytest.mark.parametrize(("number", "wanted"), [(1, JOURNAL), (3, JOURNAL[2:]), (4, []), (0, [])])
def test_a_client_goes_on_from_the_number_that_it_names(number: int, wanted: list[bytes]) -> None:
    made = server()
    (code, accepted), *rest = login(made, number)
    found = soupbintcp.parse_login_accepted(soupbintcp.Packet(code, accepted))
    assert (found.session, found.sequence_number) == ("DAY1", number or 4)
    assert rest == [("S", message) for message in wanted]


def test_the_journal_is_sent_as_it_grows() -> None:
    journal: list[bytes] = []
    made = server(journal)
    login(made)
    for n in range(3):
        journal.append(b"%d" % n)
        assert said(made) == [("S", b"%d" % n)]
    assert said(made) == []


@pytest.mark.parametrize(
    ("number", "session", "password", "letter"), [(0, "", "WRONG", b"A"), (5, "", "", b"S"), (0, "DAY2", "", b"S")]
)
def test_a_login_that_is_not_right_is_refused(number: int, session: str, password: str, letter: bytes) -> None:
    made = server()
    assert login(made, number, session, password) == [("J", letter)]
    assert made.is_closed


def test_messages_pass_only_after_the_login_and_however_they_are_cut() -> None:
    made = server()
    data = soupbintcp.unsequenced(b"early") + soupbintcp.login_request("me", "") + soupbintcp.unsequenced(b"late")
    assert [m for i in range(len(data)) for m in made.receive(data[i : i + 1], 0.0)] == [b"late"]


def test_heartbeats_silence_and_a_login_that_never_comes() -> None:
    made = server()
    login(made)
    assert said(made, 0.9) == []
    assert said(made, 1.0) == [("H", b"")]
    list(made.receive(soupbintcp.client_heartbeat(), 14.0))
    made.pump(28.0)
    assert not made.is_closed
    made.pump(29.1)
    assert made.is_closed
    waits = server()
    waits.pump(29.0)
    assert not waits.is_closed
    waits.pump(30.1)
    assert waits.is_closed


@pytest.mark.parametrize("data", [soupbintcp.logout_request(), b"\0\0", b"\0\1?", soupbintcp.login_request("me", "")])
def test_a_logout_an_error_and_a_second_login_close(data: bytes) -> None:
    made = server()
    login(made)
    list(made.receive(data, 0.0))
    assert made.is_closed
