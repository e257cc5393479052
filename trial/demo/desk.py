"""The data desk: queries asked, answered and closed, values put right, data signed off, a data cut."""

from datetime import datetime, timedelta
from random import Random

import instruments
from trial.access.policy import Role
from trial.assessments import actions as assessments
from trial.assessments.models import Administration
from trial.demo import words
from trial.demo.agenda import Entry
from trial.demo.answers import SELF_HARM
from trial.demo.calendar import local_moment
from trial.demo.stage import Mode, Stage
from trial.journey import reversal
from trial.locking import actions as locking
from trial.participants.models import Participant, Referral, Status
from trial.protocol import rules as protocol_rules
from trial.review import actions as review
from trial.review.models import Query

ASKED, CORRECTED = 0.4, 0.12
"""Shares of forms with a gap that are asked about, and of paper forms with a value to put right."""
SIGNED_OFF = 0.6
CUT_DAYS_AGO = 10


class Desk:
    """Writes the weekly round of the data manager into the agenda, and what follows from it."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.calendar = stage, stage.calendar
        self.manager = stage.staff("data")

    def begin(self, *, with_cut: bool) -> None:
        """One round a week; towards the end sign-offs, a cut and what still waits for an answer."""
        day = self.calendar.opens("01") + timedelta(days=50)
        while day < self.calendar.today:
            self.stage.agenda.at(local_moment(self.calendar.working(day), 11), self._round)
            day += timedelta(days=7)
        if with_cut:
            self._later(CUT_DAYS_AGO, 9, self._cut, is_alone=True)
        self._later(8, 13, self._take_back)
        self._later(6, 14, self._ask_lately)
        self._later(3, 15, self._sign_off)
        self._later(1, 16, self._ask_to_take_back)

    def _later(self, days_ago: int, hour: int, run: Entry, *, is_alone: bool = False) -> None:
        day = self.calendar.working(self.calendar.today - timedelta(days=days_ago))
        self.stage.agenda.at(local_moment(day, hour), run, is_alone=is_alone)

    # -- queries

    def _round(self, at: datetime) -> None:
        """Look at a week's forms: ask about gaps, and have paper looked at again."""
        fresh = Administration.objects.filter(
            participant__randomised_date__isnull=False, status="complete", submitted_at__gt=at - timedelta(days=7)
        )
        for form in fresh.select_related("participant__referral__site", "visit").order_by("submitted_at", "pk"):
            rng = self.stage.draws("desk", form.participant.study_id, form.visit.code, form.instrument)
            if form.missing and rng.random() < ASKED:
                self._ask(form, sorted(form.missing)[0], rng, at)
            elif form.mode == Mode.SELF_PAPER and rng.random() < CORRECTED:
                self._correct_later(form, rng, at)

    def _ask(self, form: Administration, item: str, rng: Random, at: datetime) -> Query:
        number = instruments.get(form.instrument, form.instrument_version).items_by_code[item].number
        label = protocol_rules.form_label(self.stage.spec, form.instrument)
        query = review.raise_query(
            participant=form.participant,
            text=f"{label} question {number} has no answer. Is there one on the source?",
            administration=form,
            field=item,
            value_asked=form.missing.get(item, ""),
            by=self.manager,
            at=at,
        )
        day = self.calendar.next_working(self.calendar.day_of(at) + timedelta(days=rng.randint(2, 6)))
        self.stage.agenda.at(self.stage.some_time(rng, day, 10, 15), lambda later: self._answer(query, rng, later))
        return query

    def _answer(self, query: Query, rng: Random, at: datetime) -> None:
        """The coordinator finds the answer on the source, or confirms the gap."""
        form = query.administration
        by = self.stage.staff.at(Role.COORDINATOR, query.participant.referral.site.code)
        is_found = form is not None and rng.random() < 0.5 and query.field in form.missing
        if is_found and form is not None:
            item = instruments.get(form.instrument).items_by_code[query.field]
            self._change(form, query.field, (item.min + item.max) // 2, "Answer to a query", at)
        text = "Found on the source and entered." if is_found else "Checked: left blank on the source too."
        review.answer(query=query, text=text, by=by, at=at)
        day = self.calendar.next_working(self.calendar.day_of(at) + timedelta(days=rng.randint(1, 5)))
        moment = self.stage.some_time(rng, day, 9, 16)
        self.stage.agenda.at(moment, lambda later: self._close(query, later))

    def _close(self, query: Query, at: datetime) -> None:
        review.close(query=query, text="Thank you.", by=self.manager, at=at)

    def _ask_lately(self, at: datetime) -> None:
        """Questions of the last days: some wait for an answer, one answer waits to be read."""
        asked: set[int] = set()
        for text, code in zip(words.QUESTIONS, ("01", "01", "02", "03"), strict=True):
            forms = Administration.objects.filter(
                participant__referral__site__code=code, visit__number__gte=2, status="complete"
            ).exclude(participant__in=asked)
            form = forms.select_related("participant", "visit").order_by("-submitted_at", "-pk").first()
            if form is None:
                continue
            asked.add(form.participant_id)
            by = self.stage.staff("monitor") if len(asked) % 2 else self.manager
            query = review.raise_query(participant=form.participant, text=text, administration=form, by=by, at=at)
            if code == "03":
                by = self.stage.staff.at(Role.COORDINATOR, code)
                review.answer(query=query, text="The left one, as initialled.", by=by, at=at + timedelta(hours=3))

    # -- corrections

    def _correct_later(self, form: Administration, rng: Random, at: datetime) -> None:
        codes = [code for code in form.answers if code not in (SELF_HARM, "nc_days", "pref_activity")]
        code = rng.choice(codes)
        item = instruments.get(form.instrument).items_by_code[code]
        value = form.answers[code] - 1 if form.answers[code] > item.min else form.answers[code] + 1
        day = self.calendar.next_working(self.calendar.day_of(at) + timedelta(days=rng.randint(2, 9)))
        moment = self.stage.some_time(rng, day, 10, 16)
        self.stage.agenda.at(moment, lambda later: self._change(form, code, value, "Misread paper", later))

    def _change(self, form: Administration, item: str, value: int, reason: str, at: datetime) -> None:
        """One value of a complete form, with its reason (BR-63)."""
        now = Administration.objects.select_related("participant__referral__site", "visit").get(pk=form.pk)
        missing = {code: why for code, why in now.missing.items() if code != item}
        assessments.save_form(
            participant=now.participant,
            visit=now.visit,
            instrument=now.instrument,
            answers={**now.answers, item: value},
            missing=missing,
            mode=now.mode,
            respondent=now.respondent,
            completed_date=now.completed_date,
            by=self.stage.staff.at(Role.COORDINATOR, now.participant.referral.site.code),
            at=at,
            expected_revision=now.revision,
            submit=True,
            reasons={item: reason},
            assessor=now.assessor,
        )

    # -- towards the lock

    def _sign_off(self, at: datetime) -> None:
        """Each investigator signs most of the people whose data are complete."""
        done = Participant.objects.filter(referral__status=Status.COMPLETED).select_related("referral__site")
        for participant in done.exclude(queries__state__in=("open", "answered")).order_by("study_id"):
            if self.stage.draws("sign-off", participant.study_id).random() < SIGNED_OFF:
                by = self.stage.staff.at(Role.PRINCIPAL_INVESTIGATOR, participant.referral.site.code)
                review.sign_off(participant=participant, proof=self.stage.staff.proof(by, at), by=by, at=at)

    def _cut(self, at: datetime) -> None:
        """The data of the steering committee's last meeting."""
        locking.make_cut(
            name=f"Steering committee, {at:%B %Y}",
            reason="Planned meeting of the trial steering committee.",
            data_through=self.calendar.day_of(at),
            by=self.manager,
            at=at,
        )

    # -- entered in error

    def _closed(self, status: Status) -> Referral | None:
        return Referral.objects.filter(status=status, site__code="01").order_by("-status_date", "-pk").first()

    def _take_back(self, at: datetime) -> None:
        """A refusal entered for the wrong person is taken back by two people (T18)."""
        if referral := self._closed(Status.DECLINED):
            asked = reversal.ask(
                referral=referral, reason="Entered for the wrong person; she is still thinking.", by=self.manager, at=at
            )
            later = at + timedelta(hours=3)
            by = self.stage.staff("pi")
            self.stage.agenda.at(later, lambda when: reversal.approve(reversal=asked, by=by, at=when))

    def _ask_to_take_back(self, at: datetime) -> None:
        """Another request waits for the investigator."""
        if referral := self._closed(Status.PRESCREEN_INELIGIBLE):
            reversal.ask(
                referral=referral, reason="The GP practice is inside the area after all.", by=self.manager, at=at
            )
