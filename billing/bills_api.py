"""The usage API's bills: the statements of closed months."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from accounts.api import ERRORS, TokenAuth, account_of, check_names
from accounts.models import TokenScope
from billing.selectors import statements_of

router = Router(tags=["bills"], auth=TokenAuth(TokenScope.BILLS))

MAX_STATEMENTS = 120


class StatementsParams(Schema):
    """Which page of the statements."""

    limit: int = Field(12, ge=1, le=MAX_STATEMENTS)
    before: date | None = Field(None, description="`next` of the page before.")


class StatementOut(Schema):
    """A closed month's bill, named by its first day. Net is gross without what free credit paid."""

    number: str
    period_on: date
    gross_micro_usd: int
    credit_micro_usd: int
    net_micro_usd: int
    closed_at: datetime


class StatementsOut(Schema):
    """Statements, the newest first. `next` leads to older ones; null at the end."""

    statements: list[StatementOut]
    next: date | None


@router.get("/statements", response={200: StatementsOut, **ERRORS}, summary="Closed months", url_name="statements")
def statements(request: HttpRequest, asked: Query[StatementsParams]) -> dict[str, Any]:
    check_names(request, StatementsParams)
    found = statements_of(account_of(request)).order_by("-period_on")
    if asked.before is not None:
        found = found.filter(period_on__lt=asked.before)
    page = list(found[: asked.limit + 1])
    shown = page[: asked.limit]
    return {"statements": shown, "next": shown[-1].period_on if len(page) > len(shown) else None}
