"""The keys that are measured: ten thousand in two thousand accounts, each restricted to one to three URL patterns."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from accounts.models import Account, Plan
from goongdash.lib.clock import utc_now
from keys.key_text import make_key_text, mask
from keys.models import ApiKey, Restriction, RestrictionKind
from keys.vault import encrypt, lookup_digest

N_KEYS = 10_000
N_ACCOUNTS = 2_000
# Keys of a plan that lets one request a day through: what comes after it gets 429, whatever the server's pace.
N_QUOTA_KEYS = 20
RATE_LIMIT = 5
PLENTY = 1_000_000_000


@dataclass(frozen=True, slots=True)
class BenchKey:
    """A key and all that a peer must know of it. `patterns` are like `http*://*.site7.example/*`."""

    text: str
    key_id: int
    account_id: int
    patterns: tuple[str, ...]
    requests_per_day: int
    requests_per_month: int = PLENTY
    rate_limit: int = RATE_LIMIT


def make_keys(n_keys: int = N_KEYS) -> list[BenchKey]:
    """All of them, in the database. The first N_QUOTA_KEYS are those with a quota of one."""
    plenty, quota = _plan("bench", PLENTY), _plan("bench-quota", 1)
    now = utc_now()
    accounts = Account.objects.bulk_create(
        Account(name=f"Account {n}", plan=quota if n == 0 else plenty, created_at=now) for n in range(N_ACCOUNTS)
    )
    texts = [make_key_text("rest", secrets.choice) for _ in range(n_keys)]
    keys = ApiKey.objects.bulk_create(
        ApiKey(
            account=accounts[0] if n < N_QUOTA_KEYS else accounts[1 + n % (N_ACCOUNTS - 1)],
            type="rest",
            name=f"Key {n}",
            lookup_digest=lookup_digest(text),
            ciphertext=encrypt(text),
            masked_text=mask(text),
            created_at=now,
        )
        for n, text in enumerate(texts)
    )
    Restriction.objects.bulk_create(
        Restriction(key=key, kind=RestrictionKind.URL, text=pattern, position=position)
        for n, key in enumerate(keys)
        for position, pattern in enumerate(patterns_of(n))
    )
    return [
        BenchKey(text, key.pk, key.account_id, patterns_of(n), 1 if n < N_QUOTA_KEYS else PLENTY)
        for n, (text, key) in enumerate(zip(texts, keys, strict=True))
    ]


def patterns_of(n: int) -> tuple[str, ...]:
    """One, two or three patterns, with and without a star in the host; key by key other web sites."""
    patterns = (f"http*://site{n}.example/*", f"http*://*.site{n}.example/*", f"http*://*.shop{n}.example/*")
    return patterns[: n % 3 + 1]


def _plan(slug: str, requests_per_day: int) -> Plan:
    """Every limit is set, so that every limit is checked; none but the day's ever binds."""
    return Plan.objects.create(
        slug=slug,
        name=slug.title(),
        rate_limit=RATE_LIMIT,
        requests_per_day=requests_per_day,
        requests_per_month=PLENTY,
        map_loads_per_month=PLENTY,
        credit_micro_usd=10**15,
    )
