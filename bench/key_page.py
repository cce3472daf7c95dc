"""The pages of the keys: server time of the list with ten thousand and of one key's own, and matching at its worst."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from statistics import median

from django.conf import settings
from django.db import connection
from django.test import Client

from accounts.models import Account
from accounts.registration import account_register
from goongdash.lib.clock import utc_now
from goongdash.lib.garbage import collect_seldom
from keys.last_use import LastUse, key_uses_note
from keys.models import ApiKey, KeyType, Restriction, RestrictionKind
from keys.origins import parse_url
from keys.patterns import parse_pattern

N_KEYS = 10_000
ROUNDS = 15
LISTS = {
    "newest first": "/keys",
    "page 200": "/keys?page=200",
    "search of a name": "/keys?q=09999",
    "last used first, active": "/keys?sort=used&state=active",
    "by name, tiles": "/keys?sort=name&type=tiles",
}
HOSTILE_PATTERN = "http*://*." + "a*." * 120 + "a/" + "a*" * 812
HOSTILE_URL = "http://" + "a." * 126 + "a/" + "ab" * 870


def measure() -> dict[str, float]:
    """Milliseconds, medians."""
    settings.ALLOWED_HOSTS = ["testserver"]
    collect_seldom()  # As the pages' own processes do.
    client = Client()
    account = _account_with_keys()
    client.force_login(account.members.get())
    page_url = f"/keys/{account.keys.latest('pk').pk}?tab="
    urls = {f"list, {name}": url for name, url in LISTS.items()}
    urls |= {f"page of a key, {tab}": page_url + tab for tab in ("use", "start", "history")}
    figures: dict[str, float] = {}
    for name, url in urls.items():
        get = partial(client.get, url)
        figures[f"{name} (ms)"] = _median_ms(get)
        figures[f"{name}, of it this process's processor time (ms)"] = _median_ms(get, time.process_time)
    pattern, origin = parse_pattern(HOSTILE_PATTERN), parse_url(HOSTILE_URL)
    if origin is None:
        raise AssertionError("The hostile URL is one that is refused before it is compared.")
    figures["hostile pattern and URL, read and matched (ms)"] = _median_ms(
        lambda: parse_pattern(HOSTILE_PATTERN).matches(parse_url(HOSTILE_URL) or origin)
    )
    figures["hostile pattern and URL, matched (ms)"] = _median_ms(lambda: pattern.matches(origin))
    return figures


def _median_ms(act: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    act()
    return median(_time_ms(act, clock) for _ in range(ROUNDS))


def _time_ms(act: Callable[[], object], clock: Callable[[], float]) -> float:
    start = clock()
    act()
    return (clock() - start) * 1_000


def _account_with_keys() -> Account:
    account, now = account_register(email="many@example.com", password="correct horse battery"), utc_now()
    keys = ApiKey.objects.bulk_create(
        ApiKey(
            account=account,
            type=KeyType.TILES if number % 3 else KeyType.REST,
            name=f"Key {number:05}",
            lookup_digest=f"{number:064}",
            ciphertext=b"",
            masked_text=f"gr_{number:05}",
            created_at=now - timedelta(minutes=number),
            expires_at=None if number % 4 else now + timedelta(days=number % 90 - 30),
        )
        for number in range(N_KEYS)
    )
    Restriction.objects.bulk_create(
        Restriction(key=key, kind=RestrictionKind.URL, text=f"http*://s{position}.example.com/*", position=position)
        for key in keys
        for position in range(3)
    )
    key_uses_note(
        LastUse(key.pk, now - timedelta(minutes=key.pk * 7 % N_KEYS), "https://example.com", "203.0.113.7")
        for key in keys[::2]
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # As autovacuum would have, by the time that an account has so many keys.
    return account
