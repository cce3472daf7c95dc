from __future__ import annotations

import shutil
from pathlib import Path

from goongdash.vendor import PACKAGES, VENDOR, differences, without_source_map


def test_committed_files_are_the_pinned_ones() -> None:
    assert differences(VENDOR) == []


def test_changed_missing_and_unknown_files_are_named(tmp_path: Path) -> None:
    folder = shutil.copytree(VENDOR, tmp_path / "vendor")
    (folder / "tabler" / "tabler.min.css").write_text("body{}")
    (folder / "tabler-icons" / "sprite.svg").unlink()
    (folder / "stray.js").write_text("")

    named = [line.partition(":")[0] for line in differences(folder)]

    assert named == ["stray.js", "tabler-icons/sprite.svg", "tabler/tabler.min.css"]


def test_every_package_brings_its_licence() -> None:
    folders = {name.partition("/")[0] for package in PACKAGES for name in package.sha256}
    assert [name for name in folders if not list((VENDOR / name).glob("LICENSE*"))] == []


def test_source_map_comments_are_cut_off() -> None:
    assert without_source_map(b"a{}\n/*# sourceMappingURL=a.css.map */\n") == b"a{}\n"
    assert without_source_map(b"a();\n//# sourceMappingURL=a.js.map\n") == b"a();\n"
    assert without_source_map(b"a();\n") == b"a();\n"
