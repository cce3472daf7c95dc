"""An alphabet of straight strokes, drawn for this sandbox: capitals, digits, and the marks of Vietnamese.

A letter is written as polylines of two-digit points: x, then y from 0 (base line) to 8 (a capital's height).
Small letters are the same shapes, smaller.
"""

from __future__ import annotations

import unicodedata

Stroke = list[tuple[float, float]]

SMALL_SHARE = 0.76
CAPITAL_HEIGHT = 8

LETTERS = {
    "A": "003860 1353",
    "B": "0008485755440400 4453514000",
    "C": "5748180701104051",
    "D": "00083856523000",
    "E": "48080040 0434",
    "F": "480800 0434",
    "G": "574818070110405154 5434",
    "H": "0008 5058 0454",
    "I": "0008",
    "J": "3831201001",
    "K": "0008 5803 2550",
    "L": "080040",
    "M": "0008336860",
    "N": "00085058",
    "O": "180701104051574818",
    "P": "00084857554404",
    "Q": "180701104051574818 3260",
    "R": "00084857554404 2450",
    "S": "574818070514445351401001",
    "T": "0868 3830",
    "U": "080110405158",
    "V": "083068",
    "W": "0820466088",
    "X": "0058 0850",
    "Y": "083468 3430",
    "Z": "08580050",
    "0": "180701103041473818",
    "1": "062820",
    "2": "071838474500 0040",
    "3": "07183847453414 344341301001",
    "4": "38024230 4252",
    "5": "4808053544413010 1001",
    "6": "473818070110304143340504",
    "7": "084810",
    "8": "1405071838474534140301103041433414",
    "9": "0110304147381807051444",
    ".": "0000",
    ",": "1100",
    ":": "0000 0404",
    "-": "0333",
    "/": "0048",
    "(": "28161220",
    ")": "08161200",
    "'": "0806",
    "&": "60172838450211305254",
}
# Marks, around a letter's middle (x 0) and above its height or below its base line.
MARKS: dict[str, Stroke] = {
    "\u0300": [(-1.3, 11.0), (0.7, 9.4)],
    "\u0301": [(1.3, 11.0), (-0.7, 9.4)],
    "\u0302": [(-1.8, 9.2), (0, 10.6), (1.8, 9.2)],
    "\u0303": [(-2, 9.4), (-0.8, 10.4), (0.8, 9.5), (2, 10.5)],
    "\u0306": [(-1.8, 10.6), (-0.9, 9.4), (0.9, 9.4), (1.8, 10.6)],
    "\u0309": [(-0.8, 11.2), (0.7, 11.2), (0.7, 10.3), (-0.1, 9.4)],
    "\u0323": [(0, -2.2), (0, -2.2)],
}
HORN = "\u031b"
# A second mark above stands over the first.
SECOND_MARK_UP = 1.7


def letter_strokes(character: str) -> tuple[float, list[Stroke]] | None:
    """The character's width and strokes, in eighths of a capital's height; None for other characters."""
    base, *marks = list(unicodedata.normalize("NFD", character))
    plain = {"đ": "d", "Đ": "D"}.get(base, base)
    if plain.upper() not in LETTERS or not all(mark in MARKS or mark == HORN for mark in marks):
        return None
    strokes = [_points(text) for text in LETTERS[plain.upper()].split()]
    width = max(x for stroke in strokes for x, _ in stroke)
    if plain != base:
        strokes.append([(-1, 4), (2, 4)])
    strokes += _mark_strokes(marks, width)
    share = SMALL_SHARE if plain.islower() else 1.0
    return width * share, [[(x * share, y * share) for x, y in stroke] for stroke in strokes]


def _mark_strokes(marks: list[str], width: float) -> list[Stroke]:
    strokes: list[Stroke] = []
    up = 0.0
    for mark in marks:
        if mark == HORN:
            strokes.append([(width - 0.5, 7.6), (width + 0.9, 8), (width + 1.2, 9.4)])
            continue
        below = mark == "\u0323"
        strokes.append([(x + width / 2, y if below else y + up) for x, y in MARKS[mark]])
        up += 0.0 if below else SECOND_MARK_UP
    return strokes


def _points(text: str) -> Stroke:
    return [(float(text[at]), float(text[at + 1])) for at in range(0, len(text), 2)]
