"""Creates a user with a verified address and an account of their own."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts.models import Plan
from accounts.registration import EmailTaken, account_register
from goongdash.commands import CommandError, CommandParser, ReportingCommand


class Command(ReportingCommand):
    help = "Create a user (its address taken as verified) and an account that it owns."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--password", help="Without one, the user has to reset it by e-mail.")
        parser.add_argument("--name", default="", help="The account's name.")
        parser.add_argument("--plan", default="free", help="The plan's slug (default: free).")
        parser.add_argument("--staff", action="store_true", help="Let the user into the admin, as a superuser.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            validate_email(options["email"])
            account = account_register(
                email=options["email"],
                password=options["password"],
                name=options["name"],
                plan=options["plan"],
                is_staff=options["staff"],
            )
        except ValidationError as error:
            raise CommandError(error.messages[0], returncode=2) from None
        except EmailTaken as error:
            raise CommandError(str(error)) from None
        except Plan.DoesNotExist:
            known = ", ".join(Plan.objects.values_list("slug", flat=True))
            raise CommandError(f"There is no plan {options['plan']!r}; there are: {known}.", returncode=2) from None
        facts = {"id": account.pk, "email": options["email"].lower(), "plan": account.plan.slug}
        self.report(facts, f"Account {account.pk} ({account.name}) on the plan {account.plan.name}.")
