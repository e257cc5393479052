"""A small story has the structure of the whole one."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.test import TestCase

from randomisation import high_water
from randomisation.checking import verify_event_log, verify_list
from randomisation.drafts import open_document
from randomisation.models import EnvelopePrint, FactorCorrection, Scheme, SchemeSite
from randomisation.simulation import Comparison
from trial.access.models import RoleAssignment, Site, User
from trial.access.policy import Role
from trial.activities.models import ActivityGroup, Membership, Session
from trial.allocation.kinds import may_decide
from trial.allocation.models import BlindingEvent, FirstCheck
from trial.assessments.models import Administration
from trial.assessments.verify import answers_without_alert, score_differences
from trial.attendance.models import Mark
from trial.base import audit
from trial.demo import office, story
from trial.demo.calendar import local_moment
from trial.deviations.models import Deviation
from trial.double_entry import verify as second_entries
from trial.double_entry.reads import agreement
from trial.messages.models import Task
from trial.participants import identity
from trial.participants.models import Participant, Person, Referral, Status, StatusEvent
from trial.participation.models import ParticipationChange
from trial.review.models import Query, SignOff
from trial.safety.models import AdverseEvent, RiskAlert

NOW = datetime(2026, 11, 18, 14, 0, tzinfo=UTC)  # a Wednesday


@pytest.mark.only_sqlite  # where the demonstration lives
@pytest.mark.xdist_group("story")
class SmallStoryTest(TestCase):
    """One story for all of these, because it takes a while to tell."""

    @classmethod
    def setUpTestData(cls) -> None:
        high_water.path().unlink(missing_ok=True)  # left by the test before, whose database was rolled back
        story.build(now=NOW, n_randomised=24, with_cut=False)

    def test_every_status_of_the_journey_is_there(self):
        assert set(Referral.objects.values_list("status", flat=True)) == set(Status)

    def test_three_sites_have_twelve_groups_in_two_waves_with_one_of_each_arm(self):
        groups = Counter(ActivityGroup.objects.values_list("site__code", "wave", "arm_number"))

        assert Site.objects.count() == 3
        assert len(groups) == ActivityGroup.objects.count() == 12

    def test_twenty_four_people_are_randomised_and_the_scheme_has_places_left(self):
        scheme = Scheme.objects.get()

        assert Participant.objects.exclude(randomised_date=None).count() == 24
        assert scheme.next_seq == 25
        assert scheme.ceiling == 102

    def test_the_scheme_was_simulated_tested_and_signed_before_two_people_approved_its_lock(self):
        revision = Scheme.objects.get().revisions.get()
        simulation, test = (revision.documents.get(kind=kind) for kind in ("simulation", "acceptance"))

        assert simulation.at < test.at < test.signature.at < revision.locked_at
        assert (test.n_failed, test.n_passed >= 35) == (0, True)
        assert test.by != test.signature.by
        assert Comparison.from_json(open_document(simulation)).n_trials == office.N_SIMULATED
        assert Scheme.objects.get().proposals.get(kind="lock").approvals.count() == 2

    def test_what_goes_wrong_in_a_randomisation_happened_once(self):
        scheme = Scheme.objects.get()
        events = Counter(scheme.events.values_list("event", flat=True))

        assert (events["correct"], events["flag"], events["code_break"]) == (1, 1, 1)
        assert FactorCorrection.objects.get().by != FactorCorrection.objects.get().approved_by
        assert BlindingEvent.objects.filter(kind="emergency").count() == 1
        assert FirstCheck.objects.get().n_differences == 0
        assert EnvelopePrint.objects.get().key == "site=01"

    def test_one_site_was_paused_and_opened_again(self):
        facts = [event.facts for event in Scheme.objects.get().events.filter(event__in=("pause", "open"))]

        assert [one["site"] for one in facts if "site" in one] == ["03", "03"]
        assert SchemeSite.objects.get().state == "open"

    def test_one_request_waits_for_two_people_who_can_sign_in(self):
        waiting = Scheme.objects.get().proposals.get(state="asked")

        assert may_decide(User.objects.get(email="unblinded@demo.example"), waiting)
        assert may_decide(User.objects.get(email="representative@demo.example"), waiting)

    def test_the_log_is_whole_and_lists_and_allocations_are_what_the_secret_gives(self):
        scheme = Scheme.objects.get()

        assert verify_event_log(scheme) is None
        assert verify_list(scheme) == 0

    def test_paper_forms_are_entered_twice_and_nearly_always_agree(self):
        found = agreement(None)

        assert found.n_forms > 5
        assert 0.97 < found.rate <= 1
        assert found.n_awaiting + found.n_undecided < 5
        assert second_entries.answers_without_alert() == []

    def test_every_role_is_held_by_somebody_today(self):
        assert set(RoleAssignment.objects.values_list("role", flat=True)) == set(Role)

    def test_somebody_covers_for_the_duty_clinician(self):
        held = RoleAssignment.objects.filter(role=Role.DUTY_CLINICIAN, site__code="01")

        assert held.filter(to_date__isnull=True).count() == 1
        assert held.filter(to_date__gte=NOW.date()).count() == 1

    def test_two_answers_about_self_harm_raised_alerts_and_one_of_them_is_open(self):
        alerts = RiskAlert.objects.filter(trigger="answer")

        assert alerts.count() == 2
        assert alerts.filter(closed_at=None, level="", raised_at=NOW - timedelta(minutes=23)).count() == 1
        assert alerts.filter(closed_at__isnull=False, level="low").count() == 1
        assert answers_without_alert() == []

    def test_one_adverse_event_is_serious_and_waits_for_its_reviews(self):
        serious = AdverseEvent.objects.serious()

        assert [event.seriousness for event in serious] == [["hospitalisation"]]
        assert serious.get().related_to_activity == "unrelated"
        assert AdverseEvent.objects.count() >= 3
        assert Task.objects.open().filter(kind="adverse_event", role=Role.SPONSOR_REVIEWER).count() == 1

    def test_three_deviations_one_of_them_a_visitor(self):
        kinds = Counter(Deviation.objects.values_list("kind", flat=True))

        assert kinds == {"other_arm": 1, "visit": 1, "consent": 1}
        assert Mark.objects.filter(status="other_arm").count() == 1

    def test_queries_are_open_answered_and_closed(self):
        assert set(Query.objects.values_list("state", flat=True)) == {"open", "answered", "closed"}

    def test_people_stopped_parts_of_the_study_and_one_died_after_leaving(self):
        death = ParticipationChange.objects.get(cause="death")

        assert ParticipationChange.objects.count() >= 6
        assert death.participant.referral.status == Status.ENDED_EARLY
        assert death.participant.died_date is not None

    def test_sessions_were_held_and_cancelled_and_one_register_waits_today(self):
        states = Counter(Session.objects.values_list("status", flat=True))
        today = Session.objects.get(starts_at=local_moment(NOW.date(), 10), status="planned")

        assert states["delivered"] > 60
        assert states["cancelled"] >= 2
        assert today.group.leader.email == "leader@demo.example"
        assert not today.marks.exists()

    def test_the_registers_hold_every_kind_of_mark(self):
        used = set(Mark.objects.values_list("status", flat=True))

        assert {"full", "part", "absent", "absent_told"} <= used

    def test_values_were_put_right_with_reasons(self):
        changed = Administration.history.filter(history_type="~", status="complete")

        assert changed.filter(history_change_reason__in=["Misread paper", "Answer to a query"]).exists()

    def test_forms_are_complete_not_done_and_in_progress_and_score_the_same_again(self):
        assert set(Administration.objects.values_list("status", flat=True)) == {"complete", "not_done", "draft"}
        assert {"self_web", "self_paper", "interview_phone"} <= set(
            Administration.objects.values_list("mode", flat=True)
        )
        assert score_differences() == []

    def test_some_data_are_signed_off(self):
        assert SignOff.objects.exists()

    def test_history_is_dated_as_it_happened_and_verifies(self):
        first = StatusEvent.objects.order_by("at").first()

        assert Referral.history.order_by("history_date").first().history_date == first.at
        assert Referral.history.filter(history_date__gt=NOW).count() == 0
        assert audit.verify() == []

    def test_no_two_people_have_one_nhs_number(self):
        hashes = [one for one in Person.objects.values_list("nhs_number_hash", flat=True) if one]

        assert len(set(hashes)) == len(hashes)

    def test_somebody_was_referred_again_and_somebody_taken_back(self):
        assert StatusEvent.objects.filter(transition="T17").count() == 1
        assert StatusEvent.objects.filter(transition="T18").count() == 1

    def test_most_people_are_placed_in_a_group_of_their_arm(self):
        assert Membership.objects.count() == 23

    def test_something_is_due_for_the_people_who_have_work_lists(self):
        roles = set(Task.objects.open().values_list("role", flat=True))

        assert {Role.COORDINATOR, Role.DUTY_CLINICIAN, Role.PRINCIPAL_INVESTIGATOR, Role.SPONSOR_REVIEWER} <= roles


def _told() -> list[tuple[object, ...]]:
    """What a story says before anybody is allocated, which the secret list of arms does not touch."""
    people = [identity.read(referral.person) for referral in Referral.objects.order_by("screening_number")]
    forms = Administration.objects.filter(visit__number__lte=1).order_by(
        "participant__study_id", "visit__number", "instrument"
    )
    answers = forms.values_list("participant__study_id", "instrument", "completed_date", "answers", "missing", "mode")
    moves = StatusEvent.objects.filter(referral__status__in=["DECLINED", "NOT_CONTACTABLE", "SCREEN_FAILED"])
    return [
        *people,
        *answers,
        *moves.order_by("at", "referral__screening_number").values_list("at", "to_status", "reason"),
    ]


@pytest.mark.only_sqlite
@pytest.mark.django_db
def test_the_same_day_and_seed_tell_the_same_story():
    before = transaction.savepoint()
    story.build(now=NOW, n_randomised=6, with_cut=False, with_acceptance_test=False)
    first = _told()
    transaction.savepoint_rollback(before)
    high_water.path().unlink()  # the mark outside the database is not rolled back with it

    story.build(now=NOW, n_randomised=6, with_cut=False, with_acceptance_test=False)

    assert _told() == first
