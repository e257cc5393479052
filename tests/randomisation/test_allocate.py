from collections import Counter
from datetime import UTC, date, datetime

import pytest
from cryptography.fernet import Fernet
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from randomisation.arms import reveal_arm
from randomisation.checking import verify_event_log, verify_list
from randomisation.drafts import create_scheme
from randomisation.errors import NotAllocated, ParametersRefused, Refusal
from randomisation.growth import extend
from randomisation.models import Allocation, AllocationMember, SealedRow, StratumCursor
from randomisation.preconditions import preconditions
from randomisation.states import close_scheme, open_scheme, pause_scheme
from randomisation.unsealed import unseal
from tests.randomisation.conftest import ARMS, AT, LOCKED_AT, OPENED_AT
from tests.randomisation.life import lock_scheme
from tests.randomisation.people import make_participant
from trial.base.triggers import lifted


def assert_nothing_used(scheme):
    """No allocation, no position, no number was used up."""
    scheme.refresh_from_db()
    assert scheme.next_seq == 1
    assert not Allocation.objects.exists()
    assert not AllocationMember.objects.exists()
    assert set(StratumCursor.objects.values_list("next_position", flat=True)) <= {1}


def last_event(scheme):
    return scheme.events.order_by("n").last()


# --- the way it goes -----------------------------------------------------------------------------------


def test_allocate_uses_the_next_row_of_the_stratum(scheme, open_revision, give):
    sites = ["01", "02", "01", "01", "02"]

    outcomes = [give(levels={"site": site}) for site in sites]

    places = [(o.allocation.seq, o.allocation.stratum_key, o.allocation.position) for o in outcomes]
    assert places == [
        (1, "site=01", 1),
        (2, "site=02", 1),
        (3, "site=01", 2),
        (4, "site=01", 3),
        (5, "site=02", 2),
    ]
    assert all(outcome.created for outcome in outcomes)
    assert verify_list(scheme) == 0
    assert verify_event_log(scheme) is None


def test_the_arms_given_are_those_of_the_list(scheme, open_revision, give, user):
    unsealed = unseal(open_revision)
    expected = unsealed.list_arms(purpose="list", key="site=01", n_rows=8)

    allocations = [give().allocation for _ in range(8)]

    given = [ARMS.index(reveal_arm(a, by=user, at=AT, reason="Test")) for a in allocations]
    assert given == expected[:8]


def test_an_allocation_keeps_what_was_true_when_it_was_made(scheme, open_revision, give, user):
    participant = make_participant()

    allocation = give(participant, key="page-1").allocation

    allocation.refresh_from_db()
    assert allocation.unit == participant.study_id
    assert allocation.factors == {"site": "01"}
    assert (allocation.by, allocation.site, allocation.at) == (user, "01", AT)
    assert allocation.engine_version == "trial-randomisation/1"
    assert allocation.software_version == "0.1.0"
    assert allocation.request_key == "page-1"
    assert [m.participant for m in allocation.members.all()] == [participant]


def test_the_log_entry_names_place_and_token_but_no_participant(scheme, open_revision, give):
    outcome = give()

    event = last_event(scheme)
    assert event.digest == outcome.digest
    assert event.seq == 1
    assert event.facts == {
        "members": [{"site": "01"}],
        "position": 1,
        "purpose": "list",
        "revision": 1,
        "site": "01",
        "source": "online",
        "stratum": "site=01",
    }
    assert outcome.allocation.unit not in event.entry


def test_a_scheme_without_factors_has_one_list(give, user, approvers):
    sub = create_scheme(code="sub", name="Sub-study")
    parameters = {"arms": ARMS, "ratio": [2, 1], "method": "simple", "factors": []}
    lock_scheme(scheme=sub, parameters=parameters, rows_per_stratum=5, approvers=approvers, by=user, at=LOCKED_AT)
    open_scheme(scheme=sub, by=user, at=OPENED_AT)

    allocation = give(scheme=sub, levels={}).allocation

    assert allocation.stratum_key == "all"
    assert verify_list(sub) == 0


def test_the_caller_writes_in_the_same_transaction(scheme, open_revision, give):
    seen = []

    give(after_allocate=lambda allocation: seen.append((allocation.seq, scheme.events.count())))

    assert seen == [(1, 3)]


def test_a_failure_of_the_callers_writing_undoes_the_allocation(scheme, open_revision, give):
    def fail(allocation):
        raise RuntimeError("The outbox is full.")

    with pytest.raises(RuntimeError, match="outbox"):
        give(after_allocate=fail)

    assert_nothing_used(scheme)
    assert last_event(scheme).event == "open"


# --- again ---------------------------------------------------------------------------------------------


