"""Membership of multicast groups: IGMP versions 1 (RFC 1112), 2 (RFC 2236) and 3 (RFC 3376), the host's part."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, enum, memory, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.net.local.arrival import Arrival
from hw.net.local.igmp_message import (
    ALL_SYSTEMS,
    MAX_GROUPS,
    QUERY,
    REPORT_V1,
    REPORT_V2,
    IgmpMessage,
    Membership,
    Report,
    Version,
)
from hw.net.local.put import Put

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


class Group(data.Struct):
    """A group that is wanted when ``enable``. What is no group, and 224.0.0.1, is not."""

    address: 32
    enable: 1


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

        heard = {version: Signal(range(OLDER_QUERIER_SECONDS + 1)) for version in (Version.V1, Version.V2)}
        version, present = Signal(Version), Signal(Version)
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
        delay, lower = Signal(TIMER_BITS), Signal(TIMER_BITS)
        tenths, limit = Signal(TENTHS_BITS), Signal(TIMER_BITS)
        m.d.sync += [
            Cat(key, enable).eq(self.groups[n]),
            group.eq((key[28:] == 0xE) & (key != ALL_SYSTEMS)),
            same.eq(address == key),
            asked.eq(address == queried),
            expired.eq(timer == 0),
            lower.eq(timer - 1),
            sooner.eq(delay < timer),
            final.eq(n == self.places - 1),
            is_v3.eq(version == Version.V3),
            limit.eq((tenths << 6) + (tenths << 5)),
        ]
        m.d.comb += [
            wanted.eq(enable & group),
            write.data.eq(row),
            write_address.data.eq(key),
            write_timer.data.eq(Mux(doing == Doing.SWEEP, lower, delay)),
        ]
        repeats = row.report == Report.CHANGE_TWICE
        any_due, querying = Signal(), Signal()
        m.submodules.message = message = IgmpMessage()
        connect(m, message.o, flipped(self.o))
        m.d.comb += [message.row.eq(row), message.address.eq(address), message.version.eq(version)]

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
                        m.d.comb += write_timer.en.eq(1)  # of a row that does not wait it means nothing
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
                            m.d.comb += [write.en.eq(expired), write.data.due.eq(1)]
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
                m.d.sync += [n.eq(n + 1), draws.eq(0), delay.eq(Mux(is_v3, delay, 0))]
                with m.If(~final):
                    m.next = "READ"
                    with m.If((doing == Doing.QUERY) & ~is_v3):
                        m.next = "DRAW"
                with m.Elif((doing == Doing.CANCEL) & querying):
                    m.d.sync += [doing.eq(Doing.QUERY), n.eq(0)]
                    m.next = "DRAW"
                with m.Elif((doing == Doing.QUERY) | (doing == Doing.SUPPRESS)):
                    m.next = "DONE"
                with m.Elif((doing == Doing.TELL) & (message.records != 0)):
                    m.next = "MESSAGE"
                with m.Else():
                    m.next = "WAIT"

            # What is due.
            with m.State("RECORD"):
                m.d.comb += message.record.eq(1)
                with m.If(message.done):
                    m.next = "REPEAT"
            with m.State("MESSAGE"):
                m.d.comb += message.message.eq(1)
                with m.If(message.done):
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

        # Behind the states: a pulse in the very cycle in which the last one is served is not lost.
        with m.If(self.tick_ms):
            m.d.sync += sweeping.eq(1)
        with m.If(self.announce):
            m.d.sync += announcing.eq(1)
        return m
