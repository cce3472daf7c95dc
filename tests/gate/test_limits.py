"""Limits under load: exact in every window, for every caller, through several gates at once."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from itertools import pairwise

import httpx
import pytest

from accounts.models import Plan
from stats.ingest import ingest_all
from stats.models import UsageRecord
from stats.outcomes import OUTCOMES, Outcome
from tests.factories import make_account, make_key
from tests.processes import SESSION_PREFIX, GateProcess, running_gate

ALLOWED = OUTCOMES[Outcome.ALLOWED].number


async def flood(base_urls: list[str], path: str, ips: list[str], connections: int = 40) -> Counter[int]:
    """One request for each of `ips`, over many connections and all gates; how often each status came.

    No more are begun than there are connections: httpx looks through all that wait for one at every answer.
    """
    questions = iter([(base_urls[n % len(base_urls)] + path, ip) for n, ip in enumerate(ips)])
    statuses: Counter[int] = Counter()

    async def ask(client: httpx.AsyncClient) -> None:
        for url, ip in questions:
            answer = await client.get(url, headers={"X-Forwarded-For": ip})
            statuses[answer.status_code] += 1

    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=connections), timeout=30) as client:
        await asyncio.gather(*(ask(client) for _ in range(connections)))
    return statuses


def test_of_1010_requests_from_many_addresses_exactly_1000_pass(gate: GateProcess) -> None:
    key = make_key()
    ips = [f"198.51.{n // 250}.{n % 250}" for n in range(1_010)]
    counted = asyncio.run(flood([gate.base_url], f"/geocode?address=x&api_key={key.text}", ips))
    assert counted == {200: 1_000, 429: 10}


def test_credit_is_not_overspent_by_several_gates_at_once(gate: GateProcess) -> None:
    Plan.objects.create(slug="dollar", name="Dollar", rate_limit=1_000, credit_micro_usd=1_003_000)
    key = make_key(make_account(plan="dollar"))
    with running_gate(redis_prefix=SESSION_PREFIX, TRUSTED_PROXIES="127.0.0.1") as second:
        counted = asyncio.run(
            flood([gate.base_url, second.base_url], f"/geocode?address=x&api_key={key.text}", ["198.51.100.1"] * 300)
        )
    assert counted == {200: 200, 429: 100}
    ingest_all()
    assert sum(UsageRecord.objects.values_list("cost_micro_usd", flat=True)) == 1_000_000


def test_in_no_window_of_a_second_do_more_than_five_pass(gate: GateProcess) -> None:
    key = make_key()
    path = f"{gate.base_url}/geocode?address=x&api_key={key.text}"
    until = time.monotonic() + 3.2
    with httpx.Client() as client:
        while time.monotonic() < until:
            client.get(path)
    ingest_all()
    passed = list(UsageRecord.objects.filter(outcome=ALLOWED).order_by("at").values_list("at", flat=True))
    spans = [(sixth - first).total_seconds() for first, sixth in zip(passed, passed[5:], strict=False)]
    assert len(passed) >= 15
    assert min(spans) >= 1.0


def test_caller_who_stays_within_five_a_second_is_never_refused(gate: GateProcess) -> None:
    key = make_key()
    for _ in range(3):
        answers = gate.get_at_once(f"/geocode?address=x&api_key={key.text}", 5)
        assert [answer.status_code for answer in answers] == [200] * 5
        time.sleep(1.01)


def test_rate_is_counted_for_each_address_and_each_key_alone(gate: GateProcess) -> None:
    account = make_account()
    first, second = make_key(account), make_key(account)
    for key in (first, second):
        for ip in ("198.51.100.1", "198.51.100.2"):
            answers = gate.get_at_once(f"/geocode?address=x&api_key={key.text}", 6, ip=ip)
            assert [answer.status_code for answer in answers] == [200] * 5 + [429]


def test_refused_requests_count_against_nothing(gate: GateProcess) -> None:
    Plan.objects.create(
        slug="two", name="Two", rate_limit=2, rate_window_s=3_600, requests_per_day=4, credit_micro_usd=10**9
    )
    key = make_key(make_account(plan="two"))
    path = f"/geocode?address=x&api_key={key.text}"
    assert [gate.get(path, ip="198.51.100.1").status_code for _ in range(6)] == [200, 200, 429, 429, 429, 429]
    answer = gate.get(path, ip="198.51.100.2")
    assert answer.status_code == 200
    assert '"day";r=1;' in answer.headers["RateLimit"]


def test_map_is_one_map_load_and_its_parts_count_against_nothing(gate: GateProcess) -> None:
    key = make_key(type="tiles")
    style = gate.get(f"/assets/goong_map_web.json?api_key={key.text}")
    assert style.status_code == 200
    parts = ["/sources/base.json", "/sprite/goong_map_web.json", "/sprite/goong_map_web@2x.png"]
    parts += [f"/tiles/base/10/{x}/450.pbf" for x in range(800, 840)]
    answers = [gate.get(f"{part}?api_key={key.text}") for part in parts]
    assert {answer.status_code for answer in answers} == {200}
    assert answers[0].headers["RateLimit-Policy"] == '"rate";q=500;w=1'
    again = gate.get(f"/assets/goong_map_web.json?api_key={key.text}", ip="198.51.100.77")
    assert '"day";r=998;' in again.headers["RateLimit"]
    ingest_all()
    rows = Counter(UsageRecord.objects.values_list("units", "cost_micro_usd"))
    assert rows == {(1, 7_000): 2, (0, 0): len(parts)}


def test_autocomplete_session_is_one_unit_with_its_detail(gate: GateProcess) -> None:
    key = make_key()
    paths = [
        *("/Place/AutoComplete?input=h&", "/v2/place/autocomplete?input=ha&", "/place/autocomplete?input=han&"),
        *("/Place/Detail?placeid=x&", "/Place/AutoComplete?input=h&", "/Place/AutoComplete?input=ha&"),
    ]
    for n, path in enumerate(paths):
        gate.get(f"{path}sessiontoken=abc&api_key={key.text}", ip=f"198.51.100.{n}")
    ingest_all()
    rows = UsageRecord.objects.order_by("at", "id").values_list("units", "cost_micro_usd")
    assert list(rows) == [(1, 2_000), (0, 0), (0, 0), (0, 0), (1, 2_000), (1, 2_000)]


def test_map_parts_are_held_to_500_a_second(gate: GateProcess) -> None:
    key = make_key(type="tiles")
    started = time.monotonic()
    path = f"/sources/base.json?api_key={key.text}"
    counted = asyncio.run(flood([gate.base_url], path, ["198.51.100.1"] * 700, connections=60))
    seconds = time.monotonic() - started
    ingest_all()
    passed = list(UsageRecord.objects.filter(outcome=ALLOWED).order_by("at").values_list("at", flat=True))
    assert counted[200] == len(passed) <= 500 * (int(seconds) + 1)
    assert all((later - first).total_seconds() >= 1.0 for first, later in zip(passed, passed[500:], strict=False))
    assert all(earlier <= later for earlier, later in pairwise(passed))


@pytest.mark.parametrize("lower", [3, None])
def test_key_may_have_a_lower_daily_limit_than_its_plan(gate: GateProcess, lower: int | None) -> None:
    key = make_key()
    key.key.requests_per_day = lower
    key.key.save(update_fields=["requests_per_day"])
    answer = gate.get(f"/geocode?address=x&api_key={key.text}")
    assert f'"day";q={lower or 1_000};' in answer.headers["RateLimit-Policy"]
