"""Refusals of consent and of its documents; their texts are for the person who asked."""

from trial.base.errors import TrialError


class VersionNotInUse(TrialError):
    """The document is not approved, not yet in use, or no longer in use at the site that day (BR-10)."""


class ConsentRefused(TrialError):
    """A rule of consent is not met; the text says which and what to do."""


class DocumentRefused(TrialError):
    """A file or a version of a document cannot be kept; the text says why."""


class SignatureRefused(TrialError):
    """What was sent as a drawn signature is none; the text says what to do."""
