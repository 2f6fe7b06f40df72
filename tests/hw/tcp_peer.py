"""The far end of the connection by hand: segments that scapy builds, and the card's frames as scapy reads them."""

from __future__ import annotations

from typing import Any

from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from hw.tcp.segment import State
from tests.hw.tcp_card import LOCAL_ADDRESS, LOCAL_MAC, LOCAL_PORT, REMOTE_ADDRESS, REMOTE_MAC, REMOTE_PORT, Card
from wire.ethernet import mac_text
from wire.ipv4 import address_text

WRAP = 1 << 32
SETTLED = 80
"""Cycles in which the card has answered a segment: with the acknowledgement's delay of 2 us of 8 cycles."""


class Said:
    """A frame of the card: what its segment says. Its checksums and lengths are those that scapy computes."""

    def __init__(self, cycle: int, data: bytes):
        packet = Ether(data)
        again = packet.copy()
        del again[IP].chksum, again[TCP].chksum, again[IP].len, again[TCP].dataofs
        assert bytes(again) == data, f"scapy would send {bytes(again).hex()}, the card sent {data.hex()}"
        tcp = packet[TCP]
        self.cycle, self.data = cycle, data
        self.flags, self.sequence, self.ack, self.window = str(tcp.flags), tcp.seq, tcp.ack, tcp.window
        self.options, self.payload = tcp.options, bytes(tcp.payload)

    def __repr__(self) -> str:
        return f"<{self.flags} seq {self.sequence} ack {self.ack} win {self.window} {len(self.payload)} bytes>"


class Peer:
    """The exchange's end, as far as a test wants it.

    ``sequence`` is what it sends next, ``expected`` what it expects from the card.
    """

    def __init__(self, card: Card, sequence: int = 700_000, window: int = 8000):
        self.card, self.sequence, self.window = card, sequence, window
        self.expected = 0
        self._seen = len(card.frames)

    def segment(self, flags: str, payload: bytes = b"", ip: dict[str, Any] | None = None, **fields: Any) -> bytes:
        """A frame; what is not given is as a good peer would have it."""
        given = {
            "sport": REMOTE_PORT, "dport": LOCAL_PORT, "seq": self.sequence % WRAP, "ack": self.expected % WRAP,
            "window": self.window, "flags": flags,
        }  # fmt: skip
        given.update(fields)
        for name in ("seq", "ack"):
            given[name] %= WRAP
        packet: Packet = (
            Ether(dst=mac_text(LOCAL_MAC), src=mac_text(REMOTE_MAC))
            / IP(src=address_text(REMOTE_ADDRESS), dst=address_text(LOCAL_ADDRESS), flags="DF", **(ip or {}))
            / TCP(**given)
        )
        return bytes(packet / Raw(payload) if payload else packet)

    def say(self, flags: str, payload: bytes = b"", wait: int = SETTLED, **fields: Any) -> list[Said]:
        """Sends a segment; what the card said since the last look."""
        self.card.arrive(self.segment(flags, payload, **fields).ljust(60, b"\0"))
        self.card.run(wait)
        return self.heard()

    def give(self, payload: bytes, **fields: Any) -> list[Said]:
        """Sends the next bytes of the stream."""
        answers = self.say("PA", payload, **fields)
        self.sequence += len(payload)
        return answers

    def heard(self) -> list[Said]:
        """What the card said since the last look."""
        new = [Said(*each) for each in self.card.frames[self._seen :]]
        self._seen = len(self.card.frames)
        return new

    def connect(self, **fields: Any) -> None:
        """Opens the connection."""
        self.card.pulse("connect")
        self.card.run(SETTLED)
        (syn,) = self.heard()
        assert (syn.flags, syn.ack, syn.options) == ("S", 0, [("MSS", 1460)])
        self.expected = syn.sequence + 1
        (answer,) = self.say("SA", **fields)
        self.sequence += 1
        assert self.card.state is State.ESTABLISHED
        assert (answer.flags, answer.sequence, answer.ack) == ("A", self.expected % WRAP, self.sequence % WRAP)
        self.card.counts()

    def order(self, packet: bytes, wait: int = SETTLED) -> list[Said]:
        """The session sends a packet; what the card said since the last look."""
        self.card.order(packet)
        self.card.run(wait)
        return self.heard()
