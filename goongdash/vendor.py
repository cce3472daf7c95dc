"""Third-party styles, scripts and icons under static/vendor/: pinned, fetched by npm, checked by hash.

``python -m goongdash.vendor`` fetches them anew; ``python -m goongdash.vendor --check`` compares the
committed files with the hashes here, without network. For a new version change its row (``npm view NAME
dist.integrity`` gives the tarball's hash), run the first command, and copy the hashes that it names.

Two steps change what npm delivers. Source-map comments are cut off: the maps are larger than the files
they explain, and a manifest of static files refuses a comment that names a file which isn't there. And
the icons in use are joined to one sprite, so that a page costs one request however many it shows.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

VENDOR = Path(__file__).resolve().parent.parent / "static" / "vendor"

# fmt: off
ICONS = (
    "alert-circle", "alert-triangle", "ban", "bell", "calendar", "chart-bar", "check", "chevron-down",
    "chevron-right", "clock", "copy", "credit-card", "device-desktop", "dots-vertical", "download",
    "external-link", "eye", "eye-off", "info-circle", "key", "logout", "mail", "map", "menu-2", "moon",
    "pencil", "plus", "receipt", "refresh", "search", "settings", "shield-check", "sun", "trash",
    "user", "users", "world", "x",
)
# fmt: on

Unpacked = Mapping[str, bytes]  # path inside the package → content


@dataclass(frozen=True, slots=True)
class Package:
    name: str
    version: str
    integrity: str  # SHA-512 of the tarball, as npm writes it
    build: Callable[[Unpacked], dict[str, bytes]]  # content of the tarball → files under static/vendor/
    sha256: Mapping[str, str]  # those files, as committed


def without_source_map(script: bytes) -> bytes:
    return re.sub(rb"\n(//|/\*)# sourceMappingURL=\S+( \*/)?\s*$", b"\n", script)


def build_tabler(files: Unpacked) -> dict[str, bytes]:
    return {"tabler/tabler.min.css": without_source_map(files["dist/css/tabler.min.css"])}


def build_chart(files: Unpacked) -> dict[str, bytes]:
    return {
        "chart.js/chart.umd.min.js": without_source_map(files["dist/chart.umd.min.js"]),
        "chart.js/LICENSE.md": files["LICENSE.md"],
    }


def build_icons(files: Unpacked) -> dict[str, bytes]:
    """The sprite and the licence: @tabler/core, of the same author and licence, packs no text of its own."""
    symbols = [symbol(name, files[f"icons/outline/{name}.svg"].decode()) for name in ICONS]
    sprite = '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"
    return {
        "tabler-icons/sprite.svg": sprite.encode(),
        "tabler-icons/LICENSE": files["LICENSE"],
        "tabler/LICENSE": files["LICENSE"],
    }


def symbol(name: str, svg: str) -> str:
    """One icon's shapes, without the transparent 24 × 24 square that each of them begins with."""
    shapes = svg.split(">", 1)[1].rsplit("</svg>", 1)[0].split("\n")
    kept = "".join(line.strip() for line in shapes if 'd="M0 0h24v24H0z"' not in line)
    return f'<symbol id="{name}" viewBox="0 0 24 24">{kept}</symbol>'


def build_inter(files: Unpacked) -> dict[str, bytes]:
    """The letters of English and Vietnamese. Which file holds which is said in static/css/goongdash.css."""
    fonts = {
        f"inter/{script}.woff2": files[f"files/inter-{script}-wght-normal.woff2"]
        for script in ("latin", "latin-ext", "vietnamese")
    }
    return fonts | {"inter/LICENSE": files["LICENSE"]}


def build_inter_print(files: Unpacked) -> dict[str, bytes]:
    """The same letters for PDF files, which take no woff2."""
    fonts = {
        "inter-print/regular.ttf": files["400Regular/Inter_400Regular.ttf"],
        "inter-print/semibold.ttf": files["600SemiBold/Inter_600SemiBold.ttf"],
    }
    return fonts | {"inter-print/LICENSE": files["LICENSE_FONT"]}


