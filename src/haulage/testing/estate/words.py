"""Names that could be those of real sites and packages. Pure data and what is made from it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

REGIONS: tuple[tuple[str, str, str], ...] = (
    (
        "CHI",
        "Chicago",
        "LAX Los Angeles|NYC New York|DFW Dallas|SEA Seattle|MIA Miami|DEN Denver|ATL Atlanta|BOS Boston|PHX Phoenix",
    ),
    (
        "LON",
        "London",
        "PAR Paris|BER Berlin|MUC München|DUB Dublin|MAN Manchester|EDI Edinburgh|CDF Cardiff|LDS Leeds|BHM Birmingham",
    ),
    (
        "SIN",
        "Singapore",
        "SYD Sydney|TYO Tokyo|HKG Hong Kong|BKK Bangkok|KUL Kuala Lumpur|MNL Manila|SGN Saigon|CGK Jakarta|PNH Phnom Penh",
    ),
    (
        "FRA",
        "Frankfurt",
        "HAM Hamburg|CGN Köln|STR Stuttgart|LEJ Leipzig|NUE Nürnberg|VIE Wien|ZRH Zürich|PRG Praha|BUD Budapest",
    ),
    (
        "MAD",
        "Madrid",
        "BCN Barcelona|LIS Lisboa|OPO Porto|VLC Valencia|SVQ Sevilla|BIO Bilbao|ZAZ Zaragoza|AGP Málaga|FAO Faro",
    ),
    (
        "STO",
        "Stockholm",
        "OSL Oslo|CPH København|HEL Helsinki|GOT Göteborg|BGO Bergen|AAR Aarhus|TMP Tampere|TRD Trondheim|MMX Malmö",
    ),
    (
        "SAO",
        "São Paulo",
        "RIO Rio de Janeiro|BUE Buenos Aires|SCL Santiago|LIM Lima|BOG Bogotá|"
        "MVD Montevideo|UIO Quito|ASU Asunción|POA Porto Alegre",
    ),
    (
        "YYZ",
        "Toronto",
        "YUL Montréal|YVR Vancouver|YYC Calgary|YOW Ottawa|YHZ Halifax|YWG Winnipeg|YQB Québec|YXE Saskatoon|YYJ Victoria",
    ),
    (
        "MIL",
        "Milano",
        "ROM Roma|NAP Napoli|TRN Torino|VCE Venezia|BLQ Bologna|FLR Firenze|PMO Palermo|GOA Genova|BRI Bari",
    ),
    (
        "WAW",
        "Warszawa",
        "KRK Kraków|GDN Gdańsk|WRO Wrocław|POZ Poznań|KTW Katowice|RIX Rīga|VNO Vilnius|TLL Tallinn|LUZ Lublin",
    ),
)
"""Code and name of each region's site, and the cities below it."""

BRANCHES = (
    "Harbour", "Airport", "Old Town", "Station", "Market Square", "West Side", "North Gate", "Riverside", "Mill Lane",
    "Castle Hill", "Exhibition Centre", "University", "South Bank", "Garden City", "Ring Road", "Business Park", "Cathedral",
    "Dockside",
)  # fmt: skip

POINT_NAMES = ("SHOP", "OFFICE", "KIOSK", "DEPOT", "TILLS")

_PRODUCTS = (
    "7-Zip", "Till software", "Price lists", "Store signage", "Firefox ESR", "Java runtime", "Office suite", "PDF reader",
    "Barcode fonts", "Payment terminal firmware", "Label printer driver", "Stock taking", "Staff rota", "Loyalty cards",
    "Camera firmware", "Base image", "Mail client", "Virus definitions", "Network tools", "Printer drivers", "Accounting",
    "Video conference", "Shelf planner", "Kiosk shell", "Training films", "Database client", "Terminal emulator",
    "Time server settings", "Root certificates", "Language packs", "Scale firmware", "Fleet tablet image", "Warehouse scanner",
    "Customs forms", "Door controller", "Energy meter", "Smoke detector firmware", "Phone system", "Backup agent",
    "Inventory agent", "Call centre", "Map data", "Timetables", "Menu boards", "Reverse vending", "Fuel pump control",
)  # fmt: skip
_EDITIONS = (
    "", "de", "fr", "es", "pl", "x64", "arm64", "pilot", "legacy", "2025", "2026", "LTS", "nightly", "branch offices",
    "head office",
)  # fmt: skip
_PARTS = ("", "core", "add-ons", "help", "fonts", "samples")

FOLDERS = ("bin", "lib", "share/locale/de", "share/locale/fr", "share/doc", "drivers/x64", "fonts", "templates", "config")
FILES = (
    "readme.txt",
    "setup.exe",
    "data.cab",
    "manual.html",
    "settings.ini",
    "messages.po",
    "icon.png",
    "module.dll",
    "schema.xml",
)


def package_names() -> Iterator[str]:
    """Names of packages, each once; more than any estate has packages, and ones with characters that pages must not mistake."""
    yield "Till software <nightly> & samples"
    for part, edition, product in itertools.product(_PARTS, _EDITIONS, _PRODUCTS):
        yield " ".join(word for word in (product, edition, part) if word)


def site_codes(taken: set[str], letter: str) -> Iterator[str]:
    """Codes beginning with a letter that are not taken; each is taken when it is given."""
    digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZ0"
    for first, second in itertools.product("0" + digits[:-1], digits):
        code = f"{letter}{first}{second}"
        if code not in taken:
            taken.add(code)
            yield code
