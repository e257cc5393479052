"""Emergency envelopes: printed once by one person, opened in order, entered by two, counted each quarter (9.7)."""

import re
from datetime import timedelta
from io import BytesIO

import pytest
from django.db import connection
from pypdf import PdfReader

from randomisation.models import (
    Allocation,
    Approval,
    ArmAccessLog,
    EnvelopeCount,
    EnvelopePrint,
    Proposal,
    Scheme,
    StratumCursor,
)
from randomisation.states import pause_scheme
from tests.factories import NOW, PASSWORD, Trial, staff
from tests.journeys.visitor import moment
from tests.trial.allocation.exceptions.builders import approved, asked, requests
from tests.trial.journey.builders import arm_number
from tests.trial.journey.steps_by_page import answers_by_role, as_, everyone, problems_of, text_of
from trial.access.models import Signature
from trial.access.policy import Role
from trial.allocation.exceptions.envelope_pdf import Envelope, Stack, draw
from trial.allocation.hooks import after_late_allocation
from trial.base.triggers import lifted
from trial.participants.models import Participant, Referral, Status

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

ENVELOPES = "/randomisation/envelopes/"
OPENED = NOW - timedelta(hours=2)


@pytest.fixture
def trial():
    return Trial().open_randomisation()


@pytest.fixture
def statistician(trial):
    return staff(Role.UNBLINDED_STATISTICIAN, name="Dr Ines Roth")


@pytest.fixture
def manager(trial):
    return staff(Role.TRIAL_MANAGER, blinded=False, name="Mo Manager")


@pytest.fixture
def cursor(trial):
    return StratumCursor.objects.get(purpose="backup", key="site=01")


def print_(client, statistician, cursor, secret=PASSWORD):
    return as_(client, statistician).post(f"{ENVELOPES}{cursor.pk}/print/", {"secret": secret})


def pages_of(response) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in PdfReader(BytesIO(response.content)).pages]


def code_on(inner: str) -> str:
    return re.search(r"entered in the system ([A-Z0-9]{4} [A-Z0-9]{4})", inner)[1]


def typed(code: str):
    return {
        "envelope": "1",
        **moment("opened_at", OPENED + timedelta(hours=1)),
        "caller": "Asha Patel, coordinator",
        "opened_by": "Mo Manager, trial office",
        "level_1_phq9_band": "5-9",
        "reason": "The system was down",
        "code": code.lower(),
    }


def enter(client, manager, participant, code, /, **more):
    data = typed(code) | more
    return as_(client, manager).post(f"/people/{participant.study_id}/randomisation/envelope/", data)


def finished(proposal, by):
    """Approved, with what follows from an allocation written beside it."""

    def after(made):
        for member in made.members.all():
            for then in after_late_allocation:
                then(member.participant, made, proposal.asked_by, NOW)

    return approved(proposal, by, after_allocate=after)


# -- printing


def test_each_envelope_has_an_outer_page_without_the_arm_and_an_inner_one_with_it(client, trial, statistician, cursor):
    response = print_(client, statistician, cursor)

    pages = pages_of(response)
    outer, inner = pages[::2], pages[1::2]
    labels = [arm.label for arm in trial.spec.arms]
    assert (len(outer), len(inner)) == (cursor.n_rows, cursor.n_rows)
    assert not any(label in page for page in outer for label in labels)
    assert all(sum(label in page for label in labels) == 1 for page in inner)
    assert all(f"emergency envelope {number}" in page for number, page in enumerate(outer, start=1))
    for words in ("Caller: name, role, telephone", "PHQ-9 band", "Reason why the system is not used", "Tamar Vale"):
        assert words in outer[0]


def test_each_page_says_which_it_is_and_none_is_printed_on_the_back_of_another(client, statistician, cursor):
    response = print_(client, statistician, cursor)

    pages = pages_of(response)
    preferences = PdfReader(BytesIO(response.content)).trailer["/Root"]["/ViewerPreferences"]
    assert preferences["/Duplex"] == "/Simplex"
    assert "Envelope 1, outer page. Page 1 of" in pages[0]
    assert "Envelope 1, inner page. Page 2 of" in pages[1]
    assert "Envelope 2, outer page. Page 3 of" in pages[2]