PACKAGES = (
    Package(
        name="@tabler/core",
        version="1.6.1",
        integrity="sha512-lgmR9gcxRp5JlLxcmRi9Rz85JrEvH6Bz71KnlcPVSa97wtwQNjgSs3g3fxwbAlulHyRMghhIV04QUuW3pqDsIg==",
        build=build_tabler,
        sha256={"tabler/tabler.min.css": "09c0ad77d135f90fd8cbc583824b2fdbd247adbc001234d27a36f284bfecab5e"},
    ),
    Package(
        name="@tabler/icons",
        version="3.51.0",
        integrity="sha512-0pinvPZz7YeX+OSfxuEAbnEPWbocVXW5iU8h5lh41pYG8sZuQfpWECC980lxOT0clGIcNGn8xsBr+zKaRGdA/g==",
        build=build_icons,
        sha256={
            "tabler-icons/sprite.svg": "99b8facefe324753db4100227beabeff129f1b96c5ab8a03ec5b218407c90327",
            "tabler-icons/LICENSE": "b740a1d46122672da62833e97f7e7c8a13fa85cbc7445b584b297cc00dde93db",
            "tabler/LICENSE": "b740a1d46122672da62833e97f7e7c8a13fa85cbc7445b584b297cc00dde93db",
        },
    ),
    Package(
        name="@fontsource-variable/inter",
        version="5.3.0",
        integrity="sha512-OupL48va4JNofb97w6NYeF9S7W/kHNKM0Er8Dem5nqi4jeOLrVJDoE8tZEpnMJmtkvNbB1EIPPwHcdkF6b1oUA==",
        build=build_inter,
        sha256={
            "inter/latin.woff2": "3100e775e8616cd2611beecfa23a4263d7037586789b43f035236a2e6fbd4c62",
            "inter/latin-ext.woff2": "34b9c504cab7a73e37b746343a449132e56cf7b5481af2cb81dc74dcff25c956",
            "inter/vietnamese.woff2": "5c66f9e07e90c6d4ac4922cc68d60de26c17b1858e677fb5e603fce3952b3ff2",
            "inter/LICENSE": "3b0a5fca3d17942cde889069889dedbbbd075e9b599968c82a95f4d944e9b345",
        },
    ),
    Package(
        name="@expo-google-fonts/inter",
        version="0.4.2",
        integrity="sha512-syfiImMaDmq7cFi0of+waE2M4uSCyd16zgyWxdPOY7fN2VBmSLKEzkfbZgeOjJq61kSqPBNNtXjggiQiSD6gMQ==",
        build=build_inter_print,
        sha256={
            "inter-print/regular.ttf": "a414b48aa577ef2c62ebb135341ddeef33ee26a4f5dc9f787f93c1aab08ebb50",
            "inter-print/semibold.ttf": "f30e9d2574c3bec5144347ff965f9841c8f06857f0b7383000f8c9489a161841",
            "inter-print/LICENSE": "5b9321a4298cfeb6b34354164a1c3afc3db114569984c502b9b35d988fd58c57",
        },
    ),
    Package(
        name="chart.js",
        version="4.6.1",
        integrity="sha512-hJyniucsFmq//EvXYvJ6c6mahPoI3kaxdjVH8awTaJ/fDNWeSqqqArixMJWkWNN6fcYvPU3HneSANFNYtRi61g==",
        build=build_chart,
        sha256={
            "chart.js/chart.umd.min.js": "c17f2ce49fb9c71ef7fb39c03f868804ac5ab34730149976eebe6b7f807bef0c",
            "chart.js/LICENSE.md": "41a84aa2caba645f966a18d9c2056b73e6d3a81d80bc0046bc0011a2634d4cce",
        },
    ),
)


def fetch(package: Package, *, into: Path) -> None:
    """Writes the package's files under `into`. Raises ValueError where the tarball isn't the pinned one."""
    with tempfile.TemporaryDirectory() as folder:
        tarball = npm_pack(package, Path(folder))
        content = tarball.read_bytes()
        integrity = "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()
        if integrity != package.integrity:
            raise ValueError(f"{package.name}@{package.version}: the tarball's hash is {integrity}")
        built = package.build(unpack(tarball))
    for name, data in built.items():
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        (into / name).write_bytes(data)


def npm_pack(package: Package, folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise ValueError("npm is needed to fetch the packages, and isn't on the PATH")
    command = [npm, "pack", f"{package.name}@{package.version}", "--ignore-scripts", "--silent"]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 (pins only)
    return next(folder.glob("*.tgz"))


def unpack(tarball: Path) -> Unpacked:
    with tarfile.open(tarball) as archive:
        return {
            member.name.removeprefix("package/"): stream.read()
            for member in archive
            if (stream := archive.extractfile(member)) is not None
        }


def differences(folder: Path) -> list[str]:
    """One line for each file that is missing, changed, or named in no row; empty when all is as pinned."""
    pinned = {name: digest for package in PACKAGES for name, digest in package.sha256.items()}
    found = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }
    return [
        f"{name}: pinned {pinned.get(name, 'nowhere')}, found {found.get(name, 'nothing')}"
        for name in sorted(pinned.keys() | found.keys())
        if pinned.get(name) != found.get(name)
    ]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m goongdash.vendor", description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare the committed files, fetch nothing")
    if not parser.parse_args(arguments).check:
        for package in PACKAGES:
            fetch(package, into=VENDOR)
    wrong = differences(VENDOR)
    print("\n".join(wrong) or f"static/vendor: {len(PACKAGES)} packages as pinned")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
