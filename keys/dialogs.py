"""The dialogs that create and edit a key, and what they ask while somebody types."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import replace_url

from accounts.access import account_or_404, requires
from accounts.models import Account
from accounts.permissions import Permission
from accounts.requests import SiteRequest
from goongdash.lib.clock import utc_now
from keys.beside import beside, is_on_list, newest_beside
from keys.entries import entries_read, entry_read
from keys.errors import KeyChanged, KeyInvalid, RestrictionError
from keys.examples import curl_line
from keys.forms import KeyForm
from keys.models import ApiKey, KeyType, OnSpike, RestrictionsMode
from keys.selectors import keys_of
from keys.services import MAX_RESTRICTIONS, CreatedKey, key_create, key_update
from keys.tester import Question, list_test


@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
@never_cache
@requires(Permission.CHANGE_KEYS)
def key_create_dialog(request: SiteRequest) -> HttpResponse:
    """The dialog; when all is well, the new key in it and the list beside it. `?type=` chooses the type beforehand."""
    account = account_or_404(request)
    if request.method == "GET" and not request.htmx:
        return redirect("keys:list")
    form = KeyForm(_posted(request), plan=account.plan, now=utc_now(), key_type=request.GET.get("type", ""))
    if form.is_valid():
        try:
            created = key_create(account=account, created_by=request.user, **form.arguments)
        except (KeyInvalid, RestrictionError) as error:
            form.add_error(None, str(error))
        else:
            return _created(request, account, created)
    return _form(request, "keys/_create.html", form)


@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
@never_cache
@requires(Permission.CHANGE_KEYS)
def key_edit_dialog(request: SiteRequest, key_id: int) -> HttpResponse:
    """The dialog; when all is well, nothing in it and the list beside it.

    Who edits a key that was changed meanwhile is told where theirs differs, and decides. `?allow=` puts an entry
    into the list that is not on it yet; nothing is stored before it is saved.
    """
    account = account_or_404(request)
    key = get_object_or_404(keys_of(account).select_related("use"), pk=key_id)
    if request.method == "GET" and not request.htmx:
        return redirect("keys:list")
    form = KeyForm(_posted(request), plan=account.plan, now=utc_now(), key=key, allow=request.GET.get("allow", ""))
    if form.is_valid():
        try:
            changed = key_update(key=key, version=_version(request), **form.arguments)
        except KeyChanged as error:
            return _form(request, "keys/_edit.html", form, key=key, conflict=str(error))
        except (KeyInvalid, RestrictionError) as error:
            form.add_error(None, str(error))
        else:
            words = _("“%(name)s” is saved, and holds at once.")
            if not changed:
                words = _("“%(name)s” is as it was: nothing was changed.")
            messages.success(request, words % {"name": form.cleaned_data["name"]})
            return render(request, "keys/_done.html", beside(request, account))
    return _form(request, "keys/_edit.html", form, key=key)


@require_safe
@requires(Permission.CHANGE_KEYS)
def check_entry(request: HttpRequest) -> HttpResponse:
    """What one entry of the restriction list stands for, or what is wrong with it."""
    account_or_404(request)
    return render(request, "keys/_entry_note.html", {"entry": entry_read(request.GET.get("restrictions", ""))})


@require_POST
@requires(Permission.CHANGE_KEYS)
def check_entries(request: HttpRequest) -> HttpResponse:
    """The same for a whole list at once, such as one just pasted. Stores nothing."""
    account_or_404(request)
    entries = entries_read(request.POST.getlist("restrictions"))
    return render(request, "keys/_entries.html", {"entries": entries, "max_entries": MAX_RESTRICTIONS})


@require_POST
@requires(Permission.CHANGE_KEYS)
def check_list(request: HttpRequest) -> HttpResponse:
    """What the list as typed makes of a request as typed, and what looks like a mistake in it. Stores nothing."""
    account_or_404(request)
    given = request.POST
    answer = list_test(
        given.getlist("restrictions")[: 2 * MAX_RESTRICTIONS],
        Question(given.get("try_url", ""), given.get("try_ip", ""), is_whole_url="try_whole" in given),
        allows_no_origin="allows_no_origin" in given,
        blocked=given.getlist("blocked"),
        is_from_browsers="is_from_browsers" in given or given.get("key_type") == KeyType.TILES,
    )
    is_report_only = given.get("restrictions_mode") == RestrictionsMode.REPORT_ONLY
    context = {"answer": answer, "is_beside": True, "is_report_only": is_report_only}
    return render(request, "keys/_tested.html", context)


def _posted(request: SiteRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _version(request: SiteRequest) -> int:
    """The version that was edited; one that no key has where the request says none."""
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _form(
    request: SiteRequest, template: str, form: KeyForm, *, key: ApiKey | None = None, conflict: str = ""
) -> HttpResponse:
    use = getattr(key, "use", None)
    context = {
        "form": form,
        "key": key,
        "conflict": conflict,
        "entries": form.entries,
        "max_entries": MAX_RESTRICTIONS,
        "offered": request.GET.get("allow", "").strip(),
        "opens_on": request.GET.get("tab") or ("restrictions" if "allow" in request.GET else ""),
        "is_from_browsers": key is not None and (key.type == KeyType.TILES or bool(use and use.origin)),
        "has_own_limits": any(form[name].value() for name in ("services", *LIMIT_FIELDS))
        or form["on_spike"].value() not in {None, "", OnSpike.REPORT},
    }
    return render(request, template, context, status=422 if form.errors or conflict else 200)


LIMIT_FIELDS = ("rate_limit", "requests_per_day", "requests_per_month", "spend_cap_micro_usd", "expires_at")


def _created(request: SiteRequest, account: Account, created: CreatedKey) -> HttpResponse:
    """The key, and beside it the list from its start, where the key is the first, or the page of another key."""
    restrictions = [restriction.text for restriction in created.key.restrictions.all()]
    is_beside_list = is_on_list(request)
    context = {
        **(newest_beside(account, created.key) if is_beside_list else beside(request, account)),
        "created": created,
        "restrictions": restrictions,
        "curl": curl_line(
            gate_url=settings.GATE_PUBLIC_URL,
            key_type=created.key.type,
            key_text=created.text,
            restrictions=restrictions,
        ),
    }
    response = render(request, "keys/_created.html", context)
    return replace_url(response, reverse("keys:list")) if is_beside_list else response
