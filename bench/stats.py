"""Usage at scale: what a record takes, how quickly events become sums, and how quickly pages read them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from statistics import quantiles

from django.conf import settings
from django.db import connection, connections
from django.test import Client

from accounts.models import Account
from bench.usage_data import all_days, largest_account, records_make
from goongdash.celery import app
from goongdash.lib.clock import utc_now
from goongdash.lib.garbage import collect_seldom
from goongdash.lib.periods import day_of, day_start
from stats.cuts import usage_cut
from stats.events import encode_entry, encode_request, join_request
from stats.ingest import ingest_all
from stats.management.commands.ingest_usage import interpreter_tune
from stats.models import ShardCursor
from stats.outcomes import Outcome
from stats.partitions import RECORDS, partition_days
from stats.periods import Grain
from stats.queries import Dimension, UsageQuery
from stats.rollups import usage_roll_up
from stats.stream import count_key, redis_client, stream_key
from stats.tasks import roll_up_usage

N_NEW = 1_000_000
PER_ENTRY = 32
ROUNDS = 40
_COPY_ROUNDS = 3
_ROLLUP_EVERY_S: float = app.conf.beat_schedule["roll up usage"]["schedule"]
_TABLE = "bench_bare"
_COLUMNS = "id, at, account_id, key_id, service_id, outcome, units, cost_micro_usd, ip, country, origin, request_id"


def measure(sizes: Sequence[int]) -> dict[str, float]:
    """Each figure at each number of records; then what a million events from the stream take beside all of them."""
    settings.ALLOWED_HOSTS = ["testserver"]
    collect_seldom()  # As the pages' own processes do.
    account = largest_account()
    figures: dict[str, float] = {}
    n_records = 0
    for size in sorted(sizes):
        days = all_days()
        started = time.perf_counter()
        n_records = records_make(account, days=days, n_a_day=(size - n_records) // len(days))
        _vacuum()
        figures[f"{size:,} records: made and rolled up (s)"] = time.perf_counter() - started
        figures[f"{size:,} records: bytes each, indexes included"] = _bytes_of_records() / n_records
        figures |= {f"{size:,} records: {name}": value for name, value in _reading(account).items()}
    for name in (n for n in list(figures) if n.startswith(f"{max(sizes):,} records: ") and n.endswith("p95 (ms)")):
        what = name.partition(": ")[2]
        figures[f"{what.removesuffix(' (ms)')}, most ÷ fewest records"] = (
            figures[name] / figures[f"{min(sizes):,} records: {what}"]
        )
    return figures | _writing(account)


def _reading(account: Account) -> dict[str, float]:
    today = day_of(utc_now(), settings.BILLING_ZONE)
    client = Client()
    client.force_login(account.members.get())
    page = f"/statistics?period=custom&from={today - timedelta(days=90)}&to={today}"
    query = UsageQuery(
        account_id=account.pk,
        start=day_start(today - timedelta(days=90), settings.BILLING_ZONE),
        end=utc_now(),
        grain=Grain.DAY,
    )
    cuts: dict[str, Callable[[], object]] = {
        f"90 days by {dimension}": partial(usage_cut, replace(query, group_by=dimension))
        for dimension in (Dimension.KEY, Dimension.SERVICE, Dimension.ORIGIN)
    }
    acts: dict[str, Callable[[], object]] = {"statistics page, 90 days": partial(client.get, page), **cuts}
    return {f"{name}, p95 (ms)": _p95_ms(act) for name, act in acts.items()}


def _p95_ms(act: Callable[[], object]) -> float:
    act()
    return quantiles((_time_s(act) * 1_000 for _ in range(ROUNDS)), n=20)[-1]


def _time_s(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def _writing(account: Account) -> dict[str, float]:
    """A million events through the stream, ingest and rollup side by side as their processes are; and bare COPY."""
    interpreter_tune()
    before = ShardCursor.objects.get(shard=0).n_records
    _push(account)
    seconds = _time_s(_ingest_beside_rollup)
    cursor = ShardCursor.objects.get(shard=0)
    if (cursor.n_records - before, cursor.n_rolled_up, cursor.n_lost) != (N_NEW, cursor.n_records, 0):
        raise AssertionError("Not every event has become one record in the sums.")
    bare = _bare_copy(before)
    _push(account)
    ingesting = _time_s(ingest_all)
    rolling = _time_s(_roll_up)
    return {
        "stream to records, rolled up (a second)": N_NEW / seconds,
        "bare COPY of the same rows as text (a second)": bare,
        "stream to records, rolled up ÷ bare COPY": N_NEW / seconds / bare,
        "stream to records alone (a second)": N_NEW / ingesting,
        "rollup of a million new records (s)": rolling,
    }


def _ingest_beside_rollup() -> None:
    is_stored = threading.Event()

    def roll_up() -> None:
        try:
            while not is_stored.wait(_ROLLUP_EVERY_S):
                roll_up_usage()
            _roll_up()
        finally:
            connections.close_all()

    worker = threading.Thread(target=roll_up)
    worker.start()
    ingest_all()
    is_stored.set()
    worker.join()


def _roll_up() -> None:
    while usage_roll_up():
        pass


def _push(account: Account) -> None:
    """A million events of this hour into the stream, as gates would have."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT account_id, key_id, coalesce(service_id, 0), host(ip), origin, request_id::text "
            "FROM stats_usagerecord ORDER BY request_id LIMIT %s",
            [N_NEW // 20],
        )
        rows = cursor.fetchall()
    client, now = redis_client(), utc_now()
    pipe, n_said = client.pipeline(transaction=False), int(client.get(count_key(0)) or 0)
    for n, lines in enumerate(_entries(rows)):
        pipe.xadd(stream_key(0), encode_entry(n_before=n_said, at=now + timedelta(microseconds=n), lines=lines))
        n_said += len(lines)
        if n % 500 == 0:
            pipe.execute()
    pipe.set(count_key(0), n_said)
    pipe.execute()
    ShardCursor.objects.filter(shard=0, stream_id="0-0").update(n_said=n_said - N_NEW)


