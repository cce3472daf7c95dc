"""The machine and the versions that a figure was measured on, in one sentence each."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

SBIN = "/usr/sbin:/usr/local/sbin:/sbin"


def program(name: str) -> str:
    """The path of a program, also where an ordinary user's PATH does not lead. Raises SystemExit."""
    found = shutil.which(name) or shutil.which(name, path=SBIN)
    if found is None:
        raise SystemExit(f"{name} is missing on this machine; `make bench-gate` installs it on Debian.")
    return found


def described() -> str:
    """Processor, cores, memory, system and Python, and the day."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"Measured on {datetime.now(UTC):%Y-%m-%d}: {cpu[1] if cpu else platform.machine()}, "
        f"{os.cpu_count()} cores, {memory_gib:.0f} GiB, {_hypervisor()}; Linux {platform.release().partition('-')[0]}, "
        f"Python {platform.python_version()}."
    )


def version(*command: str) -> str:
    """The first number with a dot in what `command` says of itself."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d+(?:\.\d+)*", done.stdout + done.stderr)
    return found[0] if found else "?"


def _hypervisor() -> str:
    return "a virtual machine" if " hypervisor " in Path("/proc/cpuinfo").read_text() else "bare metal"
