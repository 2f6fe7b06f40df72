"""Every packet of a run as a capture file: feeds as they came, the order session as TCP, both ways."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wire import ipv4
from wire.frames import tcp_frame
from wire.pcap import Writer
from wire.records import Port
from wire.tcp import Flag

if TYPE_CHECKING:
    from sim.run import Run

OURS, EXCHANGE = (ipv4.address("10.0.0.2"), 41_000), (ipv4.address("10.10.4.1"), 9_000)


class _Session:
    """The TCP connection that the order session would run over, already established."""

    def __init__(self) -> None:
        self._next = {OURS: 1, EXCHANGE: 1}

    def segment(self, sender: tuple[int, int], receiver: tuple[int, int], data: bytes) -> bytes:
        """A frame with the next bytes of one direction."""
        number = self._next[sender]
        self._next[sender] = (number + len(data)) % 2**32
        return tcp_frame(
            data,
            source=sender[0],
            destination=receiver[0],
            source_port=sender[1],
            destination_port=receiver[1],
            sequence_number=number,
            acknowledgment_number=self._next[receiver],
            flags=Flag.PSH | Flag.ACK,
            source_mac=0x020000000000 | sender[0],
            destination_mac=0x020000000000 | receiver[0],
        )


def write(path: Path, run: Run) -> int:
    """Write all packets of a recorded run in the order of their stamps; how many there are.

    Stamps are ns since midnight, so the capture begins on 1970-01-01. At one stamp what comes in stands
    before what it caused.
    """
    inputs, buffer = run.inputs()
    outputs, payload = run.outputs, run.payload
    session, written, sent = _Session(), 0, 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with Writer(path) as file:

        def send_before(stamp: int | None) -> None:
            nonlocal sent, written
            while sent < len(outputs) and (stamp is None or int(outputs[sent]["timestamp"]) < stamp):
                row = outputs[sent]
                begin = int(row["offset"])
                data = payload[begin : begin + int(row["length"])].tobytes()
                file.write(int(row["timestamp"]), session.segment(OURS, EXCHANGE, data))
                sent, written = sent + 1, written + 1

        for stamp, offset, length, port in inputs.tolist():
            if port in (Port.COMMAND, Port.TICK):
                continue
            send_before(stamp)
            data = buffer[offset : offset + length].tobytes()
            file.write(stamp, session.segment(EXCHANGE, OURS, data) if port == Port.SESSION else data)
            written += 1
        send_before(None)
    return written
