"""What can go wrong with the embedded servers.

EmbeddedServerError
├── NotInstalledError   the wheel with the server's program is missing
├── UnsafeFolderError   a folder for sockets belongs to somebody else
└── NotReadyError       a server does not answer in time
"""

from __future__ import annotations


class EmbeddedServerError(Exception):
    """A message for the person at the terminal; no stack is needed to understand it."""


class NotInstalledError(EmbeddedServerError):
    pass


class UnsafeFolderError(EmbeddedServerError):
    pass


class NotReadyError(EmbeddedServerError):
    pass
