"""participants: one row for each person who consented."""

from collections.abc import Iterator, Mapping
from typing import Any

from exports.datasets import records
from exports.datasets.common import (
    SITE,
    SUBJID,
    YES_NO,
    TableSource,
    code,
    coding,
    day,
    flag,
    identifier,
    integer,
    iso,
    text_codes,
    yes_no,
)
from exports.datasets.definition import Definition
from exports.datasets.snapshot import Person, Snapshot
from exports.model import Level, Row, Source, Table, Variable
from trial.participants.models import Referral, Status
from trial.participation.rules import stopped
from trial.protocol import rules as protocol_rules
from trial.screening.models import Eligibility

SEX = coding("sex", (1, "female", "Female"), (2, "male", "Male"), (3, "other", "Another"), (9, "unknown", "Not known"))
REFERRAL_SOURCE = coding(
    "referral_source",
    (1, "gp_practice", "GP practice"),
    (2, "link_worker", "Link worker"),
    (3, "mental_health_team", "Mental health team"),
    (4, "self", "Self-referral"),
    (5, "voluntary", "Voluntary organisation"),
)
_BEFORE = (
    (1, Status.CONSENTED.value, "Consented"),
    (2, Status.SCREEN_FAILED.value, "Not eligible"),
    (3, Status.ELIGIBLE.value, "Eligible"),
    (4, Status.BASELINE_DONE.value, "Baseline done"),
    (5, Status.WITHDRAWN_BEFORE_RANDOMISATION.value, "Left before randomisation"),
)
_AFTER = ((9, Status.COMPLETED.value, "Completed"), (10, Status.ENDED_EARLY.value, "Ended early"))
STATUS = coding("status", *_BEFORE, (6, Status.RANDOMISED.value, "Randomised, follow-up going on"), *_AFTER)
JOURNEY_STATUS = coding(
    "journey_status",
    *_BEFORE,
    (6, Status.RANDOMISED.value, "Randomised"),
    (7, Status.IN_ACTIVITY.value, "In activity"),
    (8, Status.FOLLOW_UP.value, "Follow-up"),
    *_AFTER,
)
ONGOING = frozenset({Status.IN_ACTIVITY, Status.FOLLOW_UP})
"""When an activity starts and ends may differ between arms, so the blinded status does not tell these apart."""
ELIGIBILITY = coding("eligibility", (0, "open", "Not decided"), (1, "met", "Eligible"), (2, "failed", "Not eligible"))


def source(definition: Definition) -> TableSource:
    """The table."""
    factors = _factors(definition)
    table = Table(
        name="participants",
        label="People who consented",
        row="a person who consented, randomised or not",
        key=("subjid",),
        variables=(*_about(), *_state(), *(variable for variable, _ in factors.values()), *_allocated()),
    )

    def rows(snapshot: Snapshot) -> Iterator[Row]:
        for ids, people in snapshot.batches():
            batch = _Batch(snapshot, ids, people, list(factors))
            yield from (batch.row(person) for person in people)

    lists = (YES_NO, SEX.codelist, REFERRAL_SOURCE.codelist, STATUS.codelist, JOURNEY_STATUS.codelist)
    levels = (
        ELIGIBILITY.codelist,
        definition.preferences,
        definition.arms,
        text_codes("participation_level", _levels(definition)),
        *(codes for _, codes in factors.values()),
    )
    return TableSource(table, rows, (*lists, *levels))


def _about() -> tuple[Variable, ...]:
    return (
        SUBJID,
        SITE,
        code("referral_source", "REFSRC", "Who referred the person", "referral_source"),
        day("referred_date", "REFDT", "Day on which the referral was received"),
        code(
            "pref_arm",
            "PREFARM",
            "Preference stated before randomisation, by place in the protocol",
            "preference",
            short_label="Stated preference",
        ),
        day("consent_date", "CONSDT", "Day of consent", source=Source.ASSIGNED),
        integer("age", "AGE", "Age at consent", unit="years", source=Source.DERIVED, min=0, max=130),
        code("sex", "SEX", "Sex as stated in the referral", "sex"),
        identifier(
            "protocol_version", "PROTVER", "Version of the protocol at referral", short_label="Protocol version"
        ),
    )