@pytest.mark.parametrize("n_levels", [2, 6, 20])
def test_an_envelope_has_two_pages_however_many_levels_there_are(n_levels):
    levels = tuple(f"Level {n}, in as many words as it takes" for n in range(n_levels))
    stack = Stack(
        study="Greenrx",
        scheme="main",
        site="01 Tamar Vale",
        office="01752 000 000",
        factors=tuple((f"Factor {n}", levels) for n in range(4)),
        printed_at=NOW,
        envelopes=(Envelope(1, "Kestrel " * 12, "ABCD EFGH"), Envelope(2, "Osprey", "EFGH ABCD")),
    )

    pages = [" ".join(page.extract_text().split()) for page in PdfReader(BytesIO(draw(stack))).pages]

    assert len(pages) == 4
    assert all(f"Level {n_levels - 1}," in page and "Signature" in page for page in pages[::2])
    assert "Kestrel" not in pages[0]
    assert "ABCD EFGH" in pages[1]


def test_the_codes_inside_differ_and_tell_nothing(client, statistician, cursor):
    codes = [code_on(page) for page in pages_of(print_(client, statistician, cursor))[1::2]]

    assert len(set(codes)) == len(codes)


def test_it_is_printed_once_and_logged(client, statistician, cursor):
    first, second = print_(client, statistician, cursor), print_(client, statistician, cursor)

    printed = EnvelopePrint.objects.get()
    assert first.headers["Content-Type"] == "application/pdf"
    assert "no-store" in first.headers["Cache-Control"]
    assert "They cannot be printed" in text_of(second)
    assert (printed.by, printed.key, printed.n_envelopes) == (statistician, "site=01", cursor.n_rows)
    assert ArmAccessLog.objects.get().n_arms == cursor.n_rows


@pytest.mark.parametrize("secret", ["", "wrong"])
def test_without_the_password_nothing_is_printed(client, statistician, cursor, secret):
    response = print_(client, statistician, cursor, secret)

    assert response.headers["Content-Type"].startswith("text/html")
    assert not EnvelopePrint.objects.exists()


def test_a_row_that_was_altered_stops_the_print_alarms_and_pauses(client, statistician, cursor, caplog):
    rows = cursor.revision.rows.filter(purpose="backup", key="site=01")
    with lifted(connection):
        rows.filter(position=2).update(token=rows.get(position=1).token)

    response = print_(client, statistician, cursor)

    assert response.headers["Content-Type"].startswith("text/html")
    assert problems_of(response)
    assert not EnvelopePrint.objects.exists()
    assert not ArmAccessLog.objects.exists()
    assert "E_SEAL_CONTEXT in scheme" in caplog.text
    assert Scheme.objects.get().state == "paused"
    assert Scheme.objects.get().events.get(event="refused").facts == {"codes": ["E_SEAL_CONTEXT"], "site": ""}


def test_who_may_print_count_and_enter(client, trial, cursor):
    people = everyone(trial)
    pages = {
        "list": ENVELOPES,
        "print": f"{ENVELOPES}{cursor.pk}/print/",
        "count": f"{ENVELOPES}{cursor.pk}/count/",
        "enter": f"{ENVELOPES}enter/",
        "recover": "/randomisation/recover/",
    }

    answers = {name: answers_by_role(client, people, where) for name, where in pages.items()}

    may = {name: {role for role, status in found.items() if status == 200} for name, found in answers.items()}
    office, printer = {Role.TRIAL_MANAGER}, {Role.UNBLINDED_STATISTICIAN}
    assert may == {
        "list": office | printer,
        "print": printer,
        "count": office | printer,
        "enter": office,
        "recover": office,
    }


def test_a_trial_manager_who_is_blinded_has_nothing_to_do_with_envelopes(client, trial):
    blinded = staff(Role.TRIAL_MANAGER, blinded=True)

    assert as_(client, blinded).get(ENVELOPES).status_code == 403
    assert client.get(f"{ENVELOPES}enter/").status_code == 403


