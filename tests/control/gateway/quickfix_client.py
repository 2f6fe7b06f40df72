"""QuickFIX as a client that sends orders: a process of its own, told what to do by lines and saying what came.

``python -m tests.control.gateway.quickfix_client VERSION PORT FOLDER SENDER TARGET``. Commands: ``order ID SIDE SHARES PRICE
FORCE``, ``cancel ID ORIGINAL``, ``stop``. It says ``ready``, ``logon``, ``logout``, and of every application message ``report
TYPE ClOrdID ExecType OrdStatus ExecID CumQty Text``, with ``-`` for what is not there.
"""

import sys
from pathlib import Path

import quickfix

from tests.control.fix.quickfix_peer import Peer, say, settings, value


class Client(Peer):
    def fromApp(self, message: quickfix.Message, session: quickfix.SessionID) -> None:
        kind = value(message.getHeader(), 35)
        fields = [value(message, tag).replace(" ", "_") or "-" for tag in (11, 150, 39, 17, 14, 58)]
        say("report", kind, *fields)

    def new(self, name: str, side: str, shares: str, price: str, force: str) -> None:
        fields = {11: name, 21: "1", 55: "AMZN", 54: side, 38: shares, 40: "2", 44: price, 59: force}
        self.put("D", fields, quickfix.TransactTime())

    def cancel(self, name: str, original: str) -> None:
        self.put("F", {11: name, 41: original, 55: "AMZN", 54: "1", 38: "1"}, quickfix.TransactTime())


def main() -> None:
    version, port, folder, sender, target = sys.argv[1:]
    configured = quickfix.SessionSettings(str(settings("initiator", version, port, Path(folder), sender, target)))
    client, store = Client(), quickfix.FileStoreFactory(configured)
    running = quickfix.SocketInitiator(client, store, configured)
    running.start()
    say("ready")
    for line in sys.stdin:
        command, *rest = line.split()
        if command == "order":
            client.new(*rest)
        elif command == "cancel":
            client.cancel(*rest)
        else:
            break
    running.stop()
    say("stopped")


if __name__ == "__main__":
    main()
