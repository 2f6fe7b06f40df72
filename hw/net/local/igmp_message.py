"""IGMP's messages: what a host sends, laid out."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.net.local.frame_buffer import IGMP_PROTOCOL
from hw.net.local.put import ADDRESS, MAC, MAX_HALVES, Operand, Put, halves, play, send
from wire.ethernet import IPV4_TYPE
from wire.ipv4 import DONT_FRAGMENT

MAX_GROUPS = 8
QUERY = 0x11
REPORT_V1 = 0x12
REPORT_V2 = 0x16
LEAVE = 0x17
REPORT_V3 = 0x22
IS_EXCLUDE = 2
TO_INCLUDE = 3
TO_EXCLUDE = 4

ALL_SYSTEMS = 0xE0000001
ALL_ROUTERS = 0xE0000002
V3_ROUTERS = 0xE0000016
ROUTER_ALERT = (0x9404, 0x0000)
HEADER_WITH_ALERT = 0x46C0
"""Version 4, six words, internetwork control (RFC 3376, 4)."""
HEADER_BYTES = 24
ETHERNET_BYTES = 14
MESSAGE_BYTES = 8
RECORD_HALVES = 4
FIRST_RECORD = 23
"""Place of the half word with a version 3 report's first record."""


class Version(enum.Enum, shape=2):
    """Of the oldest querier that was heard lately."""

    V3 = 0
    V2 = 1
    V1 = 2


class Report(enum.Enum, shape=2):
    """What the routers are still to be told of a group."""

    NONE = 0
    ANSWER = 1
    CHANGE = 2
    CHANGE_TWICE = 3


class Membership(data.Struct):
    """A place of the table: ``active`` is what the routers have been told, or are about to be."""

    active: 1
    report: Report
    due: 1
    """It is to be sent now, else when the timer has run down."""


class IgmpMessage(wiring.Component):
    """Puts a report or leave message; what is in a version 3 report comes before it, record by record.

    Members
    -------
    record : In(1)
        Put a record of the row. High until ``done``.
    message : In(1)
        Put the rest and send it. High until ``done``. In version 1 and 2 it is of the row, in version 3 of the records.
    row, address : In(Membership), In(32)
        The group and what is to be told of it. They stay until ``done``.
    version : In(Version)
    records : Out(range(MAX_GROUPS + 1))
        How many were put since the last message.
    done : Out(1)
        Pulse.
    o : Out(stream of Put)

    Three cycles for each half word, and as long as ``o`` takes for it.
    """

    record: In(1)
    message: In(1)
    row: In(Membership)
    address: In(32)
    version: In(Version)
    records: Out(range(MAX_GROUPS + 1))
    done: Out(1)
    o: Out(stream.Signature(Put))

    def elaborate(self, platform):
        m = Module()
        row, address, records = self.row, self.address, self.records
        is_v3, is_v1 = self.version == Version.V3, self.version == Version.V1
        to_group = ~is_v3 & row.active  # the message's destination is the group itself
        kind = Mux(is_v3, REPORT_V3, Mux(~row.active, LEAVE, Mux(is_v1, REPORT_V1, REPORT_V2)))
        told = Mux(row.active, Mux(row.report == Report.ANSWER, IS_EXCLUDE, TO_EXCLUDE), TO_INCLUDE)
        size = Cat(Const(0, 3), records) + (HEADER_BYTES + MESSAGE_BYTES)
        routers = halves(Mux(is_v3, Const(V3_ROUTERS, 32), Const(ALL_ROUTERS, 32)))
        message = (
            (19, kind << 8),
            (21, 0),
            (22, Mux(is_v3, records, 0)),
            (20, Operand.CHECKSUM),
            (7, HEADER_WITH_ALERT),
            (8, size),
            (9, 0),
            (10, DONT_FRAGMENT),
            (11, 1 << 8 | IGMP_PROTOCOL),
            *enumerate(ADDRESS, 13),
            (15, Mux(to_group, 0, routers[0])),
            (16, Mux(to_group, 0, routers[1])),
            *enumerate(ROUTER_ALERT, 17),
            (12, Operand.CHECKSUM),
            (0, 0x0100),
            (1, 0x5E00),
            (2, Mux(to_group, 0, routers[1])),
            *enumerate(MAC, 3),
            (6, IPV4_TYPE),
        )
        at = {index: number for number, (index, _) in enumerate(message)}

        # The group's address comes in behind the register: that is half the logic.
        step, place = Signal(5), Signal(range(MAX_HALVES), init=FIRST_RECORD)
        laid, put, high, low, high_bits = Signal(Put), Signal(Put), Signal(), Signal(), Signal()
        end = play(m, laid, step, message)
        with m.If(step == end):
            m.d.comb += send(laid, size + ETHERNET_BYTES)
        m.d.sync += [
            put.eq(laid),
            high.eq(Mux(step == at[21], ~is_v3, (step == at[15]) & to_group)),
            low.eq(Mux(step == at[22], ~is_v3, ((step == at[16]) | (step == at[2])) & to_group)),
            high_bits.eq((step == at[1]) & to_group),
        ]
        with m.If(self.record):
            m.d.sync += [
                put.eq(0),
                put.index.eq(place),
                put.data.eq(Mux(step == 0, told << 8, 0)),
                high.eq(step == 2),
                low.eq(step == 3),
                high_bits.eq(0),
            ]
        m.d.comb += [
            self.o.payload.eq(put),
            self.o.payload.data.eq(
                put.data | Mux(high, address[16:], 0) | Mux(high_bits, address[16:23], 0) | Mux(low, address[:16], 0)
            ),
        ]

        # What is taken moves the step a cycle later: no path from the line through here into the table.
        taken = Signal()
        m.d.sync += [
            taken.eq(self.o.valid & self.o.ready),
            self.o.valid.eq((self.record | self.message) & ~taken & ~(self.o.valid & self.o.ready)),
        ]
        m.d.comb += self.done.eq(taken & (step == Mux(self.record, RECORD_HALVES - 1, end)))
        with m.If(taken):
            m.d.sync += step.eq(step + 1)
            with m.If(self.record):
                m.d.sync += place.eq(place + 1)
        with m.If(self.done):
            m.d.sync += [step.eq(0), records.eq(records + 1)]
            with m.If(self.message):
                m.d.sync += [place.eq(FIRST_RECORD), records.eq(0)]
        return m
