"""Guards of the tables that lead to a lock, of exceptions and of requests: each is tried (randomisation.md 8.2, 9, 10)."""

import pytest
from django.db import IntegrityError, connection, transaction

from randomisation import proposals
from randomisation.exceptions import correct, flag
from randomisation.growth import add_level
from randomisation.locks import TWO_TEXTS, add_contribution_part
from randomisation.models import (
    AcceptanceSignature,
    AddedLevel,
    AllocationFlag,
    AllocationMember,
    Approval,
    CodeBreak,
    ContributionPart,
    DraftDocument,
    EnvelopeCount,
    EnvelopePrint,
    EventLog,
    FactorCorrection,
    Placement,
    Proposal,
    Revision,
    SchemeSite,
    SealedMargins,
)
from tests.randomisation.conftest import PARAMETERS
from tests.randomisation.life import AT, LOCKED_AT, Study, ready_revision
from tests.randomisation.people import make_participant, make_user
from tests.randomisation.test_methods import PEOPLE, minimised
from tests.randomisation.test_models import delete, insert, refused, update
from trial.base import triggers

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    """A scheme with one row in every table of the randomisation."""
    study = Study()
    study.lock({**minimised(), "contribution_source": TWO_TEXTS, "backup_block_sizes": [4]}, backup_rows=4)
    first = study.scheme.revisions.get()
    for part in (1, 2):
        add_contribution_part(revision=first, part=part, text=f"text {part}", by=make_user(), at=AT)
    study.open()
    allocation = study.give(PEOPLE[0])
    study.start(minimised())
    people = {"by": study.user, "approver": make_user(), "at": AT}
    flag(allocation=allocation, category="error", excludes=False, reason="Why", **people)
    correct(allocation=allocation, members=[PEOPLE[1]], reason="Why", **people)
    add_level(scheme=study.scheme, factor="site", level="03", approvers=study.approvers, by=study.user, at=AT)
    SchemeSite.objects.create(scheme=study.scheme, site="01")
    EnvelopePrint.objects.create(revision=first, key="site=01", n_envelopes=4, by=study.user, at=AT)
    EnvelopeCount.objects.create(revision=first, key="site=01", n_unopened=4, n_expected=4, by=study.user, at=AT)
    facts = {"category": "emergency", "who_knows": "The duty clinician"}
    broken = ask(study, proposals.CODE_BREAK, facts, allocation)
    proposals.approve(proposal=broken, by=make_user(), at=AT)
    return study


def ask(study, kind=proposals.EXTEND, facts=None, allocation=None):
    return proposals.ask(
        scheme=study.scheme,
        kind=kind,
        facts=facts or {"rows_per_stratum": 40},
        reason="Why",
        by=study.user,
        at=AT,
        allocation=allocation,
    )


APPEND_ONLY = [
    AcceptanceSignature,
    AddedLevel,
    AllocationFlag,
    Approval,
    CodeBreak,
    ContributionPart,
    DraftDocument,
    EnvelopeCount,
    EnvelopePrint,
    FactorCorrection,
    Placement,
]


@pytest.mark.parametrize("model", APPEND_ONLY)
def test_rows_of_record_are_neither_changed_nor_deleted(study, model):
    row = model.objects.order_by("pk").first()
    field = model._meta.concrete_fields[1].attname

    with refused("append-only"):
        update(row, **{field: getattr(row, field)})
    with refused("append-only"):
        delete(row)


@pytest.mark.parametrize("model", [SchemeSite, SealedMargins, Proposal])
def test_rows_that_move_on_are_never_deleted(study, model):
    with refused("never deleted"):
        delete(model.objects.first())


CLASHES = [
    (AddedLevel, {}),
    (AllocationFlag, {}),
    (Approval, {}),
    (ContributionPart, {}),
    (ContributionPart, {"part": 3}),
    (EnvelopePrint, {}),
    (Placement, {}),
    (SchemeSite, {}),
    (SchemeSite, {"site": "02", "state": "gone"}),
    (CodeBreak, {}),
    (SealedMargins, {}),
    (AcceptanceSignature, {}),
    (EnvelopeCount, {"n_unopened": 3}),
    (FactorCorrection, {"reason": ""}),
    (AllocationFlag, {"category": "ineligible", "reason": ""}),
    (AllocationFlag, {"category": "ineligible", "excludes": True}),
    (Proposal, {"reason": ""}),
    (Proposal, {"state": "asked"}),
    (Proposal, {"ended_at": None}),
]


