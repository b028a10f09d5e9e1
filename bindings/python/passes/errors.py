"""What the library raises: a tree by kind, each with a stable `code`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._native import Refusal

__all__ = [
    "CodeError",
    "ConflictingKeyError",
    "ForbiddenError",
    "InputError",
    "KeyringError",
    "NotFoundError",
    "PassStateError",
    "PassesError",
    "PlanError",
    "RandomnessError",
    "RefusedError",
    "ReversalError",
    "StoreError",
    "TermsError",
]


class PassesError(Exception):
    """The base of all that the library raises."""

    code: str
    """Stable and machine-readable: `PASS_EXPIRED`."""
    is_retryable: bool
    """Whether the same may simply be tried again."""
    reasons: tuple[Refusal, ...]
    """Every rule that failed, the one to tell first in front; empty unless it was refused."""

    def __init__(
        self, message: str, code: str, is_retryable: bool = False, reasons: tuple[Refusal, ...] = ()
    ) -> None:
        super().__init__(message, code, is_retryable, reasons)
        self.code = code
        self.is_retryable = is_retryable
        self.reasons = reasons

    def __str__(self) -> str:
        return str(self.args[0])

    def has(self, code: str) -> bool:
        """Whether one of the reasons has this code."""
        return any(reason.code == code for reason in self.reasons)


class RefusedError(PassesError):
    """A command was refused, and nothing was done."""

    @property
    def values(self) -> dict[str, str]:
        """The values that matter, of the first reason."""
        return self.reasons[0].values if self.reasons else {}

    @property
    def fix(self) -> str:
        """What would help, of the first reason; empty if nothing would."""
        return self.reasons[0].fix if self.reasons else ""


class ForbiddenError(RefusedError):
    """The actor lacks the right, the place or the amount, or the reason that the command needs."""


class InputError(RefusedError, ValueError):
    """A text, number, amount, list or file is outside what is accepted."""


class ConflictingKeyError(RefusedError):
    """The idempotency key stands for another request, or what it stands for was reversed before it came."""


class CodeError(RefusedError):
    """A passcode is none, has a typing error, or is nobody's."""


class NotFoundError(RefusedError, LookupError):
    """What the command names isn't there."""


class PassStateError(RefusedError):
    """The pass, or what else the command names, is in no state for it."""


class TermsError(RefusedError):
    """The terms of the pass, or of the money, don't allow it now, here, for this, or for so much."""


class PlanError(RefusedError):
    """A plan, its format or its caps don't allow it."""


class ReversalError(RefusedError):
    """It can't be reversed, or not so much of it."""


class StoreError(PassesError):
    """The store failed."""


class KeyringError(PassesError):
    """A key is missing or wrong, or a keyring can't be read."""


class RandomnessError(PassesError):
    """The system has no randomness."""


_REFUSED: dict[type[RefusedError], str] = {
    ForbiddenError: "FORBIDDEN REASON_REQUIRED",
    InputError: "INVALID TOO_LARGE UNKNOWN_CURRENCY TOO_MANY_DECIMALS BAD_AMOUNT MIXED_CURRENCIES OVERFLOW TAKEN "
    "BAD_FIELD BAD_FILE",
    ConflictingKeyError: "IDEMPOTENCY_MISMATCH REVERSED_BEFORE_IT_CAME",
    CodeError: "MALFORMED TYPING_ERROR UNKNOWN_CODE CODE_NOT_RECOVERABLE",
    NotFoundError: "NOT_FOUND CONTACT_NOT_REGISTERED",
    PassStateError: "PASS_DRAFT PASS_SUSPENDED PASS_REDEEMED PASS_CANCELLED WRONG_STATE VALUE_NOT_SET PASS_USED TOO_LATE "
    "EXPORT_CLOSED",
    TermsError: "NOT_STARTED OUTSIDE_HOURS PASS_EXPIRED USES_SPENT CONTACT_REQUIRED NOT_THIS_CONTACT WALLET_CURRENCY "
    "NO_ELIGIBLE_PRODUCTS WRONG_PLACE BELOW_MINIMUM BALANCE_TOO_SMALL VALUE_OUT_OF_RANGE",
    PlanError: "FORMAT_TOO_SHORT BAD_FORMAT PLAN_FROZEN PLAN_CAP",
    ReversalError: "NOT_REVERSIBLE ALREADY_REVERSED REVERSAL_TOO_LARGE ALREADY_SPENT",
}

_KINDS: dict[str, type[RefusedError]] = {
    code: kind for kind, codes in _REFUSED.items() for code in codes.split()
}


def _make(message: str, code: str, is_retryable: bool, reasons: tuple[Refusal, ...]) -> PassesError:
    """What the native module raises."""
    kind: type[PassesError]
    if reasons:
        kind = _KINDS.get(code, RefusedError)
    elif code.startswith("KEY"):
        kind = KeyringError
    elif code == "NO_RANDOMNESS":
        kind = RandomnessError
    else:
        kind = StoreError
    return kind(message, code, is_retryable, reasons)
