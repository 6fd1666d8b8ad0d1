"""Currencies: the codes of ISO 4217, and the signs that mean one of them."""

from collections.abc import Mapping

__all__ = ["CURRENCY_CODES", "CURRENCY_SIGNS", "currency_code"]

CURRENCY_CODES = frozenset(
    """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP
    BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP
    GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS
    KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR
    MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF
    SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD
    TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
    """.split()  # noqa: SIM905  # 160 codes read better without quotes
)
"""Codes of money in use (ISO 4217)."""

CURRENCY_SIGNS: Mapping[str, str] = {
    "€": "EUR",
    "£": "GBP",
    "$": "USD",
    "¥": "JPY",
    "₹": "INR",
    "₩": "KRW",
    "₽": "RUB",
    "₺": "TRY",
    "₪": "ILS",
    "฿": "THB",
    "₫": "VND",
    "₴": "UAH",
    "us$": "USD",
    "ca$": "CAD",
    "c$": "CAD",
    "au$": "AUD",
    "a$": "AUD",
    "nz$": "NZD",
    "hk$": "HKD",
    "r$": "BRL",
    "zł": "PLN",
    "kč": "CZK",
    "ft": "HUF",
    "kr": "",
    "fr": "",
    "rs": "",
}
"""Signs in small letters and without a full stop. A bare ``$`` is taken for USD and ``¥`` for JPY;
what means several currencies is "" and stands for the feed's default."""


def currency_code(text: str) -> str:
    """The ISO 4217 code that a code or sign means.

    Args:
        text: Such as ``"EUR"``, ``"eur"``, ``"€"`` or ``"kr."``.

    Returns:
        The code, "" for a sign that means several currencies.

    Raises:
        ValueError: If it is neither.
    """
    code = text.strip().rstrip(".")
    if code.upper() in CURRENCY_CODES:
        return code.upper()
    try:
        return CURRENCY_SIGNS[code.lower()]
    except KeyError:
        raise ValueError(
            f"a currency must be a code of ISO 4217 such as EUR or a sign such as €, got {text!r}"
        ) from None
