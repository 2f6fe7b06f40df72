"""The far end of the order port: ARP, and one TCP connection that a server has accepted. Segments by scapy."""

from __future__ import annotations

from typing import Any

import cocotb
from cocotb.triggers import Event
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

from wire.ethernet import mac_text
from wire.ipv4 import address_text

MAC, ADDRESS, PORT = 0x02_00_00_00_00_99, 0x0A090001, 4000
WRAP = 1 << 32
BROADCAST = "ff:ff:ff:ff:ff:ff"


class Exchange:
    """A server that acknowledges what comes in order and speaks when told to.

    ``packets`` are the SoupBinTCP packets it got, each with the time of its frame's delimiter; ``segments`` counts what it sent.
    """

    def __init__(self, bench: Any, port: Any):
        self.bench, self.port = bench, port
        self.sequence, self.expected = 500_000, 0
        self.packets: list[tuple[int, bytes]] = []
        self.segments = 0
        self.acknowledged = self.sequence
        self._heard = Event()
        self.answers_arp = True
        self.card: tuple[str, str, int] = ("", "", 0)
        cocotb.start_soon(self._run())

    # -- out -----------------------------------------------------------------------------------------

    async def segment(self, flags: str, payload: bytes = b"", **fields: Any) -> None:
        """A segment, as a good peer would have it but for ``fields``."""
        mac, address, port = self.card
        given = {"sport": PORT, "dport": port, "seq": self.sequence, "ack": self.expected, "window": 8000, "flags": flags}
        packet = (
            Ether(dst=mac, src=mac_text(MAC)) / IP(src=address_text(ADDRESS), dst=address, flags="DF") / TCP(**given | fields)
        )
        self.segments += 1
        await self.port.send(bytes(packet / Raw(payload) if payload else packet))
        self.sequence = (self.sequence + len(payload) + (flags.count("S") + flags.count("F"))) % WRAP

    async def say(self, data: bytes) -> None:
        """Bytes of the session, in one segment; until the card has acknowledged them."""
        await self.segment("PA", data)
        while self.acknowledged != self.sequence:
            self._heard.clear()
            await self._heard.wait()

    # -- in ------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            time, packet = await self.port.receive()
            if ARP in packet:
                await self._arp(packet)
            elif TCP in packet:
                await self._tcp(time, packet)

    async def _arp(self, packet: Any) -> None:
        asked = packet[ARP]
        if asked.op == 1:
            assert packet.dst == BROADCAST
        if asked.op == 1 and asked.pdst == address_text(ADDRESS) and self.answers_arp:
            mine = {"op": 2, "hwsrc": mac_text(MAC), "psrc": asked.pdst, "hwdst": asked.hwsrc, "pdst": asked.psrc}
            await self.port.send(bytes(Ether(dst=packet.src, src=mac_text(MAC)) / ARP(**mine)))

    async def _tcp(self, time: int, packet: Any) -> None:
        frame = packet.original
        length = 14 + packet[IP].len
        bare = Ether(frame[:length])
        again = bare.copy()
        del again[IP].chksum, again[TCP].chksum, again[IP].len, again[TCP].dataofs
        assert bytes(again) == frame[:length], f"scapy would send {bytes(again).hex()}, the card sent {frame.hex()}"
        assert frame[length:] == bytes(len(frame) - length)
        tcp = bare[TCP]
        flags, payload = str(tcp.flags), bytes(tcp.payload)
        assert packet.dst == mac_text(MAC)
        assert tcp.dport == PORT
        if flags == "S":
            self.card = packet.src, packet[IP].src, tcp.sport
            self.expected = (tcp.seq + 1) % WRAP
            await self.segment("SA", options=[("MSS", 1460)])
            return
        if "R" in flags:
            return
        self.acknowledged = tcp.ack
        self._heard.set()
        if payload:
            assert tcp.seq == self.expected, f"{tcp.seq - self.expected} bytes off"
            assert int.from_bytes(payload[:2], "big") == len(payload) - 2, "a segment is a packet"
            self.packets.append((time, payload))
        if payload or "F" in flags:
            self.expected = (self.expected + len(payload) + ("F" in flags)) % WRAP
            await self.segment("A")
        if "F" in flags:
            await self.segment("FA")
