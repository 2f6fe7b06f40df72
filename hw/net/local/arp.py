"""The Address Resolution Protocol (RFC 826)."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, enum, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.net.local.arrival import Arrival
from hw.net.local.put import ADDRESS, MAC, SENDER, SOURCE, Put, halves, play, send
from hw.net.local.reader import ARP_BEGIN, ARP_OPERATION, ARP_REPLY, ARP_REQUEST, ARP_SENDER, ARP_SENDER_MAC, ARP_TARGET
from wire.ethernet import ARP_TYPE

ARP_TARGET_MAC = 16
FRAME_LENGTH = 42
MAX_ENTRIES = 16


class Resolved(data.Struct):
    """An answer: ``mac`` means nothing unless ``found``."""

    mac: 48
    found: 1


class What(enum.Enum, shape=2):
    """The frames that we send."""

    REPLY = 0
    REQUEST = 1
    ANNOUNCEMENT = 2


class Purpose(enum.Enum, shape=2):
    """Why the cache is gone through."""

    MERGE = 0
    LOOK_UP = 1
    AGE = 2


class Arp(wiring.Component):
    """Answers who asks for our address, and finds the MAC address of who we want to send to.

    Parameters
    ----------
    entries : int
        Addresses that the cache holds, 2 to 16.
    tries : int
        Requests before it gives up.
    retry_ms : int
        Milliseconds between them. RFC 1122 (2.3.2.1) wants no more than one a second.
    age_seconds : int
        How long an entry is good after the last frame from its address.

    Members
    -------
    i : In(stream of Arrival)
        ARP frames. Taken when the reply is gone.
    o : Out(stream of Put)
    address, netmask, gateway : In(32)
        Ours. An address outside the network is reached through ``gateway``; without one it is not found.
    tick_ms, tick_second : In(1)
        Pulses.
    announce : In(1)
        Pulse: say once to all who we are (a gratuitous request, as in RFC 5227). Nothing without an address, 2 cycles before.
    resolve : In(stream of unsigned(32))
        IPv4 addresses, one at a time.
    resolved : Out(stream of Resolved)
        One answer for each, in order.
    count_replies, count_requests_sent : Out(1)
        Pulses; announcements are requests.
    count_resolved, count_timeouts : Out(1)
        Pulses: answers with ``found``, and without.

    An address in the cache is resolved in at most ``3 * entries + 5`` cycles when nothing else is going on. The cache
    holds only addresses that ``resolve`` asked for: RFC 826 also adds who asks us, but then anybody could push the
    exchange out of it. Whatever we hear from an address that it holds renews it, a gratuitous ARP too. When it is full
    the entries are replaced in turn.
    """

    def __init__(self, entries: int = 8, tries: int = 3, retry_ms: int = 1000, age_seconds: int = 60):
        if not 2 <= entries <= MAX_ENTRIES:
            raise ValueError(f"the cache has 2 to {MAX_ENTRIES} entries, not {entries}")
        if tries < 1 or retry_ms < 1 or age_seconds < 1:
            raise ValueError(f"{tries} tries, {retry_ms} ms and {age_seconds} s are at least 1")
        self.entries, self.tries, self.retry_ms, self.age_seconds = entries, tries, retry_ms, age_seconds
        super().__init__(
            {
                "i": In(stream.Signature(Arrival)),
                "o": Out(stream.Signature(Put)),
                "address": In(32),
                "netmask": In(32),
                "gateway": In(32),
                "tick_ms": In(1),
                "tick_second": In(1),
                "announce": In(1),
                "resolve": In(stream.Signature(32)),
                "resolved": Out(stream.Signature(Resolved)),
                **{f"count_{name}": Out(1) for name in ("replies", "requests_sent", "resolved", "timeouts")},
            }
        )

    def elaborate(self, platform):
        m = Module()
        # Three memories, so that each has one thing to write: no multiplexers.
        State = data.StructLayout({"used": 1, "known": 1, "age": range(self.age_seconds)})
        addresses = memory.Memory(shape=32, depth=self.entries, init=[])
        macs = memory.Memory(shape=48, depth=self.entries, init=[])
        states = memory.Memory(shape=State, depth=self.entries, init=[])
        m.submodules.addresses, m.submodules.macs, m.submodules.states = addresses, macs, states
        n = Signal(range(self.entries))
        reads = [each.read_port(domain="comb") for each in (addresses, macs, states)]
        write_address, write_mac, write_state = writes = [each.write_port() for each in (addresses, macs, states)]
        m.d.comb += [port.addr.eq(n) for port in (*reads, *writes)]

        found, resolved = self.i.payload, self.resolved
        wanted, pending, asking, expired = Signal(32), Signal(), Signal(), Signal()
        tries_left, timer = Signal(range(self.tries + 1)), Signal(range(self.retry_ms))
        with m.If(pending & ~expired & self.tick_ms):
            m.d.sync += timer.eq(timer - 1)
            with m.If(timer == 0):
                m.d.sync += [
                    timer.eq(self.retry_ms - 1),
                    tries_left.eq(tries_left - 1),
                    asking.eq(tries_left != 0),
                    expired.eq(tries_left == 0),
                ]
        announcing, ageing, named = Signal(), Signal(), Signal()
        with m.If(resolved.ready):
            m.d.sync += resolved.valid.eq(0)

        address, mac, state, purpose = Signal(32), Signal(48), Signal(State), Signal(Purpose)
        m.d.sync += [address.eq(reads[0].data), mac.eq(reads[1].data), state.eq(reads[2].data)]
        merging, looking_up = purpose == Purpose.MERGE, purpose == Purpose.LOOK_UP
        key, hit, hits, off_link, routed = Signal(32), Signal(), Signal(), Signal(), Signal()
        free, free_known, oldest = Signal(range(self.entries)), Signal(), Signal(range(self.entries))
        final = n == self.entries - 1
        m.d.comb += [
            write_address.data.eq(wanted),
            write_mac.data.eq(found.mac),
            write_state.data.used.eq(1),
            write_state.data.known.eq(merging | (state.known & (state.age != self.age_seconds - 1))),
            write_state.data.age.eq(Mux(merging, 0, state.age + 1)),
        ]
        m.d.sync += [
            key.eq(Mux(merging, found.source, wanted)),
            off_link.eq(((wanted ^ self.address) & self.netmask) != 0),
        ]

        def go_through(why):
            m.d.sync += [purpose.eq(why), n.eq(0), hits.eq(0), free_known.eq(0), free.eq(oldest)]
            m.next = "READ"

        def say(which):
            m.d.sync += [what.eq(which), step.eq(0)]
            m.next = "SAY"

        def answer(good):
            m.d.sync += [resolved.valid.eq(1), resolved.payload.found.eq(good), pending.eq(0), asking.eq(0)]
            m.d.comb += (self.count_resolved if good else self.count_timeouts).eq(1)

        what, step, saying, taken = Signal(What), Signal(5), Signal(), Signal()
        end = self._say(m, what, step, wanted)
        m.d.sync += [
            taken.eq(self.o.valid & self.o.ready),
            self.o.valid.eq(saying & ~taken & ~(self.o.valid & self.o.ready)),
        ]
        with m.FSM():
            with m.State("CLEAR"):  # the memory is older than a reset
                m.d.comb += [write_state.en.eq(1), write_state.data.eq(0)]
                m.d.sync += n.eq(n + 1)
                with m.If(final):
                    m.next = "WAIT"

            with m.State("WAIT"):
                m.d.sync += routed.eq(0)
                with m.If(self.i.valid):
                    go_through(Purpose.MERGE)
                with m.Elif(expired):
                    m.d.sync += expired.eq(0)
                    with m.If(pending):
                        answer(False)
                with m.Elif(announcing):
                    m.d.sync += announcing.eq(0)
                    say(What.ANNOUNCEMENT)
                with m.Elif(asking):
                    m.d.sync += asking.eq(0)
                    say(What.REQUEST)
                with m.Elif(ageing):
                    m.d.sync += ageing.eq(0)
                    go_through(Purpose.AGE)
                with m.Elif(~pending & ~resolved.valid):
                    m.d.comb += self.resolve.ready.eq(1)
                    m.d.sync += wanted.eq(self.resolve.payload)
                    with m.If(self.resolve.valid):
                        m.next = "ROUTE"
            with m.State("ROUTE"):
                m.d.sync += routed.eq(1)
                with m.If(routed):
                    with m.If(off_link):
                        m.d.sync += wanted.eq(self.gateway)
                    go_through(Purpose.LOOK_UP)
                    with m.If(off_link & (self.gateway == 0)):
                        answer(False)
                        m.next = "WAIT"

            with m.State("READ"):
                m.next = "COMPARE"
            with m.State("COMPARE"):
                m.d.sync += hit.eq(state.used & (address == key))
                m.next = "ACT"
            with m.State("ACT"):
                m.d.sync += n.eq(n + 1)
                m.next = "READ"
                with m.If(final):
                    m.next = "CONCLUDE"
                with m.If(~state.known & ~free_known):
                    m.d.sync += [free.eq(n), free_known.eq(1)]
                m.d.comb += [
                    write_state.en.eq(Mux(purpose == Purpose.AGE, state.known, merging & hit)),
                    write_mac.en.eq(merging & hit),
                ]
                with m.If(hit & (merging | state.known)):
                    m.d.sync += hits.eq(1)
                with m.If(hit & looking_up):
                    m.d.sync += resolved.payload.mac.eq(mac)
                    with m.If(~state.known):  # it was here once: no second place for it
                        m.d.sync += [free.eq(n), free_known.eq(1)]
            with m.State("CONCLUDE"):
                m.d.sync += n.eq(free)
                m.next = "WAIT"
                with m.If(looking_up & hits):
                    answer(True)
                with m.If(looking_up & ~hits & ~pending):
                    m.next = "ENTER"
                with m.If(merging):
                    with m.If(found.request & found.ours):
                        say(What.REPLY)
                    with m.Else():
                        m.d.comb += self.i.ready.eq(1)
                        with m.If(pending & hits):
                            go_through(Purpose.LOOK_UP)
            with m.State("ENTER"):
                # A place for the answer: it is hit like any other when it comes.
                m.d.comb += [write_address.en.eq(1), write_state.en.eq(1), write_state.data.known.eq(0)]
                m.d.sync += [pending.eq(1), asking.eq(1), tries_left.eq(self.tries - 1), timer.eq(self.retry_ms - 1)]
                with m.If(~free_known):
                    m.d.sync += oldest.eq(Mux(oldest == self.entries - 1, 0, oldest + 1))
                m.next = "WAIT"

            with m.State("SAY"):
                m.d.comb += saying.eq(1)
                with m.If(taken):
                    m.d.sync += step.eq(step + 1)
                    with m.If(step == end):
                        m.next = "WAIT"
                        with m.If(what == What.REPLY):
                            m.d.comb += [self.count_replies.eq(1), self.i.ready.eq(1)]
                            with m.If(pending & hits):
                                go_through(Purpose.LOOK_UP)
                        with m.Else():
                            m.d.comb += self.count_requests_sent.eq(1)

        # Behind the states: a pulse in the very cycle in which the last one is served is not lost.
        m.d.sync += named.eq(self.address != 0)
        with m.If(self.announce & named):
            m.d.sync += announcing.eq(1)
        with m.If(self.tick_second):
            m.d.sync += ageing.eq(1)
        return m

    def _say(self, m, what, step, wanted):
        """Drives ``o``, a cycle after the step, with a frame; the step that sends it."""
        ours = {
            **dict(enumerate(MAC, 3)),
            6: ARP_TYPE,
            **ARP_BEGIN,
            **dict(enumerate(MAC, ARP_SENDER_MAC)),
            **dict(enumerate(ADDRESS, ARP_SENDER)),
        }
        to_all = dict.fromkeys(range(3), 65535)
        nobody = {ARP_TARGET_MAC + n: 0 for n in range(3)}
        frames = {
            What.REPLY: {
                **dict(enumerate(SENDER)),
                ARP_OPERATION: ARP_REPLY,
                **dict(enumerate(SENDER, ARP_TARGET_MAC)),
                **dict(enumerate(SOURCE, ARP_TARGET)),
            },
            What.REQUEST: {
                **to_all,
                ARP_OPERATION: ARP_REQUEST,
                **nobody,
                **dict(enumerate(halves(wanted), ARP_TARGET)),
            },
            What.ANNOUNCEMENT: {
                **to_all,
                ARP_OPERATION: ARP_REQUEST,
                **nobody,
                **dict(enumerate(ADDRESS, ARP_TARGET)),
            },
        }
        laid = Signal(Put)
        with m.Switch(what):
            for each, frame in frames.items():
                with m.Case(each):
                    end = play(m, laid, step, sorted({**ours, **frame}.items(), key=lambda put: put[0]))
        with m.If(step == end):
            m.d.comb += send(laid, FRAME_LENGTH)
        m.d.sync += self.o.payload.eq(laid)
        return end
