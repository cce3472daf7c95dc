"""The catalogue in locale/: what is marked to be translated is looked for, merged into it, and it is compiled.

`python -m goongdash.translations` does all of it (`make messages`), without gettext's own tools: Babel reads the
Python files and keeps the catalogue; what templates mark is found by Django's own reader of templates.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.catalog import Message as Entry
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
PO = ROOT / "locale" / "vi" / "LC_MESSAGES" / "django.po"
MO = PO.with_suffix(".mo")

# The gate and the API answer programs, in English; commands and the admin are for operators, and so are these.
FOLDERS = ["accounts", "keys", "stats", "billing", "templates"]
_FOR_OPERATORS = {"admin", "admin.py", "account_admin.py", "commands.py", "operator_forms.py", "operator_moves.py"}
_FOR_PROGRAMS = {"api.py", "bills_api.py", "requests_api.py", "usage_api.py", "import_rows.py"}
NOT_FOR_CUSTOMERS = {"migrations", "management", "apps.py", "importing.py", *_FOR_OPERATORS, *_FOR_PROGRAMS}
# What these say to our customers without having it in Vietnamese is ours to translate.
BORROWED = [
    ("allauth", ["account", "core", "mfa", "usersessions", "decorators.py"]),
    ("django", ["forms", "core/validators.py", "contrib/auth/password_validation.py"]),
]
_CATALOGUES = ["conf", "contrib/auth"]

# A text, or one for each number; and what sets it apart from the same text elsewhere.
Marked = tuple[str | tuple[str, ...], str | None]
_FUNCTIONS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop")),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}
_TEXT = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_CALL = re.compile(rf" (_|n?p?gettext)\(({_TEXT}(?:, {_TEXT})*)(?:, ?count)?\) ", re.DOTALL)


def main() -> None:
    catalogue = merged()
    with PO.open("wb") as file:
        write_po(file, catalogue, width=119, sort_by_file=True, include_lineno=False)
    MO.write_bytes(compiled(stored()))
    missing = [entry for entry in entries(catalogue) if not is_translated(entry)]
    print(f"{PO.relative_to(ROOT)}: {len(catalogue)} messages, {len(missing)} of them to be translated")
    for entry in missing:
        print("  ", entry.id if isinstance(entry.id, str) else entry.id[0])


def merged() -> Catalog:
    """The catalogue as it stands, with what was marked since; what is marked no more is gone."""
    catalogue = stored()
    created_at = catalogue.creation_date
    catalogue.update(found(), update_header_comment=False)
    catalogue.creation_date = created_at
    catalogue.obsolete.clear()
    return catalogue


def stored() -> Catalog:
    return _read(PO)


def found() -> Catalog:
    """All that is marked, in our files and in those that we borrow from."""
    catalogue = Catalog(locale="vi")
    for name, path in _own_files():
        for text, context in marked_in(path):
            catalogue.add(text, locations=[(name, 0)], context=context)
    for name, path in _borrowed_files():
        for text, context in marked_in(path):
            if not _has_another(text, context):
                catalogue.add(text, locations=[(name, 0)], context=context)
    return catalogue


def compiled(catalogue: Catalog) -> bytes:
    out = BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def entries(catalogue: Catalog) -> list[Entry]:
    """Its messages without the first, which is about itself."""
    return [entry for entry in catalogue if entry.id]


def is_translated(entry: Entry) -> bool:
    texts = [entry.string] if isinstance(entry.string, str) else [*(entry.string or ())]
    return not entry.fuzzy and bool(texts) and all(texts)


def marked_in(path: Path) -> Iterator[Marked]:
    if path.suffix == ".py":
        with path.open("rb") as file:
            for _line, text, _comments, context in extract("python", file, _FUNCTIONS):
                yield text, context
    else:
        yield from marked_in_template(path.read_text())


def marked_in_template(source: str) -> Iterator[Marked]:
    for call in _CALL.finditer(templatize(source)):
        texts = list(ast.literal_eval(f"[{call[2]}]"))
        context = texts.pop(0) if call[1] in {"pgettext", "npgettext"} else None
        yield texts[0] if len(texts) == 1 else tuple(texts), context


def _own_files() -> Iterator[tuple[str, Path]]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            name = path.relative_to(ROOT)
            if path.suffix in {".py", ".html", ".txt"} and not NOT_FOR_CUSTOMERS.intersection(name.parts):
                yield name.as_posix(), path


def _borrowed_files() -> Iterator[tuple[str, Path]]:
    for package, parts in BORROWED:
        home = _home(package)
        for part in parts:
            path = home / part
            for each in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
                if not NOT_FOR_CUSTOMERS.intersection(each.parts):
                    yield f"{package}/{each.relative_to(home).as_posix()}", each


def _has_another(text: str | tuple[str, ...], context: str | None) -> bool:
    """Whether Django brings a translation along."""
    text = text if isinstance(text, str) else text[0]
    known = (catalogue.get(text, context) for catalogue in _catalogues_of_django())
    return any(entry is not None and is_translated(entry) for entry in known)


@cache
def _catalogues_of_django() -> list[Catalog]:
    return [_read(_home("django") / part / "locale/vi/LC_MESSAGES/django.po") for part in _CATALOGUES]


def _read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale="vi")


def _home(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(package)
    return Path(spec.origin).parent


if __name__ == "__main__":
    main()
