"""Currencies and units beside numbers, and which words could be such."""

import re
import unicodedata

_CURRENCIES = """
usd eur gbp chf jpy cny rmb inr aud cad nzd sek nok dkk pln czk huf ron bgn try rub uah brl mxn ars clp cop zar ngn kes
egp ils aed sar krw twd hkd sgd thb idr myr php vnd pkr bdt rs rp kr fr kč zł ft lei лв руб us$ a$ c$ r$ nz$ hk$ s$ nt$
rm"""
_UNITS = """
% ‰ ° °C °F mg µg μg ug ng kg lb lbs oz g t mm cm dm m km mi ft in yd ha ml mL cl dl dL l ms µs s sec min h hr hrs d day
week wk mo month y yr yrs year kW MW GW kWh MWh mV kV mA kJ MJ cal kcal kN Pa hPa kPa MPa bar mbar psi mmHg Hz kHz MHz
GHz kB KB MB GB TB px dB km/h mph m/s rpm bpm mg/dl mg/dL mmol/L mmol/l g/L g/l g/dL m2 m3 m² m³ cm2 cm3 km2 sqm sqft"""

CURRENCIES = frozenset(_CURRENCIES.split())
UNITS = frozenset(_UNITS.split())
"""Those that are known: two of them in one column are an error, not categories."""


def is_unit(prefix: str, suffix: str) -> bool:
    """Whether a number can have it: none, a currency in front, or behind it more than one letter of a code.

    >>> is_unit("", "kg"), is_unit("$", ""), is_unit("", "A"), is_unit("SKU", "")
    (True, True, False, False)
    """
    return (not prefix or _is_currency(prefix)) and (len(suffix) != 1 or suffix in UNITS or not suffix.isalnum())


def is_known_unit(prefix: str, suffix: str) -> bool:
    """Whether it is surely a currency or a unit."""
    return bool(prefix) or suffix in UNITS or same_unit(suffix) in UNITS or _is_currency(suffix)


def _is_currency(text: str) -> bool:
    return any(unicodedata.category(char) == "Sc" for char in text) or text.lower().rstrip(".") in CURRENCIES


def same_unit(unit: str) -> str:
    """What spellings of a unit have in common: "Days" and "day", but not "mW" and "MW".

    >>> same_unit("Days"), same_unit("day"), same_unit("mW"), same_unit("Min."), same_unit("min")
    ('day', 'day', 'mW', 'Min', 'min')
    """
    stem = unit.removesuffix(".")
    if not _is_word(stem):
        return unit
    first = stem[0] if stem[0] in "mM" else stem[0].lower()  # milli or mega
    return first + stem[1:].lower().removesuffix("s")


def unit_pattern(unit: str) -> str:
    """A regular expression for the spellings that `same_unit` takes for one."""
    if not _is_word(unit.removesuffix(".")):
        return re.escape(unit)
    stem = same_unit(unit)
    first = stem[0] if stem[0] in "mM" else f"(?i:{stem[0]})"
    return f"{first}(?i:{stem[1:]}s?)\\.?"


def _is_word(unit: str) -> bool:
    return len(unit) > 2 and unit.isalpha()
