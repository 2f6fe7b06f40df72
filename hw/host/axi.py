"""AXI4 and AXI4-Lite, as the card speaks them (AMBA AXI and ACE Protocol Specification, IHI 0022H).

Members have the specification's own names, so that a signature with the name ``axi`` meets any other tool's ``axi_awaddr``
half-way. Each is written from the manager's side: a subordinate has it as ``In(...)``.
"""

from amaranth.hdl import Module
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

ADDRESS_BITS = 64
DATA_BITS = 64
DATA_BYTES = DATA_BITS // 8
SIZE_8_BYTES = 3
INCREMENTING = 1
CACHE = 0b0011
"""Bufferable and modifiable: normal memory, which an interconnect may merge and a bridge may post."""


class Response(enum.Enum, shape=2):
    """``bresp`` and ``rresp``. Bit 1 is set in an error."""

    OKAY = 0
    EXOKAY = 1
    SLVERR = 2
    DECERR = 3


def _address(channel: str, id_bits: int) -> dict[str, wiring.Member]:
    return {
        **({f"{channel}id": Out(id_bits)} if id_bits else {}),
        f"{channel}addr": Out(ADDRESS_BITS),
        f"{channel}len": Out(8),
        f"{channel}size": Out(3, init=SIZE_8_BYTES),
        f"{channel}burst": Out(2, init=INCREMENTING),
        f"{channel}cache": Out(4, init=CACHE),
        f"{channel}prot": Out(3),
        f"{channel}valid": Out(1),
        f"{channel}ready": In(1),
    }


class AxiWrite(wiring.Signature):
    """The write channels of an AXI4 manager: addresses and data of 64 bits.

    Parameters
    ----------
    id_bits : int
        Width of the identifiers. 0: there are none, and responses come in order.

    Members
    -------
    awid, awaddr, awlen, awsize, awburst, awcache, awprot, awvalid, awready
        A burst of ``awlen + 1`` beats, from ``awaddr`` on. It does not cross 4 KiB. ``awsize``, ``awburst``, ``awcache``
        and ``awprot`` never change: 8 bytes, incrementing, normal memory, data of a user that is secure.
    wdata, wstrb, wlast, wvalid, wready
        The bursts' data, in the order of their addresses. It does not wait for the address to be taken.
    bid, bresp, bvalid, bready
        One response per burst; in order among those of one identifier.
    """

    def __init__(self, id_bits: int = 0):
        self.id_bits = id_bits
        super().__init__(
            {
                **_address("aw", id_bits),
                "wdata": Out(DATA_BITS),
                "wstrb": Out(DATA_BYTES, init=(1 << DATA_BYTES) - 1),
                "wlast": Out(1),
                "wvalid": Out(1),
                "wready": In(1),
                **({"bid": In(id_bits)} if id_bits else {}),
                "bresp": In(Response),
                "bvalid": In(1),
                "bready": Out(1),
            }
        )


class AxiRead(wiring.Signature):
    """The read channels of an AXI4 manager: addresses and data of 64 bits.

    Parameters
    ----------
    id_bits : int
        Width of the identifiers. 0: there are none, and data comes in the order of the addresses.

    Members
    -------
    arid, araddr, arlen, arsize, arburst, arcache, arprot, arvalid, arready
        A burst, as in :class:`AxiWrite`.
    rid, rdata, rresp, rlast, rvalid, rready
        Its data, a response with each beat.
    """

    def __init__(self, id_bits: int = 0):
        self.id_bits = id_bits
        super().__init__(
            {
                **_address("ar", id_bits),
                **({"rid": In(id_bits)} if id_bits else {}),
                "rdata": In(DATA_BITS),
                "rresp": In(Response),
                "rlast": In(1),
                "rvalid": In(1),
                "rready": Out(1),
            }
        )


class AxiManager(wiring.Signature):
    """All five channels of an AXI4 manager.

    Parameters
    ----------
    id_bits : int
        Width of the identifiers.

    Members
    -------
    Those of :class:`AxiWrite` and :class:`AxiRead`.
    """

    def __init__(self, id_bits: int):
        self.id_bits = id_bits
        super().__init__({**AxiWrite(id_bits).members, **AxiRead(id_bits).members})


def relay(m: Module, port: wiring.PureInterface, inner: wiring.PureInterface) -> None:
    """Connects the channels of a component inside to those of the same name in a port of the outer."""
    for name, member in inner.signature.members.items():
        outside, inside = getattr(port, name), getattr(inner, name)
        m.d.comb += outside.eq(inside) if member.flow is Out else inside.eq(outside)


class AxiLiteManager(wiring.Signature):
    """The five channels of an AXI4-Lite manager, data of 32 bits.

    Parameters
    ----------
    address_bits : int

    Members
    -------
    awaddr, awprot, awvalid, awready; wdata, wstrb, wvalid, wready; bresp, bvalid, bready
        A write.
    araddr, arprot, arvalid, arready; rdata, rresp, rvalid, rready
        A read.
    """

    def __init__(self, address_bits: int):
        self.address_bits = address_bits
        super().__init__(
            {
                "awaddr": Out(address_bits),
                "awprot": Out(3),
                "awvalid": Out(1),
                "awready": In(1),
                "wdata": Out(32),
                "wstrb": Out(4),
                "wvalid": Out(1),
                "wready": In(1),
                "bresp": In(Response),
                "bvalid": In(1),
                "bready": Out(1),
                "araddr": Out(address_bits),
                "arprot": Out(3),
                "arvalid": Out(1),
                "arready": In(1),
                "rdata": In(32),
                "rresp": In(Response),
                "rvalid": In(1),
                "rready": Out(1),
            }
        )
