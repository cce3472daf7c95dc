"""What holds for every template: no inline script or style, icons that exist, error pages that stand alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.template.loader import render_to_string

from goongdash.vendor import ICONS

FOLDER = Path(__file__).resolve().parents[2] / "templates"
PAGES = sorted(FOLDER.rglob("*.html"))
MAILS = [path for path in sorted(FOLDER.glob("*/email/*_message.txt")) if path.name != "base_message.txt"]


def named(path: Path) -> str:
    return path.relative_to(FOLDER).as_posix()


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_no_page_breaks_the_content_security_policy(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|hx-on|javascript:", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_pages_and_fragments_stay_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= (50 if path.name.startswith("_") else 100)


def test_every_icon_named_in_a_template_exists() -> None:
    used = {name for path in PAGES for name in re.findall(r'{% icon "([^"]+)"', path.read_text())}
    assert used - set(ICONS) == set()


@pytest.mark.parametrize("name", ["400.html", "500.html"])
def test_pages_of_last_resort_need_no_context(name: str) -> None:
    page = render_to_string(name)
    assert page.lstrip().startswith("<!doctype html>")
    assert "To the dashboard" in page


@pytest.mark.parametrize("path", MAILS, ids=named)
def test_mails_are_in_our_words(path: Path) -> None:
    subject = path.with_name(path.name.replace("_message", "_subject"))
    mail = render_to_string(named(path), {"email": "an'an@example.com", "activate_url": "https://a/?b&c"})
    assert mail.startswith("Hello,\n\n")
    assert "Goongdash" in mail
    assert "&amp;" not in mail and "&#x27;" not in mail
    assert "Goongdash" in render_to_string(named(subject))
    assert len(render_to_string(named(subject)).strip().splitlines()) == 1
