"""The sockets under `HttpClient`: they reach public addresses only and do not wait for ever.

Both are done where the connection is made, since a check made beforehand may get another address
than the connection (DNS rebinding).
"""

import ipaddress
import socket
from contextlib import suppress
from functools import partial
from threading import Event, Timer

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NameResolutionError, NewConnectionError

from providers.core.errors import AddressRefused

# One host an account, and as many threads as a pass uses.
POOL_SIZE = 16

_NAT64 = ipaddress.ip_network("64:ff9b::/96")

# What `ipaddress` considers global: IPv4 addresses in the low half, of old (RFC 4291, 2.5.5.1)
# and of stateless translation (RFC 2765), and translation within one site (RFC 8215).
_LOCAL = [
    ipaddress.ip_network(network) for network in ("::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48")
]


def is_public(address: str) -> bool:
    """Whether a numeric address is a public unicast one, also when it is wrapped into IPv6."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        wrapped = ip.ipv4_mapped or ip.sixtofour
        if wrapped is None and ip in _NAT64:
            wrapped = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if wrapped is not None:
            return is_public(str(wrapped))
        if ip.is_site_local or any(ip in network for network in _LOCAL):
            return False
    return ip.is_global and not ip.is_multicast


class _BoundedConnection(HTTPConnection):
    """Applies the read timeout to all of the head of an answer.

    A socket's timeout starts anew with each byte, so a server that sends its headers one by
    one could hold a worker for hours. Who reads the body watches it, and ends it by the
    answer's `shutdown`.
    """

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        sock, too_late = self.sock, Event()
        watchdog = Timer(self.timeout or 0, _shut, [sock, too_late])
        watchdog.daemon = True
        watchdog.start()
        try:
            response = super().getresponse()
        finally:
            watchdog.cancel()
        if too_late.is_set():  # a head that is cut off parses as a shorter one
            response.close()
            raise TimeoutError("The headers of the response did not arrive in time.")
        response.shutdown = partial(_shut, sock, too_late)  # type: ignore[method-assign]
        return response


def _shut(sock: socket.socket, too_late: Event) -> None:
    """End what another thread reads from `sock`.

    Both ways, since after SHUT_RD alone Linux still takes what comes. And the socket below TLS:
    `SSLSocket.shutdown` would take TLS off it under the hands of its reader.
    """
    too_late.set()
    with suppress(OSError):  # the answer came, and the connection was closed, a moment ago
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


class _PublicConnection(_BoundedConnection):
    """Resolves the name once, checks every address, and connects to one of those."""

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        addresses = self._resolve()
        if not all(is_public(address) for address in addresses):
            raise AddressRefused(
                f"{name} is at a private address; this installation only calls public ones."
            )
        *others, last = addresses
        try:
            for address in others:
                self._dns_host = address
                try:
                    return super()._new_conn()
                except NewConnectionError:
                    continue  # often an IPv6 address on a host without IPv6
            self._dns_host = last
            return super()._new_conn()
        finally:
            self._dns_host = name  # what TLS compares the certificate with

    def _resolve(self) -> list[str]:
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            reason = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
            raise NameResolutionError(self.host, self, reason) from None
        return [str(address[0]) for *_, address in found]


class _BoundedTLSConnection(_BoundedConnection, HTTPSConnection):
    pass


class _PublicTLSConnection(_PublicConnection, HTTPSConnection):
    pass


class _BoundedPool(HTTPConnectionPool):
    ConnectionCls = _BoundedConnection


class _BoundedTLSPool(HTTPSConnectionPool):
    ConnectionCls = _BoundedTLSConnection


class _PublicPool(HTTPConnectionPool):
    ConnectionCls = _PublicConnection


class _PublicTLSPool(HTTPSConnectionPool):
    ConnectionCls = _PublicTLSConnection


class BoundedAdapter(HTTPAdapter):
    """Keeps up to POOL_SIZE connections; a further thread waits for one. Never sends twice."""

    def __init__(self, *, allow_private_addresses: bool) -> None:
        super().__init__(pool_maxsize=POOL_SIZE, pool_block=True, max_retries=0)
        self.poolmanager.pool_classes_by_scheme = (
            {"http": _BoundedPool, "https": _BoundedTLSPool}
            if allow_private_addresses
            else {"http": _PublicPool, "https": _PublicTLSPool}
        )
