"""What an entry of a restriction list covers and what it does not, in examples that were asked of the entry. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from keys.errors import PART_NAMES
from keys.examples import example_site
from keys.origins import Origin, default_port, origin_text, parse_url
from keys.patterns import UrlPart, UrlPattern
from keys.restrictions import RestrictionEntry

_N_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Uncovered:
    """An example that the entry does not let pass, and the part at fault (empty for an address)."""

    text: str
    part: UrlPart | None = None

    @property
    def part_name(self) -> str:
        return "" if self.part is None else str(PART_NAMES[self.part])


@dataclass(frozen=True, slots=True)
class Coverage:
    """Examples on both sides of an entry: URLs of pages for a pattern, addresses for a range."""

    covered: tuple[str, ...] = ()
    uncovered: tuple[Uncovered, ...] = ()


def coverage_of(entry: RestrictionEntry) -> Coverage:
    """Up to three examples of each side. Empty where no URL is found that the pattern lets pass."""
    return _pattern_coverage(entry) if isinstance(entry, UrlPattern) else _range_coverage(entry)


def _pattern_coverage(pattern: UrlPattern) -> Coverage:
    site = example_site(pattern.text)
    page = None if site is None else parse_url(site)
    if page is None:
        return Coverage()
    covered, uncovered = [], []
    for url, origin in _neighbours(page):
        faults = pattern.faults(origin)
        if not faults:
            covered.append(url)
        else:
            uncovered.append(Uncovered(url, faults[0]))
    return Coverage(tuple(covered[:_N_SHOWN]), tuple(uncovered[:_N_SHOWN]))


def _neighbours(page: Origin) -> Iterator[tuple[str, Origin]]:
    """The page itself and the pages beside it that customers take for covered, or for not, by mistake."""
    host, scheme, path = page.host, page.scheme, page.path
    port = "" if page.port == default_port(scheme) else f":{page.port}"
    urls = [f"{origin_text(page)}{path}"]
    has_labels = "." in host and not host.startswith("[") and not host[-1].isdigit()
    if has_labels:
        urls.append(f"{scheme}://{_sibling(host)}{port}{path}")
    if scheme in ("http", "https") and not port:
        urls.append(f"{'https' if scheme == 'http' else 'http'}://{host}{path}")
    urls.append(f"{scheme}://{host}{port}/page" if path == "/" else f"{scheme}://{host}{port}/")
    urls.append(f"{scheme}://{host}:{3000 if page.port == 8080 else 8080}{path}")
    if has_labels:
        urls.append(f"{scheme}://{host}.evil.example{port}{path}")
    for url in dict.fromkeys(urls):
        origin = parse_url(url)
        if origin is not None:
            yield url, origin


def _sibling(host: str) -> str:
    """Of `www.example.com` the domain, of any other its `www`."""
    return host.removeprefix("www.") if host.startswith("www.") and host.count(".") > 1 else f"www.{host}"


def _range_coverage(network: IPv4Network | IPv6Network) -> Coverage:
    first, last = network.network_address, network.broadcast_address
    covered = tuple(dict.fromkeys((str(first), str(last))))
    outside = []
    if int(first) > 0:
        outside.append(Uncovered(str(first - 1)))
    if int(last) < (1 << network.max_prefixlen) - 1:
        outside.append(Uncovered(str(last + 1)))
    return Coverage(covered, tuple(outside))
