"""Where pages about things are: the one place that puts their addresses together. Pure."""

from __future__ import annotations

import functools
from urllib.parse import quote


@functools.lru_cache(maxsize=1024)
def package_address(package: str) -> str:
    """Of a package."""
    return f"/packages/{quote(package, safe='')}"


def place_address(place: str) -> str:
    """Of a site (its code) or a point (CODE/NAME)."""
    site, slash, point = place.partition("/")
    return f"/sites/{quote(site, safe='')}" if not slash else f"/points/{quote(site, safe='')}/{quote(point, safe='')}"


def at_address(package: str, place: str) -> str:
    """Of a package at a place."""
    return f"{package_address(package)}/at/{quote(place, safe='/')}"
