"""QuickFIX as a client of the exchange, in a process of its own.

``python -m tests.sim.exchange.quickfix_client ROLE VERSION PORT FOLDER SENDER TARGET``, where PORT may be
``FIRST,SECOND``. Commands: ``raw TYPE TAG=VALUE|...`` sends a message, TransactTime added; ``stop``. It says ``logon``,
``logout``, ``reject TEXT`` and ``app TAG=VALUE|...`` for each message that comes.
"""

import sys
from pathlib import Path

import quickfix

from tests.control.fix.quickfix_peer import Peer, say, settings


class Client(Peer):
    def fromApp(self, message: quickfix.Message, session: quickfix.SessionID) -> None:
        say("app", message.toString().replace("\x01", "|"))


def main() -> None:
    role, version, ports, folder, sender, target = sys.argv[1:]
    first, *others = ports.split(",")
    path = settings(role, version, first, Path(folder), sender, target)
    with path.open("a") as file:
        for n, port in enumerate(others, 1):
            file.write(f"SocketConnectHost{n}=127.0.0.1\nSocketConnectPort{n}={port}\n")
    configured = quickfix.SessionSettings(str(path))
    client, store = Client(), quickfix.FileStoreFactory(configured)
    running = quickfix.SocketInitiator(client, store, configured)
    running.start()
    say("ready")
    for line in sys.stdin:
        command, *rest = line.split()
        if command != "raw":
            break
        fields = dict(pair.split("=", 1) for pair in rest[1].split("|"))
        client.put(rest[0], {int(tag): text for tag, text in fields.items()}, quickfix.TransactTime())
    running.stop()
    say("stopped")


if __name__ == "__main__":
    main()
