"""GMII on half the pins: RGMII 2.0, both edges of a clock of 125 MHz.

The MAC takes and gives two samples a cycle, low half first. ``DdrInput`` and ``DdrOutput`` are the cells of an ECP5
between those and its pins.
"""

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, ResetSignal, Signal
from amaranth.lib import enum, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.net.mac.frame import MAXIMUM_BYTES, Received
from hw.net.mac.gmii import GmiiReceiver, GmiiTransmitter, receiver, transmitter
from hw.streams import Beat

TAP_PS = 25
TAPS = 128


class Speed(enum.Enum, shape=2):
    """Clock of the link in the in-band status, MHz: 2.5, 25 and 125."""

    MBPS_10 = 0
    MBPS_100 = 1
    MBPS_1000 = 2
    RESERVED = 3


def _taps(delay_ps: int) -> int:
    taps = round(delay_ps / TAP_PS)
    if not 0 <= taps < TAPS:
        raise ValueError(f"a delay of {delay_ps} ps is not in 0 to {(TAPS - 1) * TAP_PS}")
    return taps


def _delayed(m, name, delay_ps, source):
    """A pin's signal, a fixed time later."""
    if delay_ps == 0:
        return source
    late = Signal(name=f"{name}_late")
    m.submodules[f"{name}_delay"] = Instance(
        "DELAYG", p_DEL_MODE="USER_DEFINED", p_DEL_VALUE=_taps(delay_ps), i_A=source, o_Z=late
    )
    return late


class DdrInput(wiring.Component):
    """Input cells of an ECP5: IDDRX1F behind DELAYG.

    Parameters
    ----------
    width : int
    delay_ps : int
        How late the pins are taken, up to 3175 ps.

    Members
    -------
    pins : In(width)
        From the input buffers.
    o : Out(2 * width)
        What was on the pins at a rising edge, and above that at the falling edge behind it.
    """

    def __init__(self, width: int, delay_ps: int = 0):
        _taps(delay_ps)
        self.width, self.delay_ps = width, delay_ps
        super().__init__({"pins": In(width), "o": Out(2 * width)})

    def elaborate(self, platform):
        m = Module()
        for n in range(self.width):
            m.submodules[f"ddr_{n}"] = Instance(
                "IDDRX1F",
                i_SCLK=ClockSignal(),
                i_RST=ResetSignal(allow_reset_less=True),
                i_D=_delayed(m, f"pin_{n}", self.delay_ps, self.pins[n]),
                o_Q0=self.o[n],
                o_Q1=self.o[n + self.width],
            )
        return m


class DdrOutput(wiring.Component):
    """Output cells of an ECP5: ODDRX1F before DELAYG.

    Parameters
    ----------
    width : int
    delay_ps : int
        How late the pins change, up to 3175 ps.

    Members
    -------
    i : In(2 * width)
        What is on the pins behind a rising edge, and above that behind the falling edge that follows.
    pins : Out(width)
        To the output buffers.
    """

    def __init__(self, width: int, delay_ps: int = 0):
        _taps(delay_ps)
        self.width, self.delay_ps = width, delay_ps
        super().__init__({"i": In(2 * width), "pins": Out(width)})

    def elaborate(self, platform):
        m = Module()
        for n in range(self.width):
            early = Signal(name=f"early_{n}")
            m.submodules[f"ddr_{n}"] = Instance(
                "ODDRX1F",
                i_SCLK=ClockSignal(),
                i_RST=ResetSignal(allow_reset_less=True),
                i_D0=self.i[n],
                i_D1=self.i[n + self.width],
                o_Q=early,
            )
            m.d.comb += self.pins[n].eq(_delayed(m, f"pin_{n}", self.delay_ps, early))
        return m


class RgmiiReceiver(wiring.Component):
    """Frames off RGMII, in the domain of the clock that comes with them.

    Parameters
    ----------
    maximum : int
        As :class:`hw.net.mac.gmii.GmiiReceiver`.

    Members
    -------
    rx_data : In(8)
        RXD at the rising edge, and above it at the falling edge.
    rx_control : In(2)
        RX_CTL likewise: valid, and valid ^ error.
    o, sfd, count_... :
        As :class:`hw.net.mac.gmii.GmiiReceiver`.
    link_up, link_speed, full_duplex : Out(1), Out(Speed), Out(1)
        In-band status (RGMII 2.0 section 3.4.1): what the PHY said between frames. Down until it has said something.

    Latency that of the GMII receiver, 6 cycles, 1 to the verdict; the status 1 cycle. Frames are received at 1000 Mbit/s
    only: at another speed they are coding errors.
    """

    def __init__(self, maximum: int = MAXIMUM_BYTES):
        self.maximum = maximum
        super().__init__(
            {
                "rx_data": In(8),
                "rx_control": In(2),
                "o": Out(stream.Signature(Received, always_ready=True)),
                "sfd": Out(1),
                "link_up": Out(1),
                "link_speed": Out(Speed),
                "full_duplex": Out(1),
                **{f"count_{name}": Out(1) for name in receiver.COUNTERS},
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.gmii = gmii = GmiiReceiver(self.maximum)
        connect(m, gmii.o, flipped(self.o))
        m.d.comb += [
            gmii.rx_data.eq(self.rx_data),
            gmii.rx_valid.eq(self.rx_control[0]),
            gmii.rx_error.eq(self.rx_control.xor()),
            self.sfd.eq(gmii.sfd),
        ]
        m.d.comb += [getattr(self, f"count_{name}").eq(getattr(gmii, f"count_{name}")) for name in receiver.COUNTERS]
        with m.If(self.rx_control == 0):
            m.d.sync += Cat(self.link_up, self.link_speed.as_value(), self.full_duplex).eq(self.rx_data[:4])
        return m


class RgmiiTransmitter(wiring.Component):
    """Frames onto RGMII.

    Members
    -------
    i, sfd, count_... :
        As :class:`hw.net.mac.gmii.GmiiTransmitter`.
    tx_data : Out(8)
        TXD behind the rising edge, and above it behind the falling edge.
    tx_control : Out(2)
        TX_CTL likewise: enable, and enable ^ error.
    tx_clock : Out(2)
        TXC likewise, high and low; to be delayed by 2 ns on its way, or the PHY does that.

    Latency that of the GMII transmitter: 1 cycle on an idle line.
    """

    def __init__(self):
        super().__init__(
            {
                "i": In(stream.Signature(Beat)),
                "tx_data": Out(8),
                "tx_control": Out(2),
                "tx_clock": Out(2),
                "sfd": Out(1),
                **{f"count_{name}": Out(1) for name in transmitter.COUNTERS},
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.gmii = gmii = GmiiTransmitter()
        connect(m, flipped(self.i), gmii.i)
        m.d.comb += [
            self.tx_data.eq(gmii.tx_data),
            self.tx_control.eq(Cat(gmii.tx_enable, gmii.tx_enable ^ gmii.tx_error)),
            self.tx_clock.eq(Const(0b01, 2)),
            self.sfd.eq(gmii.sfd),
        ]
        m.d.comb += [getattr(self, f"count_{name}").eq(getattr(gmii, f"count_{name}")) for name in transmitter.COUNTERS]
        return m
