"""Every URL of the site, and who gets what there: one row for each URL and method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from accounts.models import Account
from accounts.permissions import Permission
from keys.models import ApiKey

OPEN, SIGNED_IN, OPERATORS = "open", "signed in", "operators"


@dataclass(frozen=True, slots=True)
class World:
    """What the URLs of the table are about: an account of which five people are members, one of each role."""

    account: Account
    key: ApiKey
    deleted_key: ApiKey
    disabled_key: ApiKey
    rotated_key: ApiKey
    request_id: str
    member_id: int
    invitation_id: int
    token: str
    token_id: int
    notice_id: int


@dataclass(frozen=True, slots=True)
class Row:
    """Those with `needs` get `status`; `needs` is a permission, or OPEN, SIGNED_IN or OPERATORS.

    `status` 0 is any answer that lets in, for pages that are allauth's or Django's own. Who is signed in gets
    `signed_in` where that is something else.
    """

    name: str
    method: str
    needs: str
    status: int = 200
    args: Callable[[World], list[object]] = lambda world: []
    data: Callable[[World], dict[str, object]] = lambda world: {}
    htmx: bool = False
    signed_in: int | None = None
    # What members get whose role does not allow it: 404 where the row is about something of another member's.
    otherwise: int = 403
    # It is about something of the account's that a stranger must not learn of.
    is_of_account: bool = False


def key_id(world: World) -> list[object]:
    return [world.key.pk]


def deleted_key_id(world: World) -> list[object]:
    return [world.deleted_key.pk]


def disabled_key_id(world: World) -> list[object]:
    return [world.disabled_key.pk]


def rotated_key_id(world: World) -> list[object]:
    return [world.rotated_key.pk]


def request_id(world: World) -> list[object]:
    return [world.request_id]


def edited_key(world: World) -> dict[str, object]:
    return {"version": world.key.version, "name": "Other"}


def member_id(world: World) -> list[object]:
    return [world.member_id]


def token_id(world: World) -> list[object]:
    return [world.token_id]


def as_viewer(world: World) -> dict[str, object]:
    return {"role": "viewer"}


def invitation_id(world: World) -> list[object]:
    return [world.invitation_id]


def evil_origin(world: World) -> dict[str, object]:
    return {"origin": "https://evil.example"}


def notice_id(world: World) -> list[object]:
    return [world.notice_id]


SEE, CHANGE_KEYS = Permission.SEE, Permission.CHANGE_KEYS
CHANGE_BILLING = Permission.CHANGE_BILLING
MANAGE, HAND_OVER = Permission.MANAGE_MEMBERS, Permission.HAND_OVER
day = {"overlap": "24h", "quiet": "never"}
new_key = {"key_type": "rest", "name": "Mine"}

ROWS = [
    # ---- keys ----
    Row("keys:list", "get", SEE),
    Row("keys:create", "get", CHANGE_KEYS, htmx=True),
    Row("keys:create", "post", CHANGE_KEYS, data=lambda world: dict(new_key), htmx=True),
    Row("keys:key", "get", SEE, args=key_id, is_of_account=True),
    Row("keys:edit", "get", CHANGE_KEYS, args=key_id, is_of_account=True, htmx=True),
    Row("keys:edit", "post", CHANGE_KEYS, args=key_id, data=edited_key, is_of_account=True, htmx=True),
    Row("keys:reveal", "get", CHANGE_KEYS, args=key_id, is_of_account=True),
    Row("keys:delete", "get", CHANGE_KEYS, args=key_id, is_of_account=True, htmx=True),
    Row("keys:delete", "post", CHANGE_KEYS, args=key_id, is_of_account=True, htmx=True),
    Row("keys:block_origin", "get", CHANGE_KEYS, args=key_id, data=evil_origin, is_of_account=True, htmx=True),
    Row("keys:block_origin", "post", CHANGE_KEYS, args=key_id, data=evil_origin, is_of_account=True, htmx=True),
    Row("keys:unblock_origin", "post", CHANGE_KEYS, args=key_id, is_of_account=True, htmx=True),
    Row("keys:lift", "get", CHANGE_KEYS, args=key_id, is_of_account=True, htmx=True),
    Row("keys:lift", "post", CHANGE_KEYS, args=key_id, is_of_account=True, htmx=True),
    Row("keys:undo", "post", CHANGE_KEYS, 302, args=deleted_key_id, is_of_account=True),
    Row("keys:rotate", "get", CHANGE_KEYS, args=key_id, is_of_account=True, htmx=True),
    Row("keys:rotate", "post", CHANGE_KEYS, args=key_id, data=lambda w: dict(day), is_of_account=True, htmx=True),
    Row("keys:retire", "post", CHANGE_KEYS, 302, args=rotated_key_id, is_of_account=True),
    Row("keys:cancel_rotation", "post", CHANGE_KEYS, 302, args=rotated_key_id, is_of_account=True),
    Row("receipts:rotation", "get", SEE, args=rotated_key_id, is_of_account=True),
    Row("keys:disable", "get", CHANGE_KEYS, args=key_id, is_of_account=True, htmx=True),
    Row("keys:disable", "post", CHANGE_KEYS, 302, args=key_id, is_of_account=True),
    Row("keys:enable", "post", CHANGE_KEYS, 302, args=disabled_key_id, is_of_account=True),
    Row("keys:check_entry", "get", CHANGE_KEYS),
    Row("keys:check_entries", "post", CHANGE_KEYS),
    Row("keys:check_list", "post", CHANGE_KEYS),
    Row("replay:key", "post", CHANGE_KEYS, args=key_id, is_of_account=True),
    Row("receipts:deleted", "get", SEE),
    Row("receipts:receipt", "get", SEE, args=deleted_key_id, is_of_account=True),
    # ---- statistics and bills ----
    Row("stats:statistics", "get", SEE),
    Row("stats:busiest", "get", SEE),
    Row("stats:statistics_export", "get", SEE, args=lambda world: ["csv"]),
    Row("stats:key_use", "get", SEE, data=lambda world: {"key": world.key.pk}),
    Row("stats:key_usage", "get", SEE, args=key_id, is_of_account=True, htmx=True),
    Row("stats:key_origins", "get", SEE, args=key_id, is_of_account=True, htmx=True),
    Row("requests:log", "get", Permission.SEE_REQUESTS),
    Row("requests:find", "get", Permission.SEE_REQUESTS, 302),
    Row("requests:key_refusals", "get", Permission.SEE_REQUESTS, args=key_id, is_of_account=True, htmx=True),
    Row("requests:explain", "get", Permission.SEE_REQUESTS, args=request_id, is_of_account=True),
    Row("billing:overview", "get", Permission.SEE_BILLS),
    Row("billing:check", "get", Permission.SEE_BILLS, 404),
    Row("billing:statement", "get", Permission.SEE_BILLS, 404, args=lambda world: ["2026-01"]),
    Row("billing:statement_file", "get", Permission.SEE_BILLS, 404, args=lambda world: ["2026-01", "csv"]),
    Row("billing:budget", "get", CHANGE_BILLING, htmx=True),
    Row("billing:budget", "post", CHANGE_BILLING, data=lambda world: {"amount": "5"}, htmx=True),
    Row("billing:alerts", "get", CHANGE_BILLING, htmx=True),
    Row("billing:alerts", "post", CHANGE_BILLING, data=lambda world: {"percents": "70"}, htmx=True),
    Row("billing:plan_request", "get", CHANGE_BILLING, args=lambda world: ["pro"], htmx=True),
    Row("billing:plan_request", "post", CHANGE_BILLING, args=lambda world: ["pro"], htmx=True),
    Row("billing:plan_request_end", "post", CHANGE_BILLING, 302),
    Row("billing:plan_keep", "post", CHANGE_BILLING, 302),
    # No payments are taken unless a provider is named.
    Row("billing:deposit", "get", CHANGE_BILLING, 404),
    Row("billing:deposit", "post", CHANGE_BILLING, 404),
    Row("billing:deposit_paid", "get", Permission.SEE_BILLS, 302),
    Row("billing:webhook", "post", OPEN, 404, args=lambda world: ["stripe"]),
    # ---- the account ----
    Row("accounts:account", "get", SEE),
    Row("accounts:account", "post", Permission.CHANGE_ACCOUNT, 302, data=lambda world: {"name": "New"}),
    Row("accounts:security", "post", Permission.CHANGE_ACCOUNT, 302),
    Row("accounts:invite", "post", MANAGE, 302, data=lambda world: {"email": "n@example.com", **as_viewer(world)}),
    Row("accounts:resend", "post", MANAGE, 302, args=invitation_id, is_of_account=True),
    Row("accounts:withdraw", "post", MANAGE, 302, args=invitation_id, is_of_account=True),
    Row("accounts:member", "get", MANAGE, args=member_id, is_of_account=True),
    Row(
        "accounts:set_role",
        "post",
        MANAGE,
        302,
        args=member_id,
        is_of_account=True,
        data=lambda world: {"role": "viewer"},
    ),
    Row("accounts:remove", "post", MANAGE, 302, args=member_id, is_of_account=True),
    Row("accounts:hand_over", "post", HAND_OVER, 302, args=member_id, is_of_account=True),
    Row("accounts:leave", "post", SEE, 302),
    Row("accounts:tokens", "get", SEE),
    Row("accounts:tokens", "post", SEE, data=lambda world: {"name": "Mine", "scopes": ["usage"], "days": "30"}),
    # Of other members, those who manage them may.
    Row("accounts:token_revoke", "post", MANAGE, 302, args=token_id, is_of_account=True, otherwise=404),
    Row("accounts:language", "post", OPEN, 302, data=lambda world: {"language": "vi"}),
    Row("accounts:history", "get", Permission.SEE_HISTORY),
    Row("accounts:history_export", "get", Permission.SEE_HISTORY, args=lambda world: ["csv"]),
    Row("accounts:switch", "post", SEE, 302, data=lambda world: {"account": world.account.pk}, is_of_account=True),
    Row("accounts:open_own", "post", SIGNED_IN, 302),
    Row("accounts:invitation", "get", OPEN, args=lambda world: [world.token], signed_in=403),
    # ---- notices ----
    Row("notices:list", "get", SEE),
    Row("notices:bell", "get", SEE),
    Row("notices:read", "post", SEE, args=notice_id, is_of_account=True, htmx=True),
    Row("notices:read_all", "post", SEE, 302),
    Row("notices:mails", "post", SEE, 302),
    # ---- the usage API: for tokens; who has none is told so, signed in or not ----
    Row("api:usage", "get", OPEN, 401),
    Row("api:keys", "get", OPEN, 401),
    Row("api:requests", "get", OPEN, 401),
    Row("api:statements", "get", OPEN, 401),
    Row("api:openapi", "get", OPEN),
    # Only for `reverse`: nothing is there.
    Row("api:api-root", "get", OPEN, 404),
    # ---- the site ----
    Row("home", "get", SIGNED_IN, 302),
    Row("healthz", "get", OPEN, 0),
    Row("favicon", "get", OPEN, 302),
    Row("admin:index", "get", OPERATORS),
    # ---- one's own sign-in: for everybody the same ----
    Row("account_login", "get", OPEN, 0),
    Row("account_signup", "get", OPEN, 0),
    Row("account_confirm_login_code", "get", OPEN, 0),
    Row("account_logout", "get", OPEN, 0),
    Row("account_inactive", "get", OPEN, 0),
    Row("account_confirm_email", "get", OPEN, 0, args=lambda world: ["none"]),
    Row("account_email_verification_sent", "get", OPEN, 0),
    Row("account_reset_password", "get", OPEN, 0),
    Row("account_reset_password_done", "get", OPEN, 0),
    Row("account_reset_password_from_key", "get", OPEN, 0, args=lambda world: ["1", "none"]),
    Row("account_reset_password_from_key_done", "get", OPEN, 0),
    Row("account_email", "get", SIGNED_IN, 0),
    Row("account_change_password", "get", SIGNED_IN, 0),
    Row("account_set_password", "get", SIGNED_IN, 0),
    Row("account_reauthenticate", "get", SIGNED_IN, 0),
    Row("usersessions_list", "get", SIGNED_IN, 0),
    Row("mfa_index", "get", SIGNED_IN, 0),
    Row("mfa_authenticate", "get", OPEN, 0),
    Row("mfa_login_webauthn", "get", OPEN, 0),
    Row("mfa_reauthenticate", "get", SIGNED_IN, 0),
    Row("mfa_reauthenticate_webauthn", "get", SIGNED_IN, 0),
    Row("mfa_activate_totp", "get", SIGNED_IN, 0),
    Row("mfa_deactivate_totp", "get", SIGNED_IN, 404),
    Row("mfa_view_recovery_codes", "get", SIGNED_IN, 0),
    Row("mfa_generate_recovery_codes", "get", SIGNED_IN, 0),
    Row("mfa_download_recovery_codes", "get", SIGNED_IN, 404),
    Row("mfa_list_webauthn", "get", SIGNED_IN, 0),
    Row("mfa_add_webauthn", "get", SIGNED_IN, 0),
    Row("mfa_remove_webauthn", "get", SIGNED_IN, 0, args=lambda world: [0]),
    Row("mfa_edit_webauthn", "get", SIGNED_IN, 0, args=lambda world: [0]),
]