def test_the_same_request_returns_the_same_allocation(scheme, open_revision, give):
    participant = make_participant()

    first = give(participant, key="page-1")
    again = give(participant, key="page-1")

    assert again.allocation == first.allocation
    assert (first.created, again.created) == (True, False)
    assert again.digest == first.digest
    assert Allocation.objects.count() == 1


def test_another_page_for_the_same_unit_returns_the_same_allocation(scheme, open_revision, give):
    participant = make_participant()
    first = give(participant)

    again = give(participant, levels={"site": "02"})

    assert again.allocation == first.allocation
    assert not again.created
    assert last_event(scheme).event == "allocate"


def test_an_allocated_unit_is_answered_after_the_scheme_is_closed(scheme, open_revision, give, user):
    participant = make_participant()
    first = give(participant)
    close_scheme(scheme=scheme, reason="Target reached", by=user, at=AT)

    again = give(participant)

    assert again.allocation == first.allocation


def test_a_request_key_of_another_unit_is_refused(scheme, open_revision, give):
    give(key="page-1")

    with pytest.raises(NotAllocated, match="somebody else") as refused:
        give(key="page-1")

    assert refused.value.codes == ["E_REQUEST_KEY"]
    assert Allocation.objects.count() == 1


def test_a_failed_attempt_meets_the_same_row_when_it_is_repeated(scheme, open_revision, give, user):
    expected = unseal(open_revision).list_arms(purpose="list", key="site=01", n_rows=1)[0]
    with pytest.raises(NotAllocated):
        give(check=lambda request: [Refusal("E_CONSENT", "Consent is missing.")])

    allocation = give().allocation

    assert allocation.position == 1
    assert reveal_arm(allocation, by=user, at=AT, reason="Test") == ARMS[expected]


# --- refusals, each with its code ----------------------------------------------------------------------


@pytest.mark.parametrize("stop", ["locked", "paused", "closed"])
def test_a_scheme_that_is_not_open_allocates_nobody(scheme, lock, give, user, stop):
    lock()
    if stop != "locked":
        open_scheme(scheme=scheme, by=user, at=OPENED_AT)
        {"paused": pause_scheme, "closed": close_scheme}[stop](scheme=scheme, reason="Why", by=user, at=AT)

    with pytest.raises(NotAllocated, match="Randomisation is not open") as refused:
        give()

    assert refused.value.codes == ["E_SCHEME_STATE"]
    assert_nothing_used(scheme)
    assert last_event(scheme).facts == {"codes": ["E_SCHEME_STATE"], "site": "01"}


def test_a_scheme_with_nothing_locked_refuses_and_has_no_log_yet(scheme, give):
    with pytest.raises(NotAllocated) as refused:
        give()

    assert refused.value.code == "E_SCHEME_STATE"
    assert not scheme.events.exists()


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        (datetime(2026, 3, 28, 23, 59, tzinfo=UTC), False),
        (datetime(2026, 3, 29, 0, 0, tzinfo=UTC), True),  # clocks go forward this night
        (datetime(2026, 4, 30, 22, 59, tzinfo=UTC), True),
        (datetime(2026, 4, 30, 23, 0, tzinfo=UTC), False),  # 1 May in London
    ],
)
def test_the_dates_of_a_scheme_are_local_days_both_included(scheme, open_revision, give, at, is_open):
    scheme.opens_date, scheme.closes_date = date(2026, 3, 29), date(2026, 4, 30)
    scheme.save()

    found = preconditions(scheme=scheme, members=[{"site": "01"}], participant_ids=[], site="01", at=at)

    assert [refusal.code for refusal in found] == ([] if is_open else ["E_SCHEME_STATE"])


def test_the_ceiling_of_a_scheme_is_not_exceeded(scheme, open_revision, give):
    scheme.ceiling = 1
    scheme.save()
    give()

    with pytest.raises(NotAllocated) as refused:
        give()

    assert refused.value.codes == ["E_TARGET"]


@pytest.mark.parametrize("levels", [{}, {"site": "03"}, {"site": ""}, {"centre": "01"}, {"site": "01", "age": "u65"}])
def test_every_factor_must_have_one_of_its_levels(scheme, open_revision, give, levels):
    with pytest.raises(NotAllocated) as refused:
        give(levels=levels)

    assert refused.value.codes == ["E_FACTORS"]
    assert_nothing_used(scheme)


@pytest.mark.parametrize("place", [0, 1])
def test_whoever_approved_the_lock_randomises_nobody(scheme, open_revision, give, approvers, place):
    with pytest.raises(NotAllocated, match="may not randomise") as refused:
        give(by=approvers[place])

    assert refused.value.codes == ["E_SITE_CLOSED"]
    assert_nothing_used(scheme)


