"""Words for the audit trail: what a table, a field, an item and a value are called. No codes, no JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import models

from trial.access.models import Site, User
from trial.activities.models import ActivityGroup
from trial.assessments.models import Administration
from trial.base.statuses import PARTICIPANT
from trial.consent.models import Consent, DocumentVersion
from trial.journey.history import Change, Row, differing
from trial.journey.history_values import (
    answer_words,
    definition_of,
    inner,
    item_label,
    listed,
    number,
    plain,
    said_in,
    sealed_label,
)
from trial.messages.models import OutboxMessage, Task
from trial.participants.models import Identity, Referral
from trial.participation.models import Element, ParticipationChange
from trial.protocol import rules as protocol_rules
from trial.protocol.models import ProtocolVersion
from trial.protocol.spec import ProtocolSpec
from trial.safety.reads import category_choices
from trial.schedule.models import Visit
from trial.screening.models import Eligibility

NAMED: tuple[type[models.Model], ...] = (User, Site, DocumentVersion, ActivityGroup, ProtocolVersion)
"""Records that a field may point to and that have a name to show."""

TECHNICAL = frozenset(
    {
        "id",
        "key",
        "link",
        "revision",
        "sequence",
        "reasons",
        "scores",
        "n_answered",
        "n_expected",
        "n_attempts",
        "scoring_version",
        "wrapped_key",
        "nhs_number_hash",
        "name_birth_hash",
        "content",
        "content_sha256",
        "first_entered_at",
        "submitted_at",
        "created_at",
        "written_at",
        "recorded_at",
        "status_date",
        "send_after",
        "last_error",
        "instrument",
        "instrument_version",
        "field",
        "entered_by",
        "recorded_by",
        "visit",
        "reveals_arm",
        "checks",
        "counts",
        "options",
        "stored_as",
        "first_opened_at",
        "seconds_active",
        "token_hash",
        "message",
        "self_completion",
        "made_at",
        "last_failed_at",
    }
)
"""Columns that say nothing to a reader, or say again what the sentence says."""

SAID_BY_THE_NAME: dict[type[models.Model], frozenset[str]] = {
    Administration: frozenset({"protocol_version"}),
    Eligibility: frozenset({"protocol_version"}),
    Visit: frozenset({"protocol_version", "code", "number"}),
    Task: frozenset({"title", "detail", "site", "done_by"}),
    OutboxMessage: frozenset({"heading"}),
}
"""Columns that the name of the record says already."""

CODES = frozenset({"kind", "role"})
"""Columns that are left out where their codes have no words."""

HIDDEN = frozenset({"body", "address"})
"""Free text and addresses, beside every sealed column: that they changed is said, their content is not."""


def is_hidden(name: str) -> bool:
    """Whether a column's content stays out of the trail."""
    return name.endswith("sealed") or name in HIDDEN


