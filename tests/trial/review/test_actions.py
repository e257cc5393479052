"""Queries and sign-off (ux.md 4.4, BR-64, R-21)."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from tests.factories import NOW, PASSWORD, Trial, answers_with_total, final_lock, give_role, make_user, proof
from trial.access.models import Signature, Site
from trial.access.policy import Role
from trial.access.signing import ProofRefused, reauthenticate
from trial.locking.rules import DatasetLocked
from trial.messages.models import Task
from trial.participants import identity
from trial.review import actions
from trial.review.models import Query, QueryMessage, SignOff
from trial.review.reads import thread_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def trial():
    return Trial()


@pytest.fixture
def form(trial):
    """A stored PHQ-9 of a participant who consented."""
    return trial.save_form(trial.consented(), "V0", "phq9", answers_with_total("phq9", 8))


def ask(trial, form, text="Is this right?", **more):
    given = {"participant": form.participant, "administration": form, "by": trial.coordinator}
    return actions.raise_query(text=text, at=NOW, **given | more)


def test_a_query_starts_a_thread_and_a_task(trial, form):
    query = ask(trial, form, field="phq9_3", value_asked="1")

    assert (query.state, query.raised_by, query.field) == ("open", trial.coordinator, "phq9_3")
    (line,) = query.thread.all()
    assert (
        identity.open_text(form.participant.referral.person, line.text_sealed),
        line.new_state,
        line.by,
        line.role,
    ) == (
        "Is this right?",
        "open",
        trial.coordinator,
        "coordinator",
    )
    task = Task.objects.get(key=f"query:{query.pk}")
    # Five working days after Thursday 9 July 2026.
    assert (task.role, task.site, task.due_date, task.link) == (
        "coordinator",
        trial.site,
        date(2026, 7, 16),
        f"/queries/{query.pk}/",
    )


def test_a_query_is_answered_closed_and_reopened(trial, form):
    query = ask(trial, form)
    key = f"query:{query.pk}"

    actions.answer(query=query, text="Misread", by=trial.coordinator, at=NOW)
    assert Task.objects.get(key=key).done_at == NOW
    closed = actions.close(query=query, text="Thank you", by=trial.investigator, at=NOW + timedelta(hours=1))
    assert (closed.state, closed.closed_at) == ("closed", NOW + timedelta(hours=1))
    opened = actions.reopen(query=query, text="Still wrong", by=trial.investigator, at=NOW + timedelta(hours=2))

    assert (opened.state, opened.closed_at) == ("open", None)
    assert Task.objects.get(key=key).done_at is None
    assert "Still wrong" not in Task.objects.get(key=key).detail
    lines = [(line.new_state, words) for line, words in thread_of(query)]
    assert lines == [
        ("open", "Is this right?"),
        ("answered", "Misread"),
        ("closed", "Thank you"),
        ("open", "Still wrong"),
    ]


def test_an_open_query_may_be_closed_without_an_answer(trial, form):
    query = ask(trial, form)

    actions.close(query=query, text="Asked by mistake", by=trial.investigator, at=NOW)

    assert Query.objects.get().state == "closed"
    assert Task.objects.get(key=f"query:{query.pk}").done_at == NOW


@pytest.mark.parametrize(
    ("before", "act"),
    [
        ("answered", actions.answer),
        ("closed", actions.answer),
        ("closed", actions.close),
        ("open", actions.reopen),
    ],
)
def test_a_query_in_another_state_says_so(trial, form, before, act):
    query = ask(trial, form)
    if before != "open":
        {"answered": actions.answer, "closed": actions.close}[before](
            query=query, text="x", by=trial.coordinator, at=NOW
        )

    with pytest.raises(actions.QueryRefused, match=f"is {before} already"):
        act(query=query, text="x", by=trial.coordinator, at=NOW)

    assert Query.objects.get().state == before


@pytest.mark.parametrize("act", [actions.answer, actions.close])
def test_a_line_of_the_thread_has_words(trial, form, act):
    query = ask(trial, form)

    with pytest.raises(actions.QueryRefused, match="Write what you found"):
        act(query=query, text="  ", by=trial.coordinator, at=NOW)
    with pytest.raises(actions.QueryRefused, match="Write the question"):
        ask(trial, form, text=" ")

    assert QueryMessage.objects.count() == 1


def test_a_rule_asks_once_about_a_value(trial, form):
    first = ask(trial, form, by=None, rule="C-14", field="phq9_3", value_asked="1")
    actions.close(query=first, text="Confirmed", by=trial.investigator, at=NOW)

    again = ask(trial, form, by=None, rule="C-14", field="phq9_3", value_asked="1")

    assert (again.pk, again.state) == (first.pk, "closed")
    assert Query.objects.count() == 1
    assert ask(trial, form, by=None, rule="C-14", field="phq9_3", value_asked="2") != first
    assert ask(trial, form, by=None, rule="C-15", field="phq9_3", value_asked="1") != first


def test_a_rule_asks_once_about_a_participant_too(trial, form):
    """A check of the whole record asks about no form."""
    given = {"participant": form.participant, "text": "?", "rule": "R-1", "by": None, "at": NOW}

    first, again = actions.raise_query(**given), actions.raise_query(**given)
    other = actions.raise_query(**given | {"participant": trial.consented()})

    assert first == again
    assert other != first


@pytest.mark.parametrize("has_form", [True, False])
def test_the_database_holds_that_a_rule_asks_once(trial, form, has_form):
    about = form if has_form else None
    first = ask(trial, form, by=None, rule="C-14", field="phq9_3", value_asked="1", administration=about)
    copy = Query.objects.get(pk=first.pk)
    copy.pk = None
    copy._state.adding = True

    with pytest.raises(IntegrityError), transaction.atomic():
        copy.save_by(None)


def test_a_person_may_ask_the_same_twice(trial, form):
    assert ask(trial, form) != ask(trial, form)


def test_a_closed_query_has_its_time(trial, form):
    query = ask(trial, form)
    query.state = "closed"

    with pytest.raises(IntegrityError, match="closed_query_has_its_time"), transaction.atomic():
        query.save_by(None)


# -- sign-off


def sign(trial, participant, by=None, proved=None):
    by = by or trial.investigator
    return actions.sign_off(participant=participant, proof=proved or proof(by), by=by, at=NOW)


def test_a_sign_off_covers_the_data_as_they_are(trial, form):
    sign(trial, form.participant)

    signature = Signature.objects.latest("pk")
    assert signature.meaning == "I have reviewed these data."
    assert signature.record == f"trial_participant:{form.participant.pk}"
    assert actions.is_signed_off(form.participant)


def change(trial, form):
    answers = {**answers_with_total("phq9", 8), "phq9_1": 0, "phq9_2": 3}
    trial.save_form(
        form.participant,
        "V0",
        "phq9",
        answers,
        reasons=dict.fromkeys(answers, "paper: misread"),
        mode=form.mode,
        completed_date=form.completed_date,
    )


def test_a_later_change_makes_it_stale_until_it_is_signed_again(trial, form):
    first = sign(trial, form.participant)
    change(trial, form)
    assert not actions.is_signed_off(form.participant)

    again = sign(trial, form.participant)

    assert actions.is_signed_off(form.participant)
    signatures = Signature.objects.filter(meaning="I have reviewed these data.")
    assert (again.pk, SignOff.objects.count(), signatures.count()) == (first.pk, 1, 2)


def test_a_new_questionnaire_makes_it_stale(trial, form):
    sign(trial, form.participant)

    trial.save_form(form.participant, "V1", "gad7", submit=False)

    assert not actions.is_signed_off(form.participant)


def test_nothing_is_signed_off_before_somebody_does(trial, form):
    assert not actions.is_signed_off(form.participant)


def test_open_and_answered_queries_are_closed_first(trial, form):
    query = ask(trial, form)
    with pytest.raises(actions.SignOffRefused, match="Close the open queries"):
        sign(trial, form.participant)
    actions.answer(query=query, text="x", by=trial.coordinator, at=NOW)
    with pytest.raises(actions.SignOffRefused, match="Close the open queries"):
        sign(trial, form.participant)
    actions.close(query=query, text="x", by=trial.investigator, at=NOW)

    assert sign(trial, form.participant)


def test_nobody_signs_off_what_they_entered(trial, form):
    person = give_role(trial.coordinator, Role.PRINCIPAL_INVESTIGATOR, trial.site, blinded=False)

    with pytest.raises(actions.SignOffRefused, match="somebody else"):
        sign(trial, form.participant, by=person)


@pytest.mark.parametrize("who", ["coordinator", "randomiser"])
def test_only_an_investigator_of_the_site_signs_off(trial, form, who):
    with pytest.raises(actions.SignOffRefused, match="role"):
        sign(trial, form.participant, by=getattr(trial, who))


def test_an_investigator_of_another_site_does_not_sign_off(trial, form):
    elsewhere = give_role(make_user(), Role.PRINCIPAL_INVESTIGATOR, Site.objects.get(code="02"), blinded=False)

    with pytest.raises(actions.SignOffRefused, match="role"):
        sign(trial, form.participant, by=elsewhere)


def test_another_persons_proof_signs_nothing(trial, form):
    proved = reauthenticate(user=trial.coordinator, secret=PASSWORD, at=NOW)

    with pytest.raises(ProofRefused):
        sign(trial, form.participant, proved=proved)

    assert not SignOff.objects.exists()


def test_nothing_is_asked_or_signed_while_the_dataset_is_locked(trial, form):
    query = ask(trial, form)
    final_lock()

    for attempt in (
        lambda: ask(trial, form),
        lambda: actions.answer(query=query, text="x", by=trial.coordinator, at=NOW),
        lambda: sign(trial, form.participant),
    ):
        with pytest.raises(DatasetLocked):
            attempt()