def test_whoever_configured_the_scheme_randomises_nobody(scheme, open_revision, give):
    with pytest.raises(NotAllocated, match="may not randomise"):
        give(by=open_revision.configured_by)

    assert_nothing_used(scheme)


def test_a_participant_is_not_allocated_under_another_unit(scheme, open_revision, give):
    participant = make_participant()
    give(participant)

    with pytest.raises(NotAllocated) as refused:
        give(participant, unit="household-1")

    assert refused.value.codes == ["E_DUPLICATE"]


def test_an_exhausted_list_fails_closed_until_it_is_extended(scheme, open_revision, give, user, approvers):
    n_rows = StratumCursor.objects.get(key="site=01").n_rows
    for _ in range(n_rows):
        give()

    with pytest.raises(NotAllocated) as refused:
        give()
    extend(scheme=scheme, rows_per_stratum=n_rows + 1, approvers=approvers, by=user, at=AT)
    allocation = give().allocation

    assert refused.value.codes == ["E_LIST_EXHAUSTED"]
    assert str(n_rows) not in refused.value.text
    assert allocation.position == n_rows + 1
    assert verify_list(scheme) == 0


@pytest.mark.parametrize("keys", [[], [Fernet.generate_key().decode()]])
def test_without_its_key_a_copied_database_allocates_nobody(scheme, open_revision, give, settings, keys):
    settings.SEALING_KEYS = keys

    with pytest.raises(NotAllocated) as refused:
        give()

    assert refused.value.codes == ["E_SEAL_KEY"]
    assert_nothing_used(scheme)


def test_all_failures_are_shown_together(scheme, open_revision, give, settings):
    settings.SEALING_KEYS = []
    consent = Refusal("E_CONSENT", "Consent is missing.")

    with pytest.raises(NotAllocated, match="Consent is missing") as refused:
        give(levels={}, check=lambda request: [consent])

    assert refused.value.codes == ["E_FACTORS", "E_SEAL_KEY", "E_CONSENT"]
    assert last_event(scheme).facts["codes"] == refused.value.codes


def test_the_callers_preconditions_are_asked_after_the_lock(scheme, open_revision, give):
    asked_in_transaction = []

    give(check=lambda request: asked_in_transaction.append(connection.in_atomic_block) or [])

    assert asked_in_transaction == [True]


@pytest.mark.parametrize(
    "changes",
    [{"unit": "a|b"}, {"key": ""}, {"key": "x" * 65}, {"site": "ŷ"}, {"members": []}],
)
def test_what_cannot_be_recorded_is_refused_at_once(scheme, open_revision, give, changes):
    with pytest.raises(ParametersRefused):
        give(**changes)

    assert_nothing_used(scheme)


# --- tampering: fail closed (randomisation.md 13.13) ---------------------------------------------------


def tamper(position, **changes):
    with lifted(connection):
        SealedRow.objects.filter(key="site=01", position=position).update(**changes)


def test_swapped_rows_are_refused(scheme, open_revision, give):
    first, second = (SealedRow.objects.get(key="site=01", position=p).token for p in (1, 2))
    tamper(1, token=second)
    tamper(2, token=first)

    with pytest.raises(NotAllocated) as refused:
        give()

    assert refused.value.codes == ["E_SEAL_CONTEXT"]
    assert_nothing_used(scheme)


def test_an_altered_row_is_refused(scheme, open_revision, give):
    token = SealedRow.objects.get(key="site=01", position=1).token
    tamper(1, token=token[:50] + ("A" if token[50] != "A" else "B") + token[51:])

    with pytest.raises(NotAllocated) as refused:
        give()

    assert refused.value.codes == ["E_SEAL_CONTEXT"]
    assert_nothing_used(scheme)


def test_a_row_sealed_again_with_another_arm_pauses_the_scheme(scheme, open_revision, give, caplog):
    unsealed = unseal(open_revision)
    context = unsealed.context(purpose="list", key="site=01", position=1)
    arm = unsealed.open_row(SealedRow.objects.get(key="site=01", position=1))
    tamper(1, token=unsealed.seal.seal_arm(1 - arm, context))

    with pytest.raises(NotAllocated) as refused:
        give()

    assert refused.value.codes == ["E_LIST_MISMATCH"]
    assert_nothing_used(scheme)
    assert scheme.state == "paused"
    assert [e.event for e in scheme.events.order_by("n")] == ["lock", "open", "refused", "pause"]
    assert [record.levelname for record in caplog.records] == ["CRITICAL"]
    assert not any(arm in caplog.text + str(refused.value) for arm in ARMS)
    assert verify_event_log(scheme) is None


