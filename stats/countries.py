"""The country of an address, where the installation has a GeoIP database (`GEOIP_DATABASE`, MaxMind's format)."""

from __future__ import annotations

import logging
from functools import lru_cache

import maxminddb
from django.conf import settings

logger = logging.getLogger(__name__)


def country_of(ip: str) -> str:
    """Two letters (ISO 3166-1), or nothing where nobody knows."""
    reader = _reader()
    return "" if reader is None else _look_up(reader, ip)


@lru_cache(maxsize=50_000)
def _look_up(reader: maxminddb.Reader, ip: str) -> str:
    try:
        found = reader.get(ip)
    except ValueError:  # An IPv6 address, and a database of IPv4 only.
        return ""
    country = found.get("country") if isinstance(found, dict) else None
    code = country.get("iso_code") if isinstance(country, dict) else country
    return code if isinstance(code, str) and len(code) == 2 and code.isascii() and code.isalpha() else ""


@lru_cache(maxsize=1)
def _reader() -> maxminddb.Reader | None:
    """The database, opened once: a new one is used after the next start of the process.

    One that cannot be read is no reason to store nothing: records then have no country.
    """
    path = settings.GEOIP_DATABASE
    if not path:
        return None
    try:
        return maxminddb.open_database(path)
    except (OSError, maxminddb.InvalidDatabaseError) as error:
        logger.error("geoip_database_unreadable", extra={"path": path, "error": str(error)})
        return None