# -- entering


def test_an_opened_envelope_becomes_an_allocation_with_a_second_person(client, trial, statistician, manager, cursor):
    inner = pages_of(print_(client, statistician, cursor))[1]
    ready = trial.baseline_done()

    response = enter(client, manager, ready, code_on(inner))

    assert response.headers["Location"] == ENVELOPES
    assert not Allocation.objects.exists()
    done = finished(asked(), statistician)
    made = Allocation.objects.get()
    assert done.state == "done"
    assert (made.source, made.purpose, made.position, made.unit) == ("backup", "backup", 1, ready.study_id)
    assert (made.at, made.entered_at) == (OPENED, NOW)
    assert made.factors == {"site": "01", "phq9_band": "5-9"}
    assert trial.spec.arms[arm_number(trial, ready)].label in inner
    assert Referral.objects.get(pk=ready.referral_id).status == Status.RANDOMISED
    assert Participant.objects.get(pk=ready.pk).randomised_date == OPENED.date()


def test_what_the_request_holds_names_caller_and_opener_and_no_arm(client, trial, statistician, manager, cursor):
    inner = pages_of(print_(client, statistician, cursor))[1]

    enter(client, manager, trial.baseline_done(), code_on(inner))

    facts = asked().facts
    assert (facts["caller"], facts["opened_by"]) == ("Asha Patel, coordinator", "Mo Manager, trial office")
    assert (facts["list_key"], facts["position"], facts["site"]) == ("site=01", 1, "01")
    assert not any(arm.code in str(facts).lower() for arm in trial.spec.arms)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"envelope": "2"}, "The next envelope of this site is number 1"),
        ({"envelope": "x"}, "must be a number"),
        ({"caller": ""}, "Enter"),
        ({"opened_by": ""}, "Enter"),
        ({"level_1_phq9_band": ""}, "Select"),
        ({"reason": "Put into the nature group"}, "Leave out which group it is"),
        ({"code": ""}, "Enter the code"),
        (moment("opened_at", NOW + timedelta(days=1)), "must be in the past"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(client, trial, statistician, manager, cursor, wrong, says):
    inner = pages_of(print_(client, statistician, cursor))[1]

    response = enter(client, manager, trial.baseline_done(), code_on(inner), **wrong)

    assert any(says in problem for problem in problems_of(response))
    assert not requests().exists()
    if "caller" not in wrong:
        assert "Asha Patel, coordinator" in text_of(response)


def test_a_code_that_does_not_fit_allocates_nobody_when_it_is_approved(client, trial, statistician, manager, cursor):
    from randomisation.errors import LateEntryRefused

    print_(client, statistician, cursor)
    enter(client, manager, trial.baseline_done(), "AAAA AAAA")

    with pytest.raises(LateEntryRefused, match="does not fit"):
        finished(asked(), statistician)

    assert not Allocation.objects.exists()
    assert asked().state == Proposal.State.ASKED


def test_a_row_altered_after_the_print_pauses_the_scheme_and_leaves_the_approval_unsigned(
    client, trial, statistician, manager, cursor, caplog
):
    inner = pages_of(print_(client, statistician, cursor))[1]
    enter(client, manager, trial.baseline_done(), code_on(inner))
    rows = cursor.revision.rows.filter(purpose="backup", key="site=01")
    with lifted(connection):
        rows.filter(position=1).update(token=rows.get(position=2).token)

    response = as_(client, statistician).post(f"/randomisation/requests/{asked().pk}/approve/", {"secret": PASSWORD})

    assert problems_of(response)
    assert Scheme.objects.get().state == "paused"
    assert "E_SEAL_CONTEXT in scheme" in caplog.text
    assert asked().state == Proposal.State.ASKED
    assert not Approval.objects.filter(proposal=asked()).exists()
    assert not Signature.objects.filter(meaning__contains="enter an emergency envelope").exists()


def test_somebody_who_is_not_ready_cannot_be_entered_and_reads_why(client, trial, statistician, manager, cursor):
    inner = pages_of(print_(client, statistician, cursor))[1]
    early = trial.eligible()

    response = enter(client, manager, early, code_on(inner))

    assert "To put right first" in text_of(response)
    assert any("Baseline done" in problem for problem in problems_of(response))
    assert not requests().exists()


def test_somebody_who_was_randomised_is_not_entered_again(client, trial, statistician, manager, cursor):
    inner = pages_of(print_(client, statistician, cursor))[1]

    response = enter(client, manager, trial.randomised(), code_on(inner))

    assert problems_of(response) == ["This person has been randomised already."]


def test_before_the_print_nothing_can_be_entered(client, trial, manager, cursor):
    response = enter(client, manager, trial.baseline_done(), "AAAA AAAA")

    assert problems_of(response) == ["No envelopes were printed for this site."]


def test_it_is_entered_while_the_scheme_is_paused(client, trial, statistician, manager, cursor):
    inner = pages_of(print_(client, statistician, cursor))[1]
    ready = trial.baseline_done()
    pause_scheme(scheme=Scheme.objects.get(), reason="The system was down", by=manager, at=NOW)

    enter(client, manager, ready, code_on(inner))

    assert finished(asked(), statistician).state == "done"


def test_a_study_number_leads_to_the_form_and_an_unknown_one_is_said_to_be(client, trial, manager):
    ready = trial.baseline_done()
    visitor = as_(client, manager)

    found = visitor.post(f"{ENVELOPES}enter/", {"number": ready.study_id.lower()})
    absent = visitor.post(f"{ENVELOPES}enter/", {"number": "GRX-99-999-9"})

    assert found.headers["Location"] == f"/people/{ready.study_id}/randomisation/envelope/"
    assert "There is no participant with this study number" in text_of(absent)


# -- counting


def count(client, user, cursor, number, note=""):
    return as_(client, user).post(f"{ENVELOPES}{cursor.pk}/count/", {"n_unopened": number, "note": note})


def test_unopened_envelopes_are_counted_beside_what_was_entered(client, statistician, manager, cursor):
    print_(client, statistician, cursor)

    response = count(client, manager, cursor, str(cursor.n_rows))

    made = EnvelopeCount.objects.get()
    assert response.headers["Location"] == ENVELOPES
    assert (made.n_unopened, made.n_expected, made.by) == (cursor.n_rows, cursor.n_rows, manager)


def test_a_difference_needs_a_note(client, statistician, manager, cursor):
    print_(client, statistician, cursor)

    bare = count(client, manager, cursor, "3")
    explained = count(client, manager, cursor, "3", "Nine were damaged by water")

    assert problems_of(bare)[0].startswith(f"By what was entered there are {cursor.n_rows}.")
    assert explained.status_code == 302
    assert EnvelopeCount.objects.get().note == "Nine were damaged by water"


@pytest.mark.parametrize("number", ["", "-1", "many", "5000", "1.5"])
def test_a_count_is_a_whole_number(client, statistician, manager, cursor, number):
    print_(client, statistician, cursor)

    response = count(client, manager, cursor, number)

    assert problems_of(response)
    assert not EnvelopeCount.objects.exists()


def test_after_a_quarter_a_count_is_overdue(client, statistician, manager, cursor, clock):
    print_(client, statistician, cursor)
    clock.move_to(NOW + timedelta(days=93))

    page = text_of(as_(client, manager).get(ENVELOPES))

    assert "Overdue" in page


def test_every_count_is_a_file(client, statistician, manager, cursor):
    print_(client, statistician, cursor)
    count(client, manager, cursor, "3", "Nine were damaged by water")

    page = text_of(as_(client, manager).get(f"{ENVELOPES}?format=csv"))

    assert "site=01" in page
    assert "Nine were damaged by water" in page


def test_what_is_not_printed_is_not_counted(client, manager, cursor):
    response = count(client, manager, cursor, "12")

    assert problems_of(response) == ["These envelopes were never printed."]


def test_envelopes_that_are_not_there_are_not_found(client, statistician, manager):
    assert as_(client, statistician).get(f"{ENVELOPES}987654/print/").status_code == 404
    assert as_(client, manager).get(f"{ENVELOPES}987654/count/").status_code == 404