@pytest.mark.parametrize("position", [2, None])
def test_a_moved_or_missing_start_of_a_block_is_refused(scheme, open_revision, give, position):
    other = SealedRow.objects.filter(key="site=01", position=position).first()
    tamper(1, resume_sealed=other.resume_sealed if other else "")

    with pytest.raises(NotAllocated) as refused:
        give()

    assert refused.value.codes == ["E_SEAL_CONTEXT"]
    assert scheme.state == "paused"
    assert_nothing_used(scheme)


def test_an_allocation_asks_the_database_as_often_late_as_early(scheme, lock, give, user):
    lock(rows_per_stratum=40)
    open_scheme(scheme=scheme, by=user, at=OPENED_AT)
    people = [make_participant() for _ in range(30)]
    n_queries = []

    for person in people:
        with CaptureQueriesContext(connection) as queries:
            give(person)
        n_queries.append(len(queries))

    assert set(n_queries[1:]) == {n_queries[-1]}


def test_a_missing_row_pauses_the_scheme(scheme, open_revision, give):
    with lifted(connection):
        SealedRow.objects.filter(key="site=01", position=1).delete()

    with pytest.raises(NotAllocated) as refused:
        give()

    assert refused.value.codes == ["E_LIST_MISMATCH"]
    assert scheme.state == "paused"
    assert_nothing_used(scheme)


@pytest.mark.parametrize("field", ["secret_sealed", "params_sealed", "commitment"])
def test_an_altered_revision_is_refused(scheme, open_revision, give, field):
    with lifted(connection):
        values = {"secret_sealed": open_revision.params_sealed, "params_sealed": open_revision.secret_sealed}
        scheme.revisions.update(**{field: values.get(field, "0" * 64)})

    with pytest.raises(NotAllocated) as refused:
        give()

    assert refused.value.codes == ["E_SEAL_CONTEXT"]
    assert_nothing_used(scheme)


# --- busy ----------------------------------------------------------------------------------------------


class DriverError(Exception):
    """What a database driver raises, with its SQLSTATE."""

    def __init__(self, sqlstate):
        super().__init__("busy")
        self.sqlstate = sqlstate


def raise_busy(sqlstate="40001"):
    if connection.vendor == "sqlite":
        raise OperationalError("database is locked")
    raise OperationalError("busy") from DriverError(sqlstate)


def test_a_database_that_stays_busy_is_given_up_politely(scheme, open_revision, give):
    attempts = []

    def busy(request):
        attempts.append(1)
        raise_busy()

    with pytest.raises(NotAllocated, match="Too many people") as refused:
        give(check=busy)

    assert refused.value.codes == ["E_BUSY"]
    assert len(attempts) == 4
    assert_nothing_used(scheme)
    assert last_event(scheme).event == "open"


def test_a_lost_race_is_run_again(scheme, open_revision, give):
    attempts = []

    def busy_once(request):
        attempts.append(1)
        if len(attempts) == 1:
            raise_busy("40P01")
        return []

    outcome = give(check=busy_once)

    assert outcome.created
    assert len(attempts) == 2


@pytest.mark.only_postgresql
def test_a_lock_timeout_is_not_waited_for_again(scheme, open_revision, give):
    attempts = []

    def timed_out(request):
        attempts.append(1)
        raise_busy("55P03")

    with pytest.raises(NotAllocated) as refused:
        give(check=timed_out)

    assert refused.value.codes == ["E_BUSY"]
    assert len(attempts) == 1


def test_a_refusal_stands_when_it_cannot_be_logged(scheme, open_revision, give, caplog):
    def refuse_log(execute, sql, *arguments):
        if sql.startswith("INSERT") and "eventlog" in sql:
            raise_busy()
        return execute(sql, *arguments)

    with connection.execute_wrapper(refuse_log), pytest.raises(NotAllocated) as refused:
        give(levels={})

    assert refused.value.codes == ["E_FACTORS"]
    assert "could not be logged: E_FACTORS" in caplog.text


def test_another_database_error_is_not_hidden(scheme, open_revision, give):
    def broken(request):
        raise OperationalError("disk I/O error")

    with pytest.raises(OperationalError, match="disk"):
        give(check=broken)

    assert_nothing_used(scheme)


def test_allocate_insists_on_a_transaction_of_its_own(scheme, give):
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        give()


# --- balance -------------------------------------------------------------------------------------------


def test_a_full_list_holds_the_ratio(scheme, open_revision, give, user):
    allocations = [give().allocation for _ in range(StratumCursor.objects.get(key="site=01").n_rows)]

    arms = Counter(reveal_arm(a, by=user, at=AT, reason="Test") for a in allocations)

    assert arms[ARMS[0]] == arms[ARMS[1]]
