"""QuickFIX in a process of its own, one session in either role, told what to do by lines and saying what happens.

``python -m tests.control.fix.quickfix_peer ROLE VERSION PORT FOLDER SENDER TARGET``. Commands: ``send ID`` (a NewOrderSingle),
``logout``, ``logon``, ``stop``. It answers every NewOrderSingle with an ExecutionReport of the same ClOrdID, and says
``ready``, ``logon``, ``logout``, ``order ID``, ``report ID``, ``reject TEXT``.
"""

import sys
import threading
from pathlib import Path

import quickfix

CLIENT_ORDER_ID, MESSAGE_TYPE, TEXT = 11, 35, 58
LOCK = threading.Lock()


def say(*words: str) -> None:
    with LOCK:
        sys.stdout.write(" ".join(words) + "\n")
        sys.stdout.flush()


def value(fields: quickfix.FieldMap, tag: int) -> str:
    return fields.getField(tag) if fields.isSetField(tag) else ""


class Peer(quickfix.Application):
    session: quickfix.SessionID | None = None
    count = 0

    def onCreate(self, session: quickfix.SessionID) -> None:
        Peer.session = quickfix.SessionID(
            session.getBeginString().getValue(),
            session.getSenderCompID().getValue(),
            session.getTargetCompID().getValue(),
            session.getSessionQualifier(),
        )

    def onLogon(self, session: quickfix.SessionID) -> None:
        say("logon")

    def onLogout(self, session: quickfix.SessionID) -> None:
        say("logout")

    def toAdmin(self, message: quickfix.Message, session: quickfix.SessionID) -> None: ...

    def toApp(self, message: quickfix.Message, session: quickfix.SessionID) -> None: ...

    def fromAdmin(self, message: quickfix.Message, session: quickfix.SessionID) -> None:
        if value(message.getHeader(), MESSAGE_TYPE) == "3":
            say("reject", value(message, TEXT))

    def fromApp(self, message: quickfix.Message, session: quickfix.SessionID) -> None:
        kind, order_id = value(message.getHeader(), MESSAGE_TYPE), value(message, CLIENT_ORDER_ID)
        if kind == "D":
            say("order", order_id)
            Peer.count += 1
            self.report(order_id)
        elif kind == "8":
            say("report", order_id)
        else:
            say("other", kind, value(message, TEXT))

    def report(self, order_id: str) -> None:
        fields = {37: f"O{self.count}", 11: order_id, 17: f"E{self.count}", 150: "0", 39: "0", 55: "MSFT", 54: "1"}
        fields |= {38: "100", 151: "100", 14: "0", 6: "0"}
        if self.session is not None and self.session.getBeginString().getValue() == "FIX.4.2":
            fields[20] = "0"
        self.put("8", fields)

    def order(self, order_id: str) -> None:
        fields = {11: order_id, 21: "1", 55: "MSFT", 54: "1", 38: "100", 40: "2", 44: "101.25"}
        self.put("D", fields, quickfix.TransactTime())

    def put(self, kind: str, fields: dict[int, str], time: quickfix.FieldBase | None = None) -> None:
        message = quickfix.Message()
        message.getHeader().setField(quickfix.MsgType(kind))
        for tag, text in fields.items():
            message.setField(tag, text)
        if time is not None:
            message.setField(time)
        quickfix.Session.sendToTarget(message, self.session)


def settings(role: str, version: str, port: str, folder: Path, sender: str, target: str) -> Path:
    begin = "FIXT.1.1" if version == "FIX.5.0SP2" else version
    lines = ["[DEFAULT]", f"ConnectionType={role}", "StartTime=00:00:00", "EndTime=00:00:00", "UseDataDictionary=N"]
    lines += [f"FileStorePath={folder}", "HeartBtInt=5", "ReconnectInterval=1", "LogoutTimeout=2"]
    lines += ["SocketReuseAddress=Y", f"SocketAcceptPort={port}"] if role == "acceptor" else []
    lines += ["SocketConnectHost=127.0.0.1", f"SocketConnectPort={port}"] if role == "initiator" else []
    lines += ["[SESSION]", f"BeginString={begin}", f"SenderCompID={sender}", f"TargetCompID={target}"]
    lines += [f"DefaultApplVerID={version}"] if begin == "FIXT.1.1" else []
    path = folder / "quickfix.cfg"
    path.write_text("\n".join(lines) + "\n")
    return path


def main() -> None:
    role, version, port, folder, sender, target = sys.argv[1:]
    configured = quickfix.SessionSettings(str(settings(role, version, port, Path(folder), sender, target)))
    peer, store = Peer(), quickfix.FileStoreFactory(configured)
    engine = quickfix.SocketAcceptor if role == "acceptor" else quickfix.SocketInitiator
    running = engine(peer, store, configured)
    running.start()
    say("ready")
    for line in sys.stdin:
        command, *rest = line.split()
        if command == "send":
            peer.order(rest[0])
        elif command == "logout":
            quickfix.Session.lookupSession(peer.session).logout()
        elif command == "logon":
            quickfix.Session.lookupSession(peer.session).logon()
        else:
            break
    running.stop()
    say("stopped")


if __name__ == "__main__":
    main()
