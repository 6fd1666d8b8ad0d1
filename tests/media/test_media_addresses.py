"""Which addresses are public."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapshelf.media.addresses import is_public

PUBLIC = ["93.184.215.14", "8.8.8.8", "1.1.1.1", "2606:4700::1111", "2a00:1450:4001::1"]
PRIVATE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
]
PRIVATE_6 = [
    "::",
    "::1",
    "fc00::1",
    "fdff::1",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1111%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "100::1",
    "2001:db8::1",
    "64:ff9b:1::808:808",
]
NOT_ADDRESSES = ["", "localhost", "127.1", "0x7f000001", "127.0.0.1 ", "1.2.3.4.5", "[::1]"]


def teredo(server: str, client: str) -> str:
    high = 0x20010000 << 96 | int(ipaddress.IPv4Address(server)) << 64
    return str(ipaddress.IPv6Address(high | ~int(ipaddress.IPv4Address(client)) & 0xFFFFFFFF))


def disguises(address: str) -> list[str]:
    """Every IPv6 address that stands for an IPv4 one."""
    number = int(ipaddress.IPv4Address(address))
    return [
        f"::ffff:{address}",
        str(ipaddress.IPv6Address(number)),
        f"64:ff9b::{address}",
        str(ipaddress.IPv6Address(0x2002 << 112 | number << 80)),
        teredo("8.8.8.8", address),
        teredo(address, "8.8.8.8"),
    ]


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", PRIVATE + PRIVATE_6 + NOT_ADDRESSES)
def test_private(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_in_disguise(address: str) -> None:
    for disguise in disguises(address):
        assert not is_public(disguise), disguise


def test_public_in_disguise() -> None:
    for disguise in disguises("93.184.215.14"):
        assert is_public(disguise), disguise


@given(st.ip_addresses(v=4))
def test_a_disguise_changes_nothing(address: ipaddress.IPv4Address) -> None:
    for disguise in disguises(str(address)):
        assert is_public(disguise) == is_public(str(address)), disguise
