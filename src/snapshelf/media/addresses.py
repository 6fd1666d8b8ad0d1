"""Which network addresses belong to the public internet."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

__all__ = ["is_public"]

_NAT64 = IPv6Network("64:ff9b::/96")
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")  # older Pythons hold it to be global
_IPV4_COMPATIBLE = IPv6Network("::/96")


def is_public(address: str) -> bool:
    """Tell whether an address is one that anybody on the internet may reach.

    An IPv6 address that stands for an IPv4 one (mapped, compatible, 6to4, Teredo, NAT64) is
    public only if that one is too.

    Args:
        address: An IPv4 or IPv6 address as a resolver gives it, possibly with a zone.

    Returns:
        False for loopback, private, link-local, shared, multicast, reserved and unspecified
        addresses, and for anything that is no address.

    Example:
        >>> is_public("93.184.215.14"), is_public("::ffff:127.0.0.1")
        (True, False)
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address):
        if parsed.scope_id is not None or parsed.is_site_local or parsed in _LOCAL_NAT64:
            return False
        embedded = _embedded(parsed)
        if embedded:
            return all(_is_public(inner) for inner in embedded)
    return _is_public(parsed)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified
    )


def _embedded(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses that an IPv6 address stands for; none for an ordinary one."""
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    if address in _NAT64 or address in _IPV4_COMPATIBLE:
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    return ()
