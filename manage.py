#!/usr/bin/env python
"""Runs a management command, with the project's own servers up where the environment names none."""

from __future__ import annotations

import importlib
import os
import sys
from contextlib import AbstractContextManager, nullcontext

WITHOUT_SERVERS = {"help", "version", "--help", "-h", "--version", "collectstatic", "compilemessages", "makemessages"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "goongdash.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from goongdash.embedded.errors import EmbeddedServerError

    try:
        with _servers(sys.argv[1:]):
            execute_from_command_line(sys.argv)
    except (EmbeddedServerError, ImproperlyConfigured) as error:
        sys.exit(f"{error}")


def _servers(arguments: list[str]) -> AbstractContextManager[None]:
    """The embedded servers for the time of the command; nothing for a command that needs none."""
    from goongdash.embedded.paths import data_dir
    from goongdash.embedded.servers import using_servers

    if not arguments or arguments[0] in WITHOUT_SERVERS or {"--help", "-h"} & set(arguments):
        return nullcontext()
    # Bad settings are named before a server is started for them.
    importlib.import_module("goongdash.settings")
    return using_servers(data_dir())


if __name__ == "__main__":
    main()
