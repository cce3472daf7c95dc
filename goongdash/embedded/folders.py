"""The folders of the embedded servers: who owns them, and that nobody else gets at a socket or a file.

PostgreSQL refuses to run as root. Root's runs give it a system user of its own, who owns PostgreSQL's folders
and gets no more on the way to them than the right to pass through (`o+x`).
"""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from goongdash.embedded import paths
from goongdash.embedded.errors import EmbeddedServerError, UnsafeFolderError

POSTGRES_USER = "pgserver"
PRIVATE = 0o700
PASSABLE = 0o711


@dataclass(frozen=True, slots=True)
class Identity:
    """The user and group a server runs as."""

    uid: int
    gid: int

    @classmethod
    def current(cls) -> Identity:
        return cls(os.geteuid(), os.getegid())

    @property
    def is_current(self) -> bool:
        return self.uid == os.geteuid()

    def own(self, folder: Path) -> None:
        if folder.stat().st_uid != self.uid:
            os.chown(folder, self.uid, self.gid)

    def become(self) -> None:
        """Give up this process's rights for good. Groups first: afterwards it may not any more."""
        if not self.is_current:
            os.setgroups([self.gid])
            os.setgid(self.gid)
            os.setuid(self.uid)


def prepare(data_dir: Path) -> None:
    """Create the folders that all servers share. Root's `data_dir` lets PostgreSQL's user pass."""
    open_mode = PASSABLE if os.geteuid() == 0 else PRIVATE
    data_dir.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    if os.geteuid() == 0:
        data_dir.chmod(stat.S_IMODE(data_dir.stat().st_mode) | stat.S_IXOTH)
    _make_safely(paths.socket_dir(data_dir), open_mode)
    for folder in (paths.own_socket_dir(data_dir), data_dir / "log"):
        make(folder, Identity.current())


def make(folder: Path, identity: Identity) -> None:
    """A folder that only `identity` may enter."""
    folder.mkdir(exist_ok=True)
    identity.own(folder)
    if stat.S_IMODE(folder.stat().st_mode) != PRIVATE:
        folder.chmod(PRIVATE)


def postgres_identity(folder: Path) -> Identity:
    """Who runs PostgreSQL: we ourselves; for root whoever owns the data already, else its system user."""
    if os.geteuid() != 0:
        return Identity.current()
    if folder.exists() and (found := folder.stat()).st_uid != 0:
        return Identity(found.st_uid, found.st_gid)
    return _system_user()


def open_way(target: Path, identity: Identity) -> None:
    """Let `identity` pass through the folders above `target`, where they cannot yet."""
    for folder in target.resolve().parents:
        mode = folder.stat().st_mode
        if identity.is_current or mode & stat.S_IXOTH:
            continue
        print(f"PostgreSQL's user may now pass through {folder} (chmod o+x).", file=sys.stderr, flush=True)
        folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def _make_safely(folder: Path, mode: int) -> None:
    """Create a folder, maybe in /tmp, where somebody else may have put that name, or a link, before us."""
    try:
        folder.mkdir(mode=mode)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise UnsafeFolderError(
                f"{folder} belongs to somebody else; remove it, or choose another DATA_DIR."
            ) from None
    folder.chmod(mode)


def _system_user() -> Identity:
    try:
        entry = pwd.getpwnam(POSTGRES_USER)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", POSTGRES_USER]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
        except (OSError, subprocess.CalledProcessError) as error:
            detail = getattr(error, "stderr", "") or error
            raise EmbeddedServerError(
                f"PostgreSQL does not run as root, and its user {POSTGRES_USER!r} could not be made: {detail}"
            ) from None
        entry = pwd.getpwnam(POSTGRES_USER)
    return Identity(entry.pw_uid, entry.pw_gid)