def _state() -> tuple[Variable, ...]:
    return (
        code(
            "status",
            "STATUS",
            "Status on the last day of the data",
            "status",
            source=Source.DERIVED,
            derivation="Last transition in effect by the last day of the data; activity and follow-up count as one.",
        ),
        code(
            "journey_status",
            "JSTATUS",
            "Status on the last day of the data, activity told apart",
            "journey_status",
            short_label="Status, activity told apart",
            source=Source.DERIVED,
            reveals_allocation=True,
        ),
        code(
            "participation_level",
            "PARTLVL",
            "Elements stopped by the last day of the data",
            "participation_level",
            short_label="Elements stopped",
            level=Level.ORDINAL,
            source=Source.DERIVED,
            derivation="The protocol's shorthand for the elements that were off (BR-60); blank: none, or no shorthand.",
        ),
        yes_no("died", "DIED", "Died by the last day of the data", source=Source.DERIVED),
        day("death_date", "DEATHDT", "Day of death"),
        code("eligibility", "ELIG", "Outcome of the eligibility assessment", "eligibility"),
        day("eligibility_date", "ELIGDT", "Day of the eligibility assessment"),
    )


def _allocated() -> tuple[Variable, ...]:
    return (
        yes_no("randomised", "RANDFL", "Randomised by the last day of the data", source=Source.DERIVED),
        day("randomisation_date", "RANDDT", "Day of randomisation (day 0)", source=Source.ASSIGNED),
        code("arm", "ARM", "Arm the person was randomised to", "arm", source=Source.ASSIGNED, reveals_allocation=True),
    )


def _factors(definition: Definition) -> dict[str, tuple[Variable, Any]]:
    """Stratification factors of every version by code: the variable and its code list."""
    found: dict[str, tuple[Variable, Any]] = {}
    for spec in definition.specs.values():
        for number, factor in enumerate(spec.randomisation.factors, start=1):
            name = f"strat_{factor.code.replace('-', '_')}"
            codes = text_codes(name, [(level.code, level.label) for level in factor.levels])
            label = f"Stratum at randomisation: {factor.label}"
            given = {"short_label": f"Stratum: {factor.label}", "source": Source.DERIVED, "level": Level.ORDINAL}
            derivation = "Fixed when eligibility was signed (BR-24); later corrections do not change it."
            found[factor.code] = (
                code(name, f"STRAT{number}", label, name, derivation=derivation, **given),
                codes,
            )
    return found


def _levels(definition: Definition) -> Iterator[tuple[str, str]]:
    for spec in definition.specs.values():
        yield from ((level.code, level.label) for level in spec.participation_levels)


class _Batch:
    """Some people with what their rows need."""

    def __init__(self, snapshot: Snapshot, ids: list[int], people: list[Person], factors: list[str]) -> None:
        self.snapshot, self.factors = snapshot, factors
        self.changes = records.changes(snapshot, ids)
        self.statuses = records.statuses(snapshot, [person.referral for person in people])
        self.referrals = self._referrals([person.referral for person in people])
        self.eligibility = self._eligibility(ids)

    def _referrals(self, ids: list[int]) -> dict[int, dict[str, Any]]:
        rows = Referral.objects.using(self.snapshot.using).filter(pk__in=ids)
        columns = (
            "pk",
            "source_type",
            "received_date",
            "arm_preference",
            "sex",
            "protocol_version_id",
            "participant__age_at_consent",
        )
        return {row["pk"]: row for row in rows.values(*columns)}

    def _eligibility(self, ids: list[int]) -> dict[int, tuple[str, Any, Mapping[str, str]]]:
        rows = Eligibility.objects.using(self.snapshot.using).filter(
            participant__in=ids, assessed_date__lte=self.snapshot.through
        )
        return {pk: rest for pk, *rest in rows.values_list("participant_id", "outcome", "assessed_date", "strata")}  # type: ignore[misc]

    def row(self, person: Person) -> Row:
        referral = self.referrals[person.referral]
        outcome, assessed, strata = self.eligibility.get(person.pk, ("", None, {}))
        status = self.statuses[person.referral].status
        spec = self.snapshot.definition.specs[referral["protocol_version_id"]]
        preferences = {"none": 0} | {arm.code: n for n, arm in enumerate(spec.arms, start=1)}
        off = stopped(self.changes.get(person.pk, ()), self.snapshot.through)
        level = protocol_rules.participation_level(spec, off)
        return [
            person.study_id,
            person.site,
            REFERRAL_SOURCE.code(referral["source_type"]),
            iso(referral["received_date"]),
            preferences.get(referral["arm_preference"]),
            iso(person.consented),
            referral["participant__age_at_consent"],
            SEX.code(referral["sex"]),
            spec.protocol.version,
            STATUS.code(Status.RANDOMISED if status in ONGOING else status),
            JOURNEY_STATUS.code(status),
            level.code if level else None,
            flag(person.died is not None),
            iso(person.died),
            ELIGIBILITY.code(outcome),
            iso(assessed),
            *(strata.get(factor) for factor in self.factors),
            flag(person.randomised is not None),
            iso(person.randomised),
            self.snapshot.arms[person.pk] if person.randomised else None,
        ]
