"""Invariants tested at start-up: each failure stops the server with a sentence that says what to mend."""

import sys
from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.core import checks
from django.db import DatabaseError, connections
from django.urls import URLPattern, URLResolver, get_resolver

import instruments
from trial.allocation import marks
from trial.assessments import in_use
from trial.base import triggers
from trial.base.models import AuditedModel

BEHIND_A_LINK = frozenset(
    {"none", "start", "check", "next", "question", "support", "support_sent", "answers", "saved", "sent"}
)
"""Pages of a participant's questionnaires, which open with a link and a second check (`q_…`)."""
CONSENT_PAGES = frozenset(
    {"none", "start", "check", "sheet", "document", "statements", "signature", "certify", "done", "declined"}
    | {"hand_back", "copy"}
)
"""Pages on which a participant consents: behind a link and a second check, or on a tablet handed over (`c_…`)."""
PUBLIC = frozenset(
    {"healthz", "readyz", "help", "accessibility", "privacy", "home", "no_role", "consent_verify"}
    | {"interest", "interest_thanks"}
    | {f"c_{name}" for name in CONSENT_PAGES}
    | {f"q_{name}" for name in BEHIND_A_LINK}
)
"""Names of pages that anyone may open."""
FOREIGN = ("accounts/", "admin/")
"""Routes of libraries whose pages keep their own rules: sign-in, and the configuration admin."""


def patterns(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every URL pattern of the site with its whole route."""
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns(entry, route)
        else:
            yield route, entry


def urls_name_a_permission(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """E001: every page names the permission it needs, or is on the short public list."""
    return [
        checks.Error(
            f"The page {route} names no permission.",
            hint="Put @requires(Action.…) on its view, or @public and its name in trial.checks.PUBLIC.",
            id="trial.E001",
        )
        for route, pattern in patterns()
        if not route.startswith(FOREIGN) and not _is_guarded(pattern)
    ]


def _is_guarded(pattern: URLPattern) -> bool:
    if not hasattr(pattern.callback, "permission"):
        return False
    return pattern.callback.permission is not None or pattern.name in PUBLIC


def audited_tables_keep_history(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """E002: every audited table has its history table."""
    return [
        checks.Error(f"{model._meta.label} is audited but keeps no history.", id="trial.E002")
        for model in apps.get_models()
        if issubclass(model, AuditedModel) and not hasattr(model, "history")
    ]


def instruments_load(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """E003: every instrument file of the library is as its schema says."""
    try:
        instruments.all_instruments()
    except instruments.DefinitionError as error:
        return [checks.Error(str(error), id="trial.E003")]
    return []


def triggers_are_installed(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """E004: the triggers that hold append-only tables and locks are in the database.

    Not asked of `migrate`, which installs them; a database that does not answer is told by `/readyz`.
    """
    if sys.argv[1:2] == ["migrate"]:
        return []
    try:
        tables = triggers.missing(connections["default"])
    except DatabaseError:
        return []
    text = f"Triggers are missing on: {', '.join(tables)}."
    return [checks.Error(text, hint="Run manage.py migrate.", id="trial.E004")] if tables else []


def definitions_are_unchanged(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """E005: every definition under which answers are stored says what it said then.

    Not asked of `migrate`, which makes the table; a database that does not answer is told by `/readyz`.
    """
    if sys.argv[1:2] == ["migrate"]:
        return []
    try:
        changed = list(in_use.definitions_changed())
    except (DatabaseError, instruments.DefinitionError):  # the latter is E003
        return []
    hint = "Put the file back as it was, and give the changed one a new version."
    return [checks.Error(text, hint=hint, id="trial.E005") for text in changed]


def mark_can_be_kept(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """E006: the folder of the high-water mark is writable, or a restored backup would go unnoticed (9.15)."""
    if marks.can_be_kept():
        return []
    hint = "Set HIGH_WATER_FILE to a file in a folder that is writable and lies outside the database's backups."
    return [checks.Error("The high-water mark of the randomisation cannot be written.", hint=hint, id="trial.E006")]


def register() -> None:
    """Make Django run these checks."""
    checks.register(urls_name_a_permission, "urls_permissions")
    checks.register(audited_tables_keep_history, checks.Tags.models)
    checks.register(instruments_load, "instruments")
    checks.register(triggers_are_installed, "triggers")
    checks.register(definitions_are_unchanged, "instruments")
    checks.register(mark_can_be_kept, "randomisation")
