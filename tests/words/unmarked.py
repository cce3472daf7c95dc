"""Finds words for people in templates, Python and scripts that nobody marked to be translated."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser

from django.template.base import Lexer, Token, TokenType

# Names and addresses, the same in every language.
NAMES = re.compile(r"\bGoongdash\b|\S+@example\.com|\S+://\S+|\bexample\.com\b|\b2001:db8::\S+")
ATTRIBUTES = {"alt", "aria-description", "aria-label", "data-hint", "data-label", "placeholder", "title"}
LETTER = re.compile(r"[^\W\d_]")

# In a template's tag: what is handed on as text without being marked, as title="Keys" or default:"No key".
_HANDED_ON = re.compile(r"""\b(?:label|title|text|action_text|hint|words)=(["'])(.*?)\1""")
_INSTEAD = re.compile(r"""\|(?:default|default_if_none|yesno):(["'])([A-Z].*?|.*? .*?)\1""")


# ---- templates ----


# Marked, or said to nobody: a block named …_class is a part of an attribute.
_BEGINS = re.compile(r"(?:blocktranslate|comment)\b|block \w+_class$")


def in_template(source: str, *, is_html: bool = True) -> list[str]:
    words, plain = [], []
    is_inside = False
    for token in Lexer(source).tokenize():
        is_tag = token.token_type is TokenType.BLOCK
        if is_tag and _BEGINS.match(token.contents):
            is_inside = True
        elif is_tag and token.contents in {"endblocktranslate", "endcomment", "endblock"}:
            is_inside = False
        elif not is_inside:
            words += _handed_on(token)
            plain.append(token.contents if token.token_type is TokenType.TEXT else "")
    text = "".join(plain)
    return words + (_in_html(text) if is_html else _words_of(text))


def _handed_on(token: Token) -> list[str]:
    if token.token_type not in {TokenType.BLOCK, TokenType.VAR}:
        return []
    found = [*_HANDED_ON.findall(token.contents), *_INSTEAD.findall(token.contents)]
    return [text for _quote, text in found if LETTER.search(text)]


def _in_html(text: str) -> list[str]:
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.words


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ATTRIBUTES:
                self.words += _words_of(value or "")

    def handle_data(self, data: str) -> None:
        self.words += _words_of(data)


def _words_of(text: str) -> list[str]:
    text = NAMES.sub("", text).strip()
    return [text] if LETTER.search(text) else []


# ---- Python ----

MARKERS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"}
# What these say is for programmers and operators.
NOT_TO_CUSTOMERS = {
    "AssertionError",
    "Http404",
    "ImproperlyConfigured",
    "KeyError",
    "LookupError",
    "RuntimeError",
    "TypeError",
    "ValueError",
    "cast",
    "debug",
    "error",
    "exception",
    "info",
    "warning",
}
# Where a single word is for people.
SAID = {"label", "placeholder", "required", "invalid"}
SENTENCE = re.compile(r"(?<![\w-])[^\W\d_]{2,},? [a-z’]{2,}(?![\w-])")
TAG = re.compile(r"<[^>]*>")
SQL = re.compile(
    r"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|COPY|LOCK|WITH|SET|TRUNCATE|VALUES)\b|.*\b(AND|FILTER|FROM)\b",
    re.DOTALL,
)


def in_python(source: str, *, is_models: bool = False) -> list[str]:
    """Sentences, and single words where a form or a choice shows them. A model's own names are for the admin."""
    tree = ast.parse(source)
    return list(_in_node(tree, is_models))


def _in_node(node: ast.AST, is_models: bool) -> Iterator[str]:
    if _is_exempt(node) or (is_models and _is_of_the_admin(node)):
        return
    said = _said_by(node)
    if said is not None:
        yield from said
        return
    for child in ast.iter_child_nodes(node):
        yield from _in_node(child, is_models)


def _said_by(node: ast.AST) -> list[str] | None:
    """None where it is for the parts of `node` to say something."""
    match node:
        case ast.keyword(arg=str(name), value=ast.Constant(value=str(text))) if name in SAID:
            return _words_of(text)
        case ast.Dict():
            return [text for pair in zip(node.keys, node.values, strict=True) for text in _said_by_pair(*pair)]
        case ast.ClassDef(bases=[*_, ast.Attribute(attr="TextChoices")]):
            return list(_unmarked_choices(node))
        case ast.JoinedStr() | ast.Constant(value=str()):
            text = TAG.sub("", _text(node))
            return [text] if SENTENCE.search(text) and not SQL.match(text) else []
    return None


def _said_by_pair(key: ast.expr | None, value: ast.expr) -> list[str]:
    match key, value:
        case ast.Constant(value=str(name)), ast.Constant(value=str(text)) if name in SAID:
            return _words_of(text)
    return [*(_in_node(key, False) if key else ()), *_in_node(value, False)]


def _is_of_the_admin(node: ast.AST) -> bool:
    """The names of models and fields, which only the admin shows."""
    match node:
        case ast.keyword(arg="help_text" | "verbose_name" | "verbose_name_plural"):
            return True
        case ast.Assign(targets=[ast.Name(id="verbose_name" | "verbose_name_plural")]):
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name(id="models")), args=[ast.Constant(), *_]):
            return True
    return False


def _is_exempt(node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()):  # A docstring.
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name(id="messages"))):
            return False
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in MARKERS | NOT_TO_CUSTOMERS
    return False


def _unmarked_choices(choices: ast.ClassDef) -> Iterator[str]:
    for statement in choices.body:
        match statement:
            case ast.Assign(value=ast.Tuple(elts=[_, ast.Constant(value=str(text))])):
                yield text
            case ast.Assign(value=ast.Constant(value=str(text))):
                # Django makes the label from the name.
                yield text


def _text(node: ast.expr | ast.AST) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part) for part in parts)
        case _:
            return "…"


# ---- scripts ----

_TOKEN = re.compile(r"""//[^\n]*|/\*.*?\*/|('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`)""", re.DOTALL)
_SELECTOR = re.compile(r"""(?:querySelector(?:All)?|closest|matches)(?:\?\.)?\((['"`]).*?\1""")
KEYS = {"Alt", "ArrowDown", "ArrowLeft", "ArrowRight", "ArrowUp", "Delete", "End", "Enter", "Escape", "Home", "Tab"}
# Names of events and constructors that begin as words do.
JS_NAMES = KEYS | {"Event", "GET", "POST"}


def in_script(source: str) -> list[str]:
    found = [match[1][1:-1] for match in _TOKEN.finditer(_SELECTOR.sub("", source)) if match[1]]
    return [text for text in (re.sub(r"\$\{.*?\}", "…", each) for each in found) if _is_said(text)]


def _is_said(text: str) -> bool:
    if text in JS_NAMES:
        return False
    return bool(SENTENCE.search(text) or re.fullmatch(r"[A-Z][a-z]+[.!?…]?", text))
