"""The sockets of both feeds, members of their groups."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address

from control.configuration import Configuration
from engine.live.live import Interface

RECEIVE_BUFFER = 1 << 23
SO_RCVBUFFORCE = 33  # of Linux; Python has no name for it


class Feeds:
    """Where both feeds come in.

    Parameters
    ----------
    configuration : Configuration

    Attributes
    ----------
    sockets : pair of socket
    source : pair of socket, or Interface
        What a live device takes.

    Raises
    ------
    OSError
        An address that is not of this machine, a port that is taken, a group that can't be joined.
    """

    def __init__(self, configuration: Configuration) -> None:
        feed, market = configuration.feed, configuration.market
        a = _receiving(feed.address_a, feed.port_a, market.interface)
        try:
            b = _receiving(feed.address_b, feed.port_b, market.interface)
        except OSError:
            a.close()
            raise
        self.sockets = a, b
        self.source: tuple[socket.socket, socket.socket] | Interface = self.sockets
        if market.xdp:
            self.source = Interface(market.xdp, feed.port_a, feed.port_b)

    def close(self) -> None:
        """Leave the groups."""
        for each in self.sockets:
            each.close()


def _receiving(address: IPv4Address, port: int, interface: IPv4Address) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        try:
            made.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
        except OSError:  # without the right, as much as net.core.rmem_max lets
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        if address.is_multicast:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind((str(address), port))
            made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, address.packed + interface.packed)
        else:
            made.bind((str(address), port))
    except OSError as error:
        made.close()
        raise OSError(error.errno, f"feed {address}:{port}: {error.strerror}") from error
    return made
