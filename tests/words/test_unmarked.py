"""No file of ours says something to a customer that is not marked to be translated."""

from __future__ import annotations

from pathlib import Path

import pytest

from accounts.audit_words import FIELDS, VALUES
from keys.service_names import SERVICE_NAMES
from tests.words import unmarked
from tests.words.files import files_said, named

# Sentences that look as if a customer read them, with why none does.
SAID_TO_NOBODY: dict[str, set[str]] = {
    "stats/receipts.py": {"this key has not ended"},
    "stats/seen_requests.py": {"origin, path, …", "origin, path"},  # SQL.
    "accounts/commands.py": {"There is no account of …."},  # Commands say it.
    "keys/service_names.py": set(SERVICE_NAMES),  # As the database has them.
    "accounts/registration.py": {"There is a user … already."},  # Commands say it.
    "billing/comparing.py": {" of account … on …"},  # A command says it.
    "billing/demo.py": {"Demo server", "Demo map", "Demo web site"},  # Names of keys.
    "billing/ledger.py": {"raised to …"},  # A reference.
    # The admin says it.
    "billing/models.py": {"…: … µUSD from …", "At most … micro-dollars for one …."},
    "billing/payments/receiving.py": {  # The log says it.
        "This installation takes no payments here.",
        "There is no account ….",
        "There is no deposit ….",
    },
    "billing/payments/stripe_checkout.py": {"This is no signed event of Stripe’s: …."},  # The log says it.
    "billing/statements.py": {"… is not over yet in …."},  # Commands say it.
    "billing/verification.py": {"events lost", "entries unreadable"},  # A command says it.
}
# What these say is for programs, in English: answers of the API, programs to copy, the log of a gate's events.
NOT_IN_WORDS = {"accounts/api.py", "keys/snippets.py", "stats/events.py"}
NOT_IN_WORDS |= {"stats/requests_api.py", "stats/usage_api.py"}
# Recorded in English, and said in the reader's language by accounts/audit_words.py.
RECORDED = {*FIELDS, *(value for values in VALUES.values() for value in values)}


@pytest.mark.parametrize("path", files_said(".html", ".txt"), ids=named)
def test_template_says_nothing_unmarked(path: Path) -> None:
    assert unmarked.in_template(path.read_text(), is_html=path.suffix == ".html") == []


@pytest.mark.parametrize("path", [path for path in files_said(".py") if named(path) not in NOT_IN_WORDS], ids=named)
def test_module_says_nothing_unmarked(path: Path) -> None:
    found = unmarked.in_python(path.read_text(), is_models=path.name == "models.py")
    assert set(found) - SAID_TO_NOBODY.get(named(path), set()) - RECORDED == set()


@pytest.mark.parametrize("path", files_said(".js"), ids=named)
def test_script_says_nothing_of_its_own(path: Path) -> None:
    assert unmarked.in_script(path.read_text()) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<p>{{ name }} is here</p>", ["is here"]),
        ('<a title="Your key">{% translate "Key" %}</a>', ["Your key"]),
        ("<b>{% blocktranslate %}Hello {{ name }}{% endblocktranslate %}</b> Goongdash 5%", []),
        ('{% include "_empty.html" with icon="key" title="No keys" text=_("Make one.") %}', ["No keys"]),
        ('{{ label|default:"Copy" }}{{ other|default:_("Copy") }}', ["Copy"]),
        ('<p class="big {% if x %}wide{% endif %}" data-theme="dark">·</p>{# A note #}', []),
    ],
)
def test_words_in_a_template_are_found(source: str, found: list[str]) -> None:
    assert unmarked.in_template(source) == found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('"""What it is for."""\nx = _("You are in.")', []),
        ('messages.error(request, "You may not.")', ["You may not."]),
        ('logger.error("it was not sent")', []),
        ('raise KeyInvalid(f"A key has {n} letters.")', ["A key has … letters."]),
        ('raise ValueError("a bad day for programmers")', []),
        ('name = forms.CharField(label="Name")', ["Name"]),
        ('messages = {"required": "Missing."}', ["Missing."]),
        ('class A(models.TextChoices):\n    B = "b", "Both"\n    C = "c", _("Cat")', ["Both"]),
        ('cursor.execute("SELECT a FROM b where c is null")', []),
    ],
)
def test_words_in_python_are_found(source: str, found: list[str]) -> None:
    assert unmarked.in_python(source) == found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("tell('Copied')", ["Copied"]),
        ("tell(words().copied) // Says so", []),
        ("x = document.querySelector('#entries input, .tester input')", []),
        ("text = `At most ${max} entries.`", ["At most … entries."]),
        ("if (event.key === 'Escape') box.className = 'gd-toast'", []),
        ("return 'just now'", ["just now"]),
    ],
)
def test_words_in_a_script_are_found(source: str, found: list[str]) -> None:
    assert unmarked.in_script(source) == found