@dataclass(frozen=True)
class TrailWords:
    """Words for rows about one protocol.

    Attributes:
        names: names of the records that fields point to, by (model, id).
        visits: (visit code, id of the visit row): which visit a form belongs to.
    """

    spec: ProtocolSpec | None
    names: Mapping[tuple[type[models.Model], Any], str] = field(default_factory=dict)
    visits: Mapping[int, str] = field(default_factory=dict)

    def name(self, row: Row) -> str:
        """What the record is, in words."""
        if row.model is Administration:
            return f"{self._short(row)}, {self._visit(row)}"
        if row.model is Referral:
            return "the referral" if row.kind == "+" else "the record"
        if row.model is Identity:
            return "the contact details"
        if row.model is Visit:
            return f"the visit {self._visit_name(str(row.values['code']))}"
        if row.model is Task:
            return f"the task “{row.values['title']}”"
        if row.model is OutboxMessage:
            return f"the message “{row.values['heading']}”"
        return str(row.model._meta.verbose_name)

    def about(self, row: Row) -> str:
        """A form by its name, everything else by its kind."""
        kinds = (Administration, Referral, Identity)
        return self.name(row) if row.model in kinds else str(row.model._meta.verbose_name)

    def aside(self, before: Row | None, after: Row) -> str:
        """How the first score of a corrected form moved: "The total went from 11 to 12"."""
        if after.model is not Administration or before is None or before.values["status"] != "complete":
            return ""
        definition = definition_of(after)
        old, new = before.values["scores"] or {}, after.values["scores"] or {}
        for score in definition.scores if definition else ():
            was, now = (dict(one.get(score.code) or {}).get("value") for one in (old, new))
            if was != now:
                return f"{score.label.partition(' (')[0]} went from {number(was)} to {number(now)}"
        return ""

    def changes(self, before: Row | None, after: Row) -> list[Change]:
        """Each value that differs, with the words of its field and, in a change, of its record."""
        found = self._found(before, after)
        if before is None or after.model is Referral:
            return found
        if after.model is Task and (before.values["done_at"] is None) != (after.values["done_at"] is None):
            again = after.values["done_at"] is None
            said = f"opened {self.name(after)} again" if again else f"marked {self.name(after)} as done"
            return [Change("done_at", "done", said=said)]
        name = self.name(after)
        return [
            one if one.key.startswith("item:") or one.label == name else replace(one, label=f"{one.label} of {name}")
            for one in found
        ]

    def _found(self, before: Row | None, after: Row) -> list[Change]:
        found: list[Change] = []
        for one in after.model._meta.concrete_fields:
            if _is_left_out(after, one):
                continue
            old = before.values.get(one.attname) if before else None
            new = after.values.get(one.attname)
            if isinstance(one, models.JSONField):
                found += self._inside(one, old, new, before, after)
            elif old != new and (before or new not in (None, "", False)):
                found += self._plain(one, old, new)
        return found

    # -- one field

    def _plain(self, one: models.Field[Any, Any], old: Any, new: Any) -> list[Change]:
        label = str(one.verbose_name)
        if is_hidden(one.name):
            return [Change(one.name, sealed_label(label), hidden=True)]
        if one.is_relation and one.related_model not in NAMED:
            return []
        was, now = self._value(one, old), self._value(one, new)
        return [Change(one.name, label, was, now)] if was != now else []

    def _value(self, one: models.Field[Any, Any], value: Any) -> str:
        if value is None or value == "":
            return ""
        if one.is_relation:
            return self.names.get((one.related_model, value), "another record")  # type: ignore[arg-type]
        if one.model is Referral and one.name == "status":
            return PARTICIPANT[str(value).lower()].word
        if labels := dict(one.flatchoices):
            return str(labels.get(value, value))
        return self._codes(one.name).get(str(value)) or plain(value)

    def _codes(self, name: str) -> dict[str, str]:
        """Labels of the protocol's codes that a column may hold."""
        if self.spec is None:
            return {}
        reasons = self.spec.reasons
        lists: dict[str, Iterable[Any]] = {
            "close_reason": (*reasons.decline, *reasons.withdrawal),
            "not_done_reason": reasons.not_done,
            "missed_reason": reasons.missed_visit,
            "reason_code": reasons.participation_change,
            "absence_reason": reasons.absence,
        }
        if name == "category":
            return dict(category_choices(self.spec))
        if name == "arm_preference":
            return dict(protocol_rules.preference_choices(self.spec))
        labels = {str(one.code): str(one.label) for one in lists.get(name, ())}
        if name == "close_reason":
            labels |= {one.code: one.reason.label for one in self.spec.criteria}
        return labels

    # -- one document of values

    def _inside(self, one: models.Field[Any, Any], old: Any, new: Any, before: Row | None, after: Row) -> list[Change]:
        if after.model is Administration:
            return self._answers(before, after) if one.name == "answers" else []
        if not (isinstance(old, dict | None) and isinstance(new, dict | None)):
            was, now = listed(old), listed(new)
            return [Change(one.name, str(one.verbose_name), was, now)] if was != now else []
        found = differing(old or {}, new or {})
        return [Change(one.name, self._key(after, one, key), inner(was), inner(now)) for key, was, now in found]

    def _key(self, row: Row, one: models.Field[Any, Any], key: str) -> str:
        if row.model is Consent:
            return f"statement {self._statement(key)}"
        if row.model is Eligibility and one.name == "answers":
            return f"criterion {key}"
        if row.model is ParticipationChange and key in Element.values:
            return str(Element(key).label).lower()
        if row.model is Eligibility and self.spec:
            return next((f.label for f in self.spec.randomisation.factors if f.code == key), key)
        return f"{one.verbose_name} {key}"

    def _statement(self, code: str) -> str:
        """The number of a consent statement on its form."""
        forms = self.spec.documents if self.spec else ()
        codes = [[one.code for one in form.statements] for form in forms]
        return next((str(found.index(code) + 1) for found in codes if code in found), code)

    def _answers(self, before: Row | None, after: Row) -> list[Change]:
        """Answers and the reasons for missing ones, item by item, in the words of the instrument."""
        old, new = (said_in(row.values) if row else {} for row in (before, after))
        reasons = after.values.get("reasons") or {}
        was_complete = before is not None and before.values.get("status") == Administration.Status.COMPLETE
        definition = definition_of(after)
        order = [item.code for item in definition.items] if definition else []
        found = sorted(differing(old, new), key=lambda one: order.index(one[0]) if one[0] in order else len(order))
        return [
            Change(
                key=f"item:{code}",
                label=f"{self._short(after)} {item_label(definition, code)}",
                old=answer_words(definition, code, was),
                new=answer_words(definition, code, now),
                reason=str(reasons.get(code, "")) if was_complete else "",
            )
            for code, was, now in found
        ]

    def _short(self, row: Row) -> str:
        code = str(row.values["instrument"])
        try:
            if self.spec:
                return protocol_rules.form_label(self.spec, code)
        except protocol_rules.UnknownCode:
            pass
        definition = definition_of(row)
        return definition.short_title if definition else code

    def _visit(self, row: Row) -> str:
        return self._visit_name(self.visits.get(row.values["visit_id"], ""))

    def _visit_name(self, code: str) -> str:
        try:
            return protocol_rules.visit(self.spec, code).label if self.spec else code
        except protocol_rules.UnknownCode:
            return code


def _is_left_out(row: Row, one: models.Field[Any, Any]) -> bool:
    """Whether a column says nothing to a reader of this record."""
    said = SAID_BY_THE_NAME.get(row.model, frozenset())
    has_no_words = one.name in CODES and not one.flatchoices
    return one.primary_key or one.name in TECHNICAL or one.name in said or has_no_words
