from __future__ import annotations

import html
import re
from datetime import date, timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account
from billing.ledger import entry_post, monthly_credit_grant, usage_charge
from billing.models import EntryKind, LedgerEntry, Price, Statement
from billing.statements import month_close
from goongdash.lib.periods import Month
from keys.models import Service
from tests.factories import T0, make_event, make_key
from tests.stats.usage import push_events

URL = "/billing"
NOVEMBER = Month(2026, 11)
OCTOBER = Month(2026, 10)


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("billing.views.utc_now", lambda: T0)


def use(account: Account, slug: str = "geocode", *, n: int = 1, days_ago: int = 0, cost_micro_usd: int = 5_000) -> None:
    key, at = make_key(account), T0 - timedelta(days=days_ago)
    push_events([make_event(key, slug, at=at, cost_micro_usd=cost_micro_usd) for _ in range(n)])


def close(account: Account, month: Month = OCTOBER) -> Statement:
    account.created_at = month.bounds(settings.BILLING_ZONE)[0]
    account.save(update_fields=["created_at"])
    (statement,) = month_close(month=month, now=T0, account=account)
    assert statement is not None
    return statement


def page_of(client: Client, path: str = URL, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def test_its_urls() -> None:
    assert reverse("billing:overview") == URL
    assert reverse("billing:statement", args=["2026-10"]) == "/billing/statements/2026-10"


def test_page_shows_credit_balance_spent_and_left(alice: Account, alice_client: Client) -> None:
    monthly_credit_grant(month=NOVEMBER, accounts=[alice])
    entry_post(account=alice, month=NOVEMBER, kind=EntryKind.DEPOSIT, amount_micro_usd=20_000_000, source="bank 1")
    use(alice, n=3)
    page = page_of(alice_client)
    assert "Left in November 2026 $119.985" in page
    assert "$0.015 spent of $120.00" in page
    assert "Free credit of the month $100.00" in page
    assert "Balance carried over and added $20.00" in page


def test_page_shows_services_with_units_unit_price_and_cost(alice: Account, alice_client: Client) -> None:
    use(alice, "geocode", n=2)
    use(alice, "geocode-v2", cost_micro_usd=6_000)
    use(alice, "tiles", n=4, cost_micro_usd=0)
    page = page_of(alice_client)
    assert re.search(r"Geocode v1 \$0.005 a request, sample 2 \$0.005 sample \$0.01 ", page)
    assert re.search(r"Geocode v2 \$0.005 a request, sample 1 \$0.005 sample \$0.006 ", page)
    assert "Together $0.016" in page


def test_sample_prices_are_marked_and_real_ones_are_not(alice: Account, alice_client: Client) -> None:
    use(alice)
    assert "Unit prices are sample prices" in page_of(alice_client)
    Price.objects.update(is_sample=False)
    assert "sample" not in page_of(alice_client).lower()


def test_a_price_is_that_of_today(alice: Account, alice_client: Client) -> None:
    service = Service.objects.get(slug="geocode")
    for day, price in ((date(2026, 11, 1), 9_000), (date(2026, 12, 1), 77_000)):
        Price.objects.create(service=service, price_micro_usd=price, effective_on=day, is_sample=False)
    page = page_of(alice_client)
    assert "Geocode v1 $0.009 a request" in page and "$0.077" not in page


@pytest.mark.parametrize(
    ("cost_micro_usd", "message"),
    [
        (79_000_000, None),
        (80_000_000, "80% of this month’s money is spent"),
        (100_000_000, "Credit and balance are used up. Billed requests are answered with 429 CREDIT_EXHAUSTED"),
    ],
)
def test_page_warns_before_the_money_ends(
    alice: Account, alice_client: Client, cost_micro_usd: int, message: str | None
) -> None:
    use(alice, cost_micro_usd=cost_micro_usd)
    page = page_of(alice_client)
    assert message in page if message else "CREDIT_EXHAUSTED" not in page


def test_new_account_sees_its_credit_and_the_next_step(alice_client: Client) -> None:
    page = page_of(alice_client)
    assert "Left in November 2026 $100.00" in page
    assert "Nothing spent this month" in page and "Go to your API keys" in page
    assert "No entries yet" in page
    assert "Each month’s statement is written on the first of the next one" in page


def test_page_shows_the_plan_s_limits(alice_client: Client) -> None:
    page = page_of(alice_client)
    assert "Requests a day, each key 1,000" in page
    assert "Map loads a month 1,000" in page
    assert "Rate, each key and IP address 5 a second" in page


def test_ledger_has_every_entry_newest_first(alice: Account, alice_client: Client) -> None:
    monthly_credit_grant(month=NOVEMBER, accounts=[alice])
    entry_post(account=alice, month=NOVEMBER, kind=EntryKind.GRANT, amount_micro_usd=1_000_000, note="For <patience>")
    use(alice, days_ago=1)
    usage_charge(before=date(2026, 11, 23))
    page = page_of(alice_client)
    assert "3 entries" in page and "For <patience>" in page
    page = page[page.index("Entry Month") :]
    assert page.index("Usage of 22 November 2026") < page.index("Credit granted") < page.index("Monthly credit")
    assert "-$0.005" in page and "+$1.00" in page and "+$100.00" in page


def test_a_long_ledger_has_pages_and_none_is_out_of_reach(alice: Account, alice_client: Client) -> None:
    for n in range(51):
        entry_post(
            account=alice, month=NOVEMBER, kind=EntryKind.DEPOSIT, amount_micro_usd=1, source=str(n), note=f"[{n}]"
        )
    first, second = page_of(alice_client), page_of(alice_client, f"{URL}?page=2")
    assert "Page 1 of 2 Older" in first and "Newer Page 2 of 2" in second
    assert sorted(int(n) for n in re.findall(r"\[(\d+)\]", first + second)) == list(range(51))


def test_ledger_shows_one_kind_alone_and_turns_its_pages(alice: Account, alice_client: Client) -> None:
    for n in range(51):
        entry_post(account=alice, month=NOVEMBER, kind=EntryKind.DEPOSIT, amount_micro_usd=1, source=str(n))
    entry_post(account=alice, month=NOVEMBER, kind=EntryKind.GRANT, amount_micro_usd=1, note="For patience")
    page = page_of(alice_client, f"{URL}?kind=deposit")
    assert "51 entries" in page and "For patience" not in page
    assert b"?kind=deposit&amp;page=2#ledger" in alice_client.get(f"{URL}?kind=deposit").content
    assert "1 entry" in page_of(alice_client, f"{URL}?kind=grant")
    assert "No entry of this kind" in page_of(alice_client, f"{URL}?kind=refund")
    assert "52 entries" in page_of(alice_client, f"{URL}?kind=banana")


def test_spending_is_drawn_by_service_and_day_with_a_forecast_and_its_basis(
    alice: Account, alice_client: Client
) -> None:
    use(alice, "geocode", n=2, days_ago=2)
    use(alice, "trip", days_ago=1, cost_micro_usd=30_000)
    response = alice_client.get(URL)
    chart = response.context["chart"]
    assert [(series.label, series.total) for series in chart.series] == [("Trip v1", 30_000), ("Geocode v1", 10_000)]
    assert (chart.total, chart.unfinished, len(chart.labels)) == (40_000, 22, 30)
    assert chart.credit_left[20:23] == [99_990_000, 99_960_000, 99_960_000]
    # 0.04 so far, 0.02 for today and each of the seven days to come.
    page = page_of(alice_client)
    assert "Forecast for the month’s end $0.20" in page
    assert "for each day to come $0.02, the mean of the last 2 whole days" in page


def test_prices_show_their_steps_and_what_is_free(alice_client: Client) -> None:
    price = Price.objects.create(
        service=Service.objects.get(slug="geocode"), price_micro_usd=0, effective_on=date(2026, 11, 1), is_sample=False
    )
    price.tiers.create(from_units=1_000, price_micro_usd=5_000)
    price.tiers.create(from_units=100_000, price_micro_usd=4_000)
    page = page_of(alice_client)
    assert "Geocode v1 1–1,000 free 1,001–100,000 $0.005 100,001+ $0.004 a request" in page


@pytest.mark.parametrize("page", ["banana", "-1", "0", "99", "%00", "9" * 50])
def test_a_page_that_is_none_shows_one_that_is(alice_client: Client, page: str) -> None:
    assert "Ledger" in page_of(alice_client, f"{URL}?page={page}")


def test_statements_are_listed_and_linked(alice: Account, alice_client: Client) -> None:
    use(alice, days_ago=30, n=2)
    close(alice)
    response = alice_client.get(URL)
    assert b'href="/billing/statements/2026-10"' in response.content
    assert "October 2026 $0.01 $0.00" in page_of(alice_client)


def test_statement_has_lines_and_sums(alice: Account, alice_client: Client) -> None:
    entry_post(account=alice, month=OCTOBER, kind=EntryKind.DEPOSIT, amount_micro_usd=50_000_000, source="bank 1")
    use(alice, "geocode", days_ago=30, n=2)
    use(alice, "trip", days_ago=31, cost_micro_usd=101_000_000)
    statement = close(alice)
    page = page_of(alice_client, "/billing/statements/2026-10")
    assert f"Number {statement.number} Account Alice Maps" in page
    assert "Geocode v1 $0.005 × 2 Requests 2 0 $0.005 $0.01 $0.01 $0.00" in page
    assert "Trip v1: difference to the price list What the requests were charged when they were made" in page
    assert "Usage $101.01 Paid by free credit -$100.00 To pay, taken from your balance $1.01" in page
    assert "1 October 2026 – 31 October 2026, in Asia/Ho_Chi_Minh" in page


def test_running_month_is_a_draft_of_the_same_layout(alice: Account, alice_client: Client) -> None:
    use(alice, "geocode", n=3)

    page = page_of(alice_client, "/billing/statements/2026-11")

    assert "Draft of the statement of November 2026" in page and "Number Draft Account Alice Maps" in page
    assert "Geocode v1 $0.005 × 3 Requests 3 0 $0.005 $0.015 $0.015 $0.00" in page
    assert Statement.objects.count() == LedgerEntry.objects.filter(kind=EntryKind.USAGE).count() == 0
    assert "2026-11" in page_of(alice_client, URL) or "November 2026 Draft $0.015" in page_of(alice_client, URL)


def test_each_line_opens_to_its_statistics_and_requests(alice: Account, alice_client: Client) -> None:
    use(alice, "geocode", n=3)

    content = html.unescape(alice_client.get("/billing/statements/2026-11").content.decode())

    statistics = "/statistics?from=2026-11-01&to=2026-11-30&measure=cost&service=geocode"
    requests = "/requests?from=2026-11-01T00%3A00&to=2026-11-30T23%3A59&service=geocode"
    assert f'href="{statistics}"' in content and f'href="{requests}"' in content
    assert alice_client.get(statistics).status_code == alice_client.get(requests).status_code == 200


def test_statement_is_a_file_too(alice: Account, alice_client: Client) -> None:
    Account.objects.filter(pk=alice.pk).update(name="Bản đồ Việt")
    use(alice, "geocode", days_ago=30, n=2)
    statement = close(alice)

    csv_file = alice_client.get("/billing/statements/2026-10.csv")
    pdf_file = alice_client.get("/billing/statements/2026-10.pdf")

    assert csv_file.content.decode().splitlines()[1] == (
        f"2026-10,{statement.number},usage,Geocode,v1,2026-10-01,2026-10-31,1,2,0,5000,10000,10000,0"
    )
    assert csv_file["Content-Disposition"] == f'attachment; filename="statement-{statement.number}.csv"'
    assert pdf_file.content.startswith(b"%PDF-") and pdf_file["Content-Type"] == "application/pdf"
    assert pdf_file.content == alice_client.get("/billing/statements/2026-10.pdf").content
    assert alice_client.get("/billing/statements/2026-10.xls").status_code == 404


def test_statement_of_a_month_without_usage(alice: Account, alice_client: Client) -> None:
    close(alice)
    page = page_of(alice_client, "/billing/statements/2026-10")
    assert "Nothing was used in this month" in page and "Usage $0.00 Paid by free credit $0.00" in page


@pytest.mark.parametrize("month", ["2026-09", "2026-13", "2026-1", "banana", "0000-00", "9999-12", "２０２６-１０"])
def test_a_month_without_statement_is_not_found(alice: Account, alice_client: Client, month: str) -> None:
    close(alice)
    page_of(alice_client, f"/billing/statements/{month}", status=404)


def test_strangers_see_nothing_of_others(alice: Account, charlie_client: Client) -> None:
    use(alice, days_ago=30, n=2)
    use(alice)
    statement = close(alice)
    page = page_of(charlie_client)
    assert "Nothing spent this month" in page and "No entries yet" in page and "October 2026" not in page
    assert statement.number not in page_of(charlie_client, "/billing/statements/2026-10", status=404)


@pytest.mark.parametrize("path", [URL, "/billing/statements/2026-10"])
def test_anonymous_goes_to_sign_in(client: Client, db: None, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 302
    assert response["Location"].startswith("/account/login")


@pytest.mark.parametrize("path", [URL, "/billing/statements/2026-10"])
@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_pages_only_read(alice: Account, alice_client: Client, path: str, method: str) -> None:
    close(alice)
    n_entries = LedgerEntry.objects.count()
    assert getattr(alice_client, method)(path).status_code == 405
    assert LedgerEntry.objects.count() == n_entries


def test_query_counts_do_not_grow(
    alice: Account, alice_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for n, slug in enumerate(("geocode", "trip", "directions")):
        use(alice, slug, days_ago=n)
        use(alice, slug, days_ago=30 + n)
    close(alice)
    usage_charge(before=date(2026, 11, 23))
    # Session, user, account; statements, usage, ledger; prices, tiers; request; spending, services; budget, alerts;
    # plans; statements; entries, their number; the bell.
    with django_assert_num_queries(18):
        alice_client.get(URL)
    # Session, user, account; statement, lines, services; the bell.
    with django_assert_num_queries(7):
        alice_client.get("/billing/statements/2026-10")
