"""What commands about accounts share: naming one by the e-mail address of a member."""

from __future__ import annotations

from accounts.models import Account
from accounts.selectors import account_by_email
from goongdash.commands import CommandError, ReportingCommand


class AccountCommand(ReportingCommand):
    def account(self, email: str | None) -> Account | None:
        """The account of `--account`; None where all are meant."""
        if not email:
            return None
        account = account_by_email(email)
        if account is None:
            raise CommandError(f"There is no account of {email}.")
        return account