@pytest.mark.parametrize(("model", "changes"), CLASHES)
def test_a_row_outside_the_rules_is_refused(study, model, changes):
    with pytest.raises(IntegrityError):
        insert(model.objects.order_by("pk").last(), **changes)


@pytest.mark.parametrize(
    ("model", "other"),
    [(AllocationFlag, "by_id"), (FactorCorrection, "by_id")],
)
def test_an_exception_is_by_two_people(study, model, other):
    row = model.objects.first()

    with pytest.raises(IntegrityError):
        insert(row, **{other: row.approved_by_id, **({"category": "ineligible"} if model is AllocationFlag else {})})


def test_a_person_is_excluded_once(study):
    row = AllocationFlag.objects.get()
    insert(row, category="duplicate", excludes=True)

    with pytest.raises(IntegrityError):
        insert(row, category="duplicate", excludes=True)


def test_a_code_is_broken_by_two_people_who_say_who_knows(study):
    broken = CodeBreak.objects.get()
    proposal = ask(study)

    with pytest.raises(IntegrityError):
        insert(broken, proposal_id=proposal.pk, authorised_by_id=broken.requested_by_id)
    with pytest.raises(IntegrityError):
        insert(broken, proposal_id=proposal.pk, who_knows="")


@pytest.mark.parametrize("part", [1, 2])
def test_one_person_gives_one_text(study, part):
    first, second = ContributionPart.objects.order_by("part")
    with triggers.lifted(connection):
        delete({1: second, 2: first}[part])

    with pytest.raises(IntegrityError):
        insert({1: first, 2: second}[part], part=3 - part)


@pytest.mark.parametrize(
    ("event", "approvers"),
    [
        *((event, 1) for event in ("lock", "extend", "add_level", "reveal")),
        *((event, 0) for event in ("flag", "exclude", "correct", "backup", "recovered", "code_break")),
    ],
)
def test_an_entry_has_the_people_it_takes(study, event, approvers):
    newest = study.scheme.events.last()
    people = {"first_approver_id": make_user().pk if approvers else None, "second_approver_id": None}

    with pytest.raises(IntegrityError):
        insert(newest, n=newest.n + 1, event=event, **people)


def test_nobody_is_the_second_person_of_their_own_exception(study):
    entry = EventLog.objects.get(event="flag")

    with pytest.raises(IntegrityError):
        insert(entry, n=99, first_approver_id=entry.actor_id)


@pytest.mark.parametrize("changes", [{"site": "09"}, {"scheme_id": None}])
def test_the_row_of_a_site_keeps_its_site(study, changes):
    with pytest.raises(IntegrityError):
        update(SchemeSite.objects.get(), **changes)


def test_a_closed_site_stays_closed(study):
    row = SchemeSite.objects.get()
    update(row, state="closed")

    with refused("stays closed"):
        update(row, state="open")


def test_a_ceiling_is_only_raised(study):
    update(study.scheme, ceiling=5)

    with refused("only raised"):
        update(study.scheme, ceiling=4)
    update(study.scheme, ceiling=6)


def test_margins_only_move_forward(study):
    row = SealedMargins.objects.order_by("pk").last()

    for changes in ({"n": row.n}, {"n": row.n - 1}, {"revision_id": Revision.objects.get(number=1).pk, "n": row.n + 1}):
        with pytest.raises(IntegrityError):
            update(row, **changes)


@pytest.mark.parametrize("field", ["kind", "facts", "reason", "asked_by_id", "asked_at", "site", "allocation_id"])
def test_what_was_asked_for_never_changes(study, field):
    proposal = ask(study)
    values = {"kind": "reveal", "facts": {}, "reason": "Other", "asked_by_id": make_user().pk, "asked_at": LOCKED_AT}
    values |= {"site": "02", "allocation_id": study.scheme.allocations.get().pk}

    with refused("never changes"):
        update(proposal, **{field: values[field]})


def test_a_request_is_done_only_after_somebody_approved_it_and_stays_decided(study):
    proposal = ask(study)

    with refused("before somebody else approves"):
        update(proposal, state="done", ended_at=AT)
    update(proposal, state="refused", ended_at=AT)
    with refused("stays decided"):
        update(proposal, state="asked", ended_at=None)


