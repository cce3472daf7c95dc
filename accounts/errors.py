"""What may stand in the way of a change to an account.

AccountError
├── RoleTooLow          one's role does not allow it
├── LastOwner           the account would have no owner left
├── TooManyTokens       of one member
└── InvitationError
    ├── AlreadyMember       of that account, under that address
    ├── AlreadyInvited      the invitation is open and can be sent again
    ├── TooManyInvitations  are open at once
    ├── InvitationClosed    accepted, withdrawn or expired
    └── AddressMismatch     it is for somebody else's address
"""

from __future__ import annotations


class AccountError(ValueError):
    """`args[0]` says why, to the person who tried."""


class RoleTooLow(AccountError):
    pass


class LastOwner(AccountError):
    pass


class TooManyTokens(AccountError):
    pass


class InvitationError(AccountError):
    pass


class AlreadyMember(InvitationError):
    pass


class AlreadyInvited(InvitationError):
    pass


class TooManyInvitations(InvitationError):
    pass


class InvitationClosed(InvitationError):
    pass


class AddressMismatch(InvitationError):
    pass
