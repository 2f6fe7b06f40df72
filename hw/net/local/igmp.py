"""Membership of multicast groups: IGMP versions 1 (RFC 1112), 2 (RFC 2236) and 3 (RFC 3376), the host's part."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, enum, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.net.local.arrival import Arrival
from hw.net.local.frame_buffer import IGMP_PROTOCOL
from hw.net.local.put import ADDRESS, MAC, MAX_HALVES, Operand, Put, halves, play, send
from wire.ethernet import IPV4_TYPE
from wire.ipv4 import DONT_FRAGMENT

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

ROBUSTNESS = 2
OLDER_QUERIER_SECONDS = ROBUSTNESS * 125 + 10
"""Robustness times the query interval and one response interval (RFC 3376, 8.12)."""
V1_RESPONSE_TENTHS = 100
UNSOLICITED_V2_TENTHS = 100
UNSOLICITED_V3_TENTHS = 10
TENTHS_BITS = 9
"""Version 3 has response times of up to 31,744 tenths of a second; we take no more than 496 of them."""
TIMER_BITS = 16
DRAW_BITS = 16
MAX_GROUPS = 8


class Group(data.Struct):
    """A group that is wanted when ``enable``. What is no group, and 224.0.0.1, is not."""

    address: 32
    enable: 1


class Version(enum.Enum, shape=2):
    """Of the oldest querier that was heard lately."""

    V1 = 1
    V2 = 2
    V3 = 3


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


class Doing(enum.Enum, shape=3):
    """Why the table is gone through."""

    SWEEP = 0
    QUERY = 1
    SUPPRESS = 2
    CANCEL = 3
    TELL = 4


class Igmp(wiring.Component):
    """Reports a table of groups, on change and when asked.

    Parameters
    ----------
    groups : int
        Places in the table, 2 to 8.

    Members
    -------
    i : In(stream of Arrival)
        IGMP messages.
    o : Out(stream of Put)
    groups : In(Array(groups) of Group)
        The groups wanted; may change at any time.
    mac : In(48)
        Ours, for its random bits.
    tick_ms, tick_second : In(1)
        Pulses.
    announce : In(1)
        Pulse: report all groups as if just joined, as after the link was down.
    count_reports : Out(1)
        Pulse: a report or leave message sent.
    count_queries : Out(1)
        Pulse: a query heard that was for us.
    count_malformed : Out(1)
        Pulse: a query of 9 to 11 bytes.

    Each millisecond the table is compared with what has been told: joins are reported at once and again after a random
    time of up to 0.96 s (version 3) or 9.6 s, leaves the same in version 3, once in version 2, never in version 1. An
    address that changes is left and joined in the next millisecond. Answers to queries are delayed by a random time of
    up to 96 % of what the query allows, at most 47.6 s. One answer waits per group, the earliest time counts; what
    waits as the report of a change stays one, it tells the same.

    Version 3 reports are EXCLUDE with no sources, all that are due in one message; a group-and-source-specific query
    gets the same answer, which covers any source. In version 1 and 2 there is a message per group, and a member's
    report heard from our network cancels ours. A change of version cancels what waits. A query is taken without Router
    Alert and with any TTL: RFC 3376 (9.1) would ignore some, but to lose a feed is worse than to answer too often, and
    more than a frame per group and millisecond there never is.
    """

    def __init__(self, groups: int = 8):
        if not 2 <= groups <= MAX_GROUPS:
            raise ValueError(f"the table has 2 to {MAX_GROUPS} groups, not {groups}")
        super().__init__(
            {
                "i": In(stream.Signature(Arrival)),
                "o": Out(stream.Signature(Put)),
                "groups": In(data.ArrayLayout(Group, groups)),
                "mac": In(48),
                "tick_ms": In(1),
                "tick_second": In(1),
                "announce": In(1),
                "count_reports": Out(1),
                "count_queries": Out(1),
                "count_malformed": Out(1),
            }
        )
        self.places = groups

    def elaborate(self, platform):
        m = Module()
        # Three memories, so that each has few things to write.
        table, addresses, timers = (
            memory.Memory(shape=shape, depth=self.places, init=[]) for shape in (Membership, 32, TIMER_BITS)
        )
        m.submodules.table, m.submodules.addresses, m.submodules.timers = table, addresses, timers
        n = Signal(range(self.places))
        reads = [each.read_port(domain="comb") for each in (table, addresses, timers)]
        write, write_address, write_timer = writes = [each.write_port() for each in (table, addresses, timers)]
        m.d.comb += [port.addr.eq(n) for port in (*reads, *writes)]
        row, address, timer = Signal(Membership), Signal(32), Signal(TIMER_BITS)
        m.d.sync += [row.eq(reads[0].data), address.eq(reads[1].data), timer.eq(reads[2].data)]

        found = self.i.payload
        code, queried = found.body[48:56], found.body[:32]

        sweeping, announcing, again = Signal(), Signal(), Signal()
        with m.If(self.tick_ms):
            m.d.sync += sweeping.eq(1)
        with m.If(self.announce):
            m.d.sync += announcing.eq(1)

        heard = {version: Signal(range(OLDER_QUERIER_SECONDS + 1)) for version in (Version.V1, Version.V2)}
        version, present = Signal(Version, init=Version.V3), Signal(Version, init=Version.V3)
        for seconds in heard.values():
            with m.If(self.tick_second & (seconds != 0)):
                m.d.sync += seconds.eq(seconds - 1)
        with m.If(heard[Version.V1] != 0):
            m.d.comb += present.eq(Version.V1)
        with m.Elif(heard[Version.V2] != 0):
            m.d.comb += present.eq(Version.V2)

        # What is known of a message two cycles after it is there.
        is_query, is_report, for_us, of_member = Signal(), Signal(), Signal(), Signal()
        to_all, to_group, general = Signal(), Signal(), Signal()
        m.d.sync += [
            is_query.eq(found.body[56:] == QUERY),
            is_report.eq((found.body[56:] == REPORT_V1) | (found.body[56:] == REPORT_V2)),
            to_all.eq(found.destination == ALL_SYSTEMS),
            to_group.eq(found.destination == queried),
            general.eq(queried == 0),
            for_us.eq(is_query & (found.ours | to_all | (to_group & ~general))),
            of_member.eq(is_report & to_group & found.on_link),
        ]

        # What is known of a row, and what a query allows: 96 ms of each tenth, the rest is for the sweep and the line.
        doing, final, is_v3 = Signal(Doing), Signal(), Signal()
        key, enable, group, wanted = Signal(32), Signal(), Signal(), Signal()
        same, asked, expired, sooner = Signal(), Signal(), Signal(), Signal()
        delay, tenths, limit = Signal(TIMER_BITS), Signal(TENTHS_BITS), Signal(TIMER_BITS)
        m.d.sync += [
            Cat(key, enable).eq(self.groups[n]),
            group.eq((key[28:] == 0xE) & (key != ALL_SYSTEMS)),
            same.eq(address == key),
            asked.eq(address == queried),
            expired.eq(timer == 0),
            sooner.eq(delay < timer),
            final.eq(n == self.places - 1),
            is_v3.eq(version == Version.V3),
            limit.eq((tenths << 6) + (tenths << 5)),
        ]
        m.d.comb += [
            wanted.eq(enable & group),
            write.data.eq(row),
            write_address.data.eq(key),
            write_timer.data.eq(Mux(doing == Doing.SWEEP, timer - 1, delay)),
        ]
        repeats = row.report == Report.CHANGE_TWICE
        step, records, place = Signal(5), Signal(range(self.places + 1)), Signal(range(MAX_HALVES))
        any_due, querying, recording, laid = Signal(), Signal(), Signal(), Signal()
        end = self._lay(m, step, recording, row, address, is_v3, version == Version.V1, records, place)

        # Two cards that hear a query in the same cycle after reset still draw different delays: the lowest bit of the MAC
        # address, in which neighbours differ, goes into the highest of the fraction, which is drawn last.
        noise, draws, chance = Signal(23, init=1), Signal(range(DRAW_BITS)), Signal()
        own = Cat(self.mac[DRAW_BITS - 1], self.mac[: DRAW_BITS - 1]).bit_select(~draws, 1)
        m.d.sync += [noise.eq(Cat(noise[22] ^ noise[17], noise)), chance.eq(noise[0] ^ own)]

        def go_through(why):
            m.d.sync += [doing.eq(why), n.eq(0)]
            m.next = "READ"

        def draw(whole):
            """A random fraction of some tenths of a second."""
            m.d.sync += [tenths.eq(whole), delay.eq(0), draws.eq(0)]

        def tell(active, report):
            """The row has changed: say so at once."""
            m.d.sync += any_due.eq(1)
            m.d.comb += [
                write.en.eq(1),
                write.data.active.eq(active),
                write.data.report.eq(report),
                write.data.due.eq(1),
            ]

        def forget():
            m.d.comb += [write.en.eq(1), write.data.report.eq(Report.NONE), write.data.due.eq(0)]

        with m.FSM():
            with m.State("CLEAR"):  # the memory is older than a reset
                m.d.comb += [write.en.eq(1), write.data.eq(0)]
                m.d.sync += n.eq(n + 1)
                with m.If(final):
                    m.next = "WAIT"

            with m.State("WAIT"):
                m.d.sync += [step.eq(0), records.eq(0), place.eq(FIRST_RECORD)]
                with m.If(version != present):
                    m.d.sync += version.eq(present)
                    go_through(Doing.CANCEL)
                with m.Elif(self.i.valid):
                    m.next = "LOOK"
                with m.Elif(any_due):
                    m.d.sync += any_due.eq(0)
                    go_through(Doing.TELL)
                with m.Elif(sweeping):
                    m.d.sync += [sweeping.eq(0), announcing.eq(0), again.eq(announcing)]
                    go_through(Doing.SWEEP)

            # A message.
            with m.State("LOOK"):
                m.next = "JUDGE"
            with m.State("JUDGE"):
                draw(code)
                m.next = "DONE"
                with m.If(for_us & ~found.eight & ~found.twelve):
                    m.d.comb += self.count_malformed.eq(1)
                with m.Elif(for_us):
                    m.d.comb += self.count_queries.eq(1)
                    m.d.sync += querying.eq(1)
                    m.next = "TURN"
                with m.Elif(of_member & ~is_v3):
                    go_through(Doing.SUPPRESS)
            with m.State("TURN"):
                with m.If(found.eight & (code == 0)):
                    m.d.sync += [heard[Version.V1].eq(OLDER_QUERIER_SECONDS), tenths.eq(V1_RESPONSE_TENTHS)]
                with m.If(found.eight & (code != 0)):
                    m.d.sync += heard[Version.V2].eq(OLDER_QUERIER_SECONDS)
                with m.If(found.twelve & code[7]):  # 1 eee mmmm: 1mmmm << (eee + 3)
                    mantissa = Cat(code[:4], 1)
                    m.d.sync += tenths.eq(Mux(code[4:7] == 0, mantissa << 3, mantissa << 4))
                m.next = "TURNED"
            with m.State("TURNED"):
                m.d.sync += [doing.eq(Doing.QUERY), n.eq(0)]
                m.next = "DRAW"
                with m.If(version != present):
                    m.d.sync += version.eq(present)
                    go_through(Doing.CANCEL)
            with m.State("DRAW"):
                m.d.sync += [delay.eq((delay + Mux(chance, limit, 0)) >> 1), draws.eq(draws + 1)]
                with m.If(draws == DRAW_BITS - 1):
                    m.next = "READ"
                    with m.If(doing == Doing.TELL):
                        m.next = "UPDATE"
            with m.State("DONE"):
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += querying.eq(0)
                m.next = "WAIT"

            # A row of the table.
            with m.State("READ"):
                m.next = "COMPARE"
            with m.State("COMPARE"):
                m.next = "ACT"
            with m.State("ACT"):
                m.next = "NEXT"
                with m.Switch(doing):
                    with m.Case(Doing.SWEEP):
                        with m.If(row.active & ~(wanted & same)):
                            with m.If(version == Version.V1):
                                forget()
                                m.d.comb += write.data.active.eq(0)
                            with m.Else():
                                tell(0, Mux(is_v3, Report.CHANGE_TWICE, Report.CHANGE))
                        with m.Elif(wanted & (again | ~row.active)):
                            tell(1, Report.CHANGE_TWICE)
                            m.d.comb += write_address.en.eq(1)
                        with m.Elif(row.report != Report.NONE):
                            m.d.comb += [
                                write_timer.en.eq(1),
                                write.en.eq(expired),
                                write.data.due.eq(1),
                            ]
                            m.d.sync += any_due.eq(any_due | expired)
                    with m.Case(Doing.QUERY):
                        waits = row.report != Report.NONE
                        with m.If(row.active & (general | asked) & ~row.due & (~waits | sooner)):
                            m.d.comb += [write.en.eq(~waits), write.data.report.eq(Report.ANSWER), write_timer.en.eq(1)]
                    with m.Case(Doing.SUPPRESS):
                        with m.If(row.active & asked):
                            forget()
                    with m.Case(Doing.CANCEL):
                        forget()
                    with m.Case(Doing.TELL):
                        with m.If(row.due & is_v3):
                            m.next = "RECORD"
                        with m.Elif(row.due):
                            m.next = "MESSAGE"
            with m.State("NEXT"):
                m.d.sync += [n.eq(n + 1), draws.eq(0), delay.eq(Mux(is_v3, delay, 0)), step.eq(0)]
                with m.If(~final):
                    m.next = "READ"
                    with m.If((doing == Doing.QUERY) & ~is_v3):
                        m.next = "DRAW"
                with m.Elif((doing == Doing.CANCEL) & querying):
                    m.d.sync += [doing.eq(Doing.QUERY), n.eq(0)]
                    m.next = "DRAW"
                with m.Elif((doing == Doing.QUERY) | (doing == Doing.SUPPRESS)):
                    m.next = "DONE"
                with m.Elif((doing == Doing.TELL) & (records != 0)):
                    m.next = "MESSAGE"
                with m.Else():
                    m.next = "WAIT"

            # What is due.
            with m.State("RECORD"):
                m.d.comb += [recording.eq(1), self.o.valid.eq(laid)]
                m.d.sync += laid.eq(~self.o.ready)
                with m.If(self.o.ready):
                    m.d.sync += [step.eq(step + 1), place.eq(place + 1)]
                    with m.If(step == RECORD_HALVES - 1):
                        m.d.sync += records.eq(records + 1)
                        m.next = "REPEAT"
            with m.State("MESSAGE"):
                m.d.comb += self.o.valid.eq(laid)
                m.d.sync += laid.eq(~self.o.ready)
                with m.If(self.o.ready):
                    m.d.sync += step.eq(step + 1)
                    with m.If(step == end):
                        m.d.comb += self.count_reports.eq(1)
                        m.next = "REPEAT"
                        with m.If(is_v3):
                            m.next = "WAIT"
            with m.State("REPEAT"):
                draw(Mux(is_v3, UNSOLICITED_V3_TENTHS, UNSOLICITED_V2_TENTHS))
                m.next = "UPDATE"
                with m.If(repeats):
                    m.next = "SCALE"
            with m.State("SCALE"):
                m.next = "DRAW"
            with m.State("UPDATE"):
                m.d.comb += [
                    write.en.eq(1),
                    write.data.report.eq(Mux(repeats, Report.CHANGE, Report.NONE)),
                    write.data.due.eq(0),
                    write_timer.en.eq(1),
                ]
                m.next = "NEXT"
        return m

    def _lay(self, m, step, recording, row, address, is_v3, is_v1, records, place):
        """Drives ``o``, a cycle after the step, with a report or leave message, or with a record of the former. Returns
        the step that sends it.
        """
        to_group = ~is_v3 & row.active
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
        with m.If(recording):
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
        return end