def test_an_approval_is_by_somebody_else_while_the_request_waits(study):
    proposal = ask(study)
    given = {"proposal": proposal, "at": AT, "approves": True}

    with refused("what they asked for"):
        Approval.objects.create(by=study.user, **given)


def test_a_decided_request_takes_no_approval_and_a_refusal_says_why(study):
    waiting, decided = ask(study), ask(study, facts={"rows_per_stratum": 50})
    update(decided, state="withdrawn", ended_at=AT)

    with refused("has been decided"), transaction.atomic():
        Approval.objects.create(proposal=decided, by=make_user(), at=AT, approves=True)
    with pytest.raises(IntegrityError):
        insert(Approval.objects.first(), proposal_id=waiting.pk, approves=False, note="")


# --- the people who may not meet in one scheme ---------------------------------------------------------


def test_whoever_randomised_configures_nothing(study):
    with refused("may not configure"):
        insert(
            Revision.objects.last(),
            number=9,
            state="draft",
            configured_by_id=study.user.pk,
            secret_sealed="",
            commitment="",
        )
    draft = ready_revision(scheme=study.scheme, parameters=PARAMETERS, rows_per_stratum=8, at=AT)
    with refused("may not configure"):
        update(draft, configured_by=study.user)


def test_whoever_randomised_approves_no_lock(study):
    entry = EventLog.objects.filter(event="lock").last()

    with refused("may not approve a lock"):
        insert(entry, n=99, first_approver_id=study.user.pk)


def test_whoever_approved_or_configured_randomises_nobody(study):
    allocation = study.scheme.allocations.get()
    free = {"unit": "free", "seq": 99, "request_key": "free"}

    for person in (study.approvers[0].pk, study.approvers[1].pk, Revision.objects.first().configured_by_id):
        with refused("may not randomise"):
            insert(allocation, **free, by_id=person)
    assert insert(allocation, **free, by_id=study.approvers[0].pk, source="backup").pk


def test_a_signature_is_by_another_person_and_under_a_test(study):
    draft = ready_revision(scheme=study.scheme, parameters=PARAMETERS, rows_per_stratum=8, at=AT)
    test = draft.documents.get(kind="acceptance")
    with triggers.lifted(connection):
        delete(test.signature)

    with refused("did not run it"):
        AcceptanceSignature.objects.create(document=test, by=test.by, at=AT)


def test_no_simulation_is_signed(study):
    draft = ready_revision(scheme=study.scheme, parameters=PARAMETERS, rows_per_stratum=8, at=AT)

    with refused("Only an acceptance test"):
        AcceptanceSignature.objects.create(document=draft.documents.get(kind="simulation"), by=make_user(), at=AT)


def test_there_is_one_draft_and_one_revision_in_force(study):
    draft = ready_revision(scheme=study.scheme, parameters=PARAMETERS, rows_per_stratum=8, at=AT)

    with pytest.raises(IntegrityError):
        insert(draft, number=9)
    with pytest.raises(IntegrityError):
        insert(study.scheme.revision_in_force, number=9)


def test_a_revision_passes_through_every_state():
    study = Study()
    revision = study.lock(PARAMETERS)

    for state in ("draft", "tested", "revealed"):
        with pytest.raises(IntegrityError):
            update(revision, state=state)
    study.open()
    with refused("passes through every state"):
        update(revision, state="revealed")


@pytest.mark.parametrize("changes", [{"params_sealed": ""}, {"draft_key_wrapped": ""}, {"secret_sealed": "x"}])
def test_a_draft_has_sealed_parameters_and_no_secret(changes):
    draft = ready_revision(scheme=Study().scheme, parameters=PARAMETERS, rows_per_stratum=8, at=AT)

    with pytest.raises(IntegrityError):
        update(draft, **changes)


def test_a_place_in_a_household_is_taken_once(study):
    member = AllocationMember.objects.get()

    with pytest.raises(IntegrityError):
        insert(member, participant_id=make_participant().pk)


@pytest.mark.parametrize("changes", [{"purpose": "list"}, {"position": 1}])
def test_only_lists_have_positions(study, changes):
    free = {"unit": "free", "seq": 99, "request_key": "free"}

    with pytest.raises(IntegrityError):
        insert(study.scheme.allocations.get(), **free, **changes)