def _entries(rows: Sequence[tuple[int, int, int, str, str, str]]) -> Iterator[list[tuple[Outcome, bytes]]]:
    lines: list[tuple[Outcome, bytes]] = []
    for round_ in range(N_NEW // len(rows)):
        for account_id, key_id, service_id, ip, origin, request_id in rows:
            head = encode_request(
                account_id=account_id, key_id=key_id, service_id=service_id, units=1, price_micro_usd=5_000
            )
            own = f"{request_id[:-4]}{round_:04x}"
            lines.append((Outcome.ALLOWED, join_request(head, ip.encode(), origin.encode(), own.encode())))
            if len(lines) == PER_ENTRY:
                yield lines
                lines = []
    if lines:
        yield lines


def _bare_copy(after: int) -> float:
    """Rows a second, the best of three: the same rows, ready as text, into a table without any index."""
    with connection.cursor() as cursor:
        same = f"SELECT {_COLUMNS} FROM stats_usagerecord WHERE id > {after:d} AND id <= {after + N_NEW:d}"
        blocks: list[bytes] = []
        with cursor.cursor.copy(f"COPY ({same}) TO STDOUT") as copy:
            blocks = [bytes(block) for block in copy]
        text = b"".join(blocks)
        times = []
        for _ in range(_COPY_ROUNDS):
            cursor.execute(f"DROP TABLE IF EXISTS {_TABLE}")
            cursor.execute(f"CREATE TABLE {_TABLE} AS {same} LIMIT 0")
            times.append(_time_s(partial(_copy, text)))
        cursor.execute(f"DROP TABLE {_TABLE}")
    return N_NEW / min(times)


def _copy(text: bytes) -> None:
    with connection.cursor() as cursor, cursor.cursor.copy(f"COPY {_TABLE} ({_COLUMNS}) FROM STDIN") as copy:
        for start in range(0, len(text), 1 << 18):
            copy.write(text[start : start + (1 << 18)])


def _vacuum() -> None:
    """What autovacuum does within the minute, so that no figure depends on when."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _bytes_of_records() -> int:
    names = [RECORDS.partition(day) for day in partition_days()]
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(pg_total_relation_size(name::regclass)) FROM unnest(%s::text[]) AS name", [names])
        ((size,),) = cursor.fetchall()
    return int(size)
