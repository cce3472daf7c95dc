"""Pictures made of nothing but the standard library: a canvas to draw on, PNG and lossless WebP files.

Formats: https://www.w3.org/TR/png-3/ and RFC 9649 (WebP, section 3: lossless bitstream).
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Sequence
from itertools import pairwise

Colour = tuple[int, int, int]
Point = tuple[float, float]

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# A long stroke is drawn in pieces, so that no piece's bounding box is much larger than the piece.
PIECE_PX = 24.0


class Canvas:
    """An RGBA picture. Shapes are anti-aliased: a pixel is covered by how near it lies to the shape."""

    def __init__(self, width: int, height: int, background: Colour | None = None) -> None:
        self.width, self.height = width, height
        pixel = bytes((*background, 255)) if background else bytes(4)
        self.pixels = bytearray(pixel * (width * height))

    def stroke(self, points: Sequence[Point], *, width: float, colour: Colour) -> None:
        """Draw a line through the points, with round ends and joins; a single point draws a dot."""
        coverage: dict[tuple[int, int], float] = {}
        for start, end in zip(points, points[1:] or points, strict=False):
            n_pieces = max(1, math.ceil(math.dist(start, end) / PIECE_PX))
            cuts = [_between(start, end, step / n_pieces) for step in range(n_pieces + 1)]
            for a, b in pairwise(cuts):
                self._cover(coverage, a, b, width / 2)
        for (x, y), share in coverage.items():
            self._blend(x, y, colour, share)

    def fill(self, columns: range, rows: range, colour: Colour) -> None:
        """Fill a rectangle; what lies outside the picture is left out."""
        left, right = max(0, columns.start), min(self.width, columns.stop)
        for y in range(max(0, rows.start), min(self.height, rows.stop)):
            at = 4 * (y * self.width + left)
            self.pixels[at : at + 4 * (right - left)] = bytes((*colour, 255)) * (right - left)

    def dot(self, centre: Point, *, radius: float, colour: Colour) -> None:
        self.stroke([centre], width=2 * radius, colour=colour)

    def _cover(self, coverage: dict[tuple[int, int], float], a: Point, b: Point, radius: float) -> None:
        reach = radius + 1
        columns = range(max(0, int(min(a[0], b[0]) - reach)), min(self.width, int(max(a[0], b[0]) + reach) + 1))
        rows = range(max(0, int(min(a[1], b[1]) - reach)), min(self.height, int(max(a[1], b[1]) + reach) + 1))
        for y in rows:
            for x in columns:
                share = radius + 0.5 - distance_to_segment((x + 0.5, y + 0.5), a, b)
                if share > 0 and share > coverage.get((x, y), 0.0):
                    coverage[x, y] = min(1.0, share)

    def _blend(self, x: int, y: int, colour: Colour, share: float) -> None:
        at = 4 * (y * self.width + x)
        below = self.pixels[at + 3] / 255
        alpha = share + below * (1 - share)
        for channel, value in enumerate(colour):
            under = self.pixels[at + channel] * below * (1 - share)
            self.pixels[at + channel] = round((value * share + under) / alpha)
        self.pixels[at + 3] = round(255 * alpha)

    def png(self) -> bytes:
        stride = 4 * self.width
        rows = (b"\0" + self.pixels[y * stride : (y + 1) * stride] for y in range(self.height))
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 6, 0, 0, 0)
        return b"".join(
            (
                PNG_SIGNATURE,
                _png_chunk(b"IHDR", header),
                _png_chunk(b"IDAT", zlib.compress(b"".join(rows), 6)),
                _png_chunk(b"IEND", b""),
            )
        )


def distance_to_segment(point: Point, start: Point, end: Point) -> float:
    dx, dy = end[0] - start[0], end[1] - start[1]
    length_squared = dx * dx + dy * dy
    if not length_squared:
        return math.dist(point, start)
    along = ((point[0] - start[0]) * dx + (point[1] - start[1]) * dy) / length_squared
    return math.dist(point, _between(start, end, min(1.0, max(0.0, along))))


def webp(rows: Sequence[Sequence[int]], tones: Sequence[tuple[int, int]]) -> bytes:
    """A lossless WebP picture of eight colours. `tones` holds the two levels of green, red and blue; a
    pixel of `rows` is 0 to 7, its bits saying which level of green (1), red (2) and blue (4) it has."""
    stream = _BitStream()
    stream.write(0x2F, 8)
    stream.write(len(rows[0]) - 1, 14)
    stream.write(len(rows) - 1, 14)
    stream.write(0, 1 + 3)  # No alpha, version 0.
    stream.write(0, 1 + 1 + 1)  # No transform, no colour cache, one group of prefix codes.
    for levels in tones:
        stream.write_prefix_code(levels)
    stream.write_prefix_code((255,))  # Alpha: one level, which then takes no bits.
    stream.write_prefix_code((0,))  # Distances: never used.
    for row in rows:
        # Three bits a pixel, put together for a whole row, since adding them one by one takes long.
        stream.write(sum(pixel << (3 * x) for x, pixel in enumerate(row)), 3 * len(row))
    chunk = stream.content()
    chunk = b"VP8L" + struct.pack("<I", len(chunk)) + chunk + b"\0" * (len(chunk) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


class _BitStream:
    """Bits packed from the lowest up, as WebP wants them."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._bits, self._n_bits = 0, 0

    def write(self, value: int, n_bits: int) -> None:
        self._bits |= value << self._n_bits
        self._n_bits += n_bits
        n_whole, self._n_bits = divmod(self._n_bits, 8)
        self._parts.append((self._bits & ((1 << 8 * n_whole) - 1)).to_bytes(n_whole, "little"))
        self._bits >>= 8 * n_whole

    def write_prefix_code(self, symbols: Sequence[int]) -> None:
        """A "simple" code: one symbol of no bits, or two of one bit each; each symbol given in eight bits."""
        self.write(1, 1)
        self.write(len(symbols) - 1, 1)
        self.write(1, 1)
        for symbol in symbols:
            self.write(symbol, 8)

    def content(self) -> bytes:
        return b"".join(self._parts) + (bytes((self._bits,)) if self._n_bits else b"")


def _between(a: Point, b: Point, share: float) -> Point:
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share


def _png_chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
