"""What billing refuses to do.

BillingError (ValueError)
├── BudgetInvalid       this amount is no budget
├── ThresholdsInvalid   alerts are not told at these percents
├── MonthNotOver        a month cannot be closed while it runs
├── NothingToMove       an amount of money that is none, or has the wrong sign
├── RefundTooHigh       more than the account's own money
├── PlanRequestError
│   ├── SamePlan            the account is on that plan already
│   ├── AlreadyRequested    another request is still open
│   └── RequestClosed       it was decided or withdrawn before
└── PaymentError
    ├── PaymentsOff         the installation takes no payments
    ├── PaymentUnavailable  the payment provider does not answer
    └── WebhookRefused      what came in its name is not from it, or cannot be read
"""

from __future__ import annotations


class BillingError(ValueError):
    """`args[0]` is a sentence for who tried."""


class BudgetInvalid(BillingError):
    pass


class ThresholdsInvalid(BillingError):
    pass


class MonthNotOver(BillingError):
    """The month still runs in the installation's zone."""


class NothingToMove(BillingError):
    pass


class RefundTooHigh(BillingError):
    pass


class PlanRequestError(BillingError):
    pass


class SamePlan(PlanRequestError):
    pass


class AlreadyRequested(PlanRequestError):
    pass


class RequestClosed(PlanRequestError):
    pass


class PaymentError(BillingError):
    pass


class PaymentsOff(PaymentError):
    pass


class PaymentUnavailable(PaymentError):
    pass


class WebhookRefused(PaymentError):
    pass
