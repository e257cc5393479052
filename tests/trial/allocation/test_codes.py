"""Every code of a refusal is reached from where people randomise, and no other exists (randomisation.md section 7)."""

import re
from pathlib import Path

import pytest
from django.db import OperationalError, connection

from randomisation.allocate import allocate
from randomisation.errors import NotAllocated
from randomisation.models import Scheme, SealedRow, StratumCursor
from randomisation.requests import Member, UnitRequest
from randomisation.states import pause_scheme
from tests.factories import NOW, Trial, answers_with_total, make_user, proof
from trial.allocation import actions
from trial.base.triggers import lifted
from trial.journey import steps
from trial.participants.models import Participant
from trial.review import actions as review
from trial.safety import actions as safety

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

ROOT = Path(__file__).resolve().parents[3]
OTHER_STEPS = {"E_PARAMETERS", "E_LIFE_CYCLE", "E_LATE_ENTRY", "E_PROPOSAL", "E_IMPORT", "E_SIMULATION"}
"""Codes of steps that are no allocation."""


@pytest.fixture
def trial():
    return Trial().open_randomisation()


def randomise(trial, participant, key="page-1", **levels):
    participant = Participant.objects.get(pk=participant.pk)
    return steps.randomise(
        participant=participant,
        levels=participant.eligibility.strata | levels,
        request_key=key,
        proof=proof(trial.randomiser),
        by=trial.randomiser,
        at=NOW,
    )


def request_of(trial, *people, unit="", key="page-1"):
    return UnitRequest(
        unit=unit or people[0].study_id,
        members=[Member(person.pk, person.eligibility.strata) for person in people],
        key=key,
        by=trial.randomiser,
        site="01",
        at=NOW,
        software_version="tests",
    )


def only(trial, request):
    return allocate(scheme=Scheme.objects.get(), request=request, check=lambda request: [])


# --- one way to each code ------------------------------------------------------------------------------


def paused(trial, settings):
    ready = trial.baseline_done()
    pause_scheme(scheme=Scheme.objects.get(), reason="Why", by=make_user(), at=NOW)
    randomise(trial, ready)


def site_paused(trial, settings):
    ready = trial.baseline_done()
    trial.site.recruitment_paused = True
    trial.site.save_by(None, "Paused")
    randomise(trial, ready)


def criterion_no_longer_met(trial, settings):
    ready = trial.baseline_done()
    form = ready.administrations.get(visit__code="V0", instrument="phq9")
    answers = answers_with_total("phq9", 16)
    reasons = dict.fromkeys(answers, "paper: misread")
    kept = {"mode": form.mode, "completed_date": form.completed_date}
    trial.save_form(ready, "V0", "phq9", answers, reasons=reasons, **kept)
    randomise(trial, ready)


def consent_withdrawn(trial, settings):
    ready = trial.baseline_done()
    consent = ready.consents.get()
    consent.state = "withdrawn"
    consent.save_by(None, "Withdrawn")
    randomise(trial, ready)


def baseline_missing(trial, settings):
    randomise(trial, trial.eligible())


def other_levels(trial, settings):
    randomise(trial, trial.baseline_done(), phq9_band="10-14")


def under_another_unit(trial, settings):
    ready = trial.baseline_done()
    only(trial, request_of(trial, ready))
    only(trial, request_of(trial, ready, unit="household-1", key="page-2"))


def household(trial, settings):
    only(trial, request_of(trial, trial.baseline_done(), trial.baseline_done()))


def target_reached(trial, settings):
    ready = trial.baseline_done()
    with lifted(connection):
        Scheme.objects.update(ceiling=0)
    randomise(trial, ready)


def list_used_up(trial, settings):
    ready = trial.baseline_done()
    with lifted(connection):
        for cursor in StratumCursor.objects.all():
            StratumCursor.objects.filter(pk=cursor.pk).update(next_position=cursor.n_rows + 1)
    randomise(trial, ready)


def key_missing(trial, settings):
    ready = trial.baseline_done()
    settings.SEALING_KEYS = []
    randomise(trial, ready)


def query_open(trial, settings):
    ready = trial.baseline_done()
    deciding = ready.administrations.get(visit__code="V0", instrument="phq9")
    review.raise_query(participant=ready, administration=deciding, text="Why?", by=trial.coordinator, at=NOW)
    randomise(trial, ready)


def risk_unassessed(trial, settings):
    ready = trial.baseline_done()
    safety.raise_concern(participant=ready, text="Very low", by=trial.coordinator, at=NOW)
    randomise(trial, ready)


class DriverError(Exception):
    """What a database driver raises, with its SQLSTATE."""

    sqlstate = "40001"


def database_busy(trial, settings):
    request = request_of(trial, trial.baseline_done())

    def busy(request):
        text = "database is locked" if connection.vendor == "sqlite" else "could not serialise"
        raise OperationalError(text) from DriverError()

    allocate(scheme=Scheme.objects.get(), request=request, check=busy)


def page_of_somebody_else(trial, settings):
    randomise(trial, trial.baseline_done())
    randomise(trial, trial.baseline_done())


def row_missing(trial, settings):
    ready = trial.baseline_done()
    with lifted(connection):
        SealedRow.objects.all()._raw_delete("default")
    randomise(trial, ready)


def row_altered(trial, settings):
    ready = trial.baseline_done()
    with lifted(connection):
        SealedRow.objects.update(token="x")
    randomise(trial, ready)


WAYS = {
    "E_SCHEME_STATE": paused,
    "E_SITE_CLOSED": site_paused,
    "E_ELIGIBILITY": criterion_no_longer_met,
    "E_CONSENT": consent_withdrawn,
    "E_BASELINE": baseline_missing,
    "E_FACTORS": other_levels,
    "E_DUPLICATE": under_another_unit,
    "E_HOUSEHOLD": household,
    "E_TARGET": target_reached,
    "E_LIST_EXHAUSTED": list_used_up,
    "E_SEAL_KEY": key_missing,
    "E_REVIEW": query_open,
    "E_RISK": risk_unassessed,
    "E_BUSY": database_busy,
    "E_REQUEST_KEY": page_of_somebody_else,
    "E_LIST_MISMATCH": row_missing,
    "E_SEAL_CONTEXT": row_altered,
}


@pytest.mark.parametrize("code", WAYS)
def test_a_code_is_reached_and_nobody_more_is_allocated(trial, settings, code):
    with pytest.raises((NotAllocated, actions.AllocationRefused)) as refused:
        WAYS[code](trial, settings)

    scheme = Scheme.objects.get()
    n_expected = {"E_DUPLICATE": 1, "E_REQUEST_KEY": 1}.get(code, 0)
    assert {refusal.code for refusal in refused.value.refusals} == {code}
    assert str(refused.value).startswith("No allocation was made.")
    assert (scheme.allocations.count(), scheme.next_seq) == (n_expected, n_expected + 1)
    assert code == "E_BUSY" or code in scheme.events.filter(event="refused").get().facts["codes"]


def test_there_are_no_other_codes():
    sources = [*(ROOT / "randomisation").rglob("*.py"), *(ROOT / "trial").rglob("*.py")]

    found = {code for path in sources for code in re.findall(r'"(E_[A-Z_]+)"', path.read_text(encoding="utf-8"))}

    assert found - OTHER_STEPS == set(WAYS)
