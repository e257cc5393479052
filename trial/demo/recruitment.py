"""One person from referral to randomisation, or to wherever their path ends."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from trial.access.policy import Role
from trial.assessments.expected import expected_forms_of
from trial.consent.actions import ConsentData, documents_on
from trial.consent.models import Consent
from trial.demo import answers, consents, words
from trial.demo.calendar import local_moment
from trial.demo.stage import Case, Mode
from trial.journey import actions as journey
from trial.journey import steps
from trial.participants.actions import ReferralData
from trial.participants.models import Status
from trial.protocol import rules as protocol_rules
from trial.screening import actions as screening
from trial.screening import rules as screening_rules
from trial.screening.models import ContactAttempt, Eligibility

S = Status
Outcome = ContactAttempt.Outcome
STEPS = ("refer", "contact", "inform", "consent", "screen", "sign", "baseline", "randomise")
GAPS = {
    "baseline": (0, 3),
    "sign": (0, 2),
    "screen": (0, 1),
    "consent": (0, 2),
    "inform": (2, 12),
    "contact": (0, 2),
    "refer": (1, 8),
}
"""Days from each step to the next one, at least and at most."""
HOURS = {name: 9 + index for index, name in enumerate(STEPS)}
REACHED: dict[Status, tuple[str, ...]] = {
    S.REFERRED: ("refer",),
    S.NOT_CONTACTABLE: ("refer",),
    S.PRESCREEN_INELIGIBLE: ("refer", "contact", "contact"),
    S.CONTACTED: ("contact",),
    S.INFORMED: ("inform",),
    S.DECLINED: ("contact", "inform", "inform"),
    S.CONSENTED: ("consent", "screen"),
    S.SCREEN_FAILED: ("screen",),
    S.ELIGIBLE: ("sign",),
    S.BASELINE_DONE: ("baseline",),
    S.WITHDRAWN_BEFORE_RANDOMISATION: ("consent", "sign", "baseline"),
    S.RANDOMISED: ("randomise",),
}
"""The last step that is taken on the way to each ending; people take them in turn."""
CLOSED = {S.NOT_CONTACTABLE, S.PRESCREEN_INELIGIBLE, S.DECLINED, S.SCREEN_FAILED, S.WITHDRAWN_BEFORE_RANDOMISATION}
OUT_OF_RANGE = 0.6
"""Share of those not eligible whose PHQ-9 is outside the protocol's range."""
REPEAT_AFTER_DAYS = 14


class Recruitment:
    """Writes one person's steps into the agenda."""

    def __init__(self, case: Case, follow: Callable[[Case], None]) -> None:
        self.case, self.stage, self.plan = case, case.stage, case.plan
        self.rng = case.rng
        self.follow = follow
        self.fails_score = self.rng.random() < OUT_OF_RANGE
        turns = REACHED[self.plan.ending]
        self.last_step = turns[self.plan.number % len(turns)]
        self.days = self._days()

    def begin(self) -> None:
        """Write down every step up to the one at which the path ends."""
        for name in STEPS[: STEPS.index(self.last_step) + 1]:
            moment = local_moment(self.days[name], HOURS[name], self.rng.randint(1, 25))
            self.stage.agenda.at(moment, getattr(self, name), is_alone=name == "randomise")
        if self.plan.ending in CLOSED:
            self.stage.agenda.at(self.stage.some_time(self.rng, self.plan.last_day, 16), self.close)
        if self.plan.ending in (S.REFERRED, S.NOT_CONTACTABLE):
            self._attempts()

    def _days(self) -> dict[str, date]:
        """The day of each step, counted back from the last one over working days."""
        calendar = self.stage.calendar
        first = calendar.next_working(calendar.opens(self.plan.site))
        last = self.last_step
        day = self.plan.last_day
        if self.plan.ending in CLOSED:
            day = calendar.working(day - timedelta(days=self.rng.randint(1, 4)))
        if self.plan.ending == S.NOT_CONTACTABLE:
            day = calendar.working(day - timedelta(days=12))
        days = {last: max(day, first)}
        for name in reversed(STEPS[: STEPS.index(last)]):
            day = max(calendar.working(day - timedelta(days=self.rng.randint(*GAPS[name]))), first)
            days[name] = day
        return days

    # -- before consent

    def refer(self, at: datetime) -> None:
        """T01."""
        kind = self.rng.choices(*words.SOURCES)[0]
        wish = ("none", *(arm.code for arm in self.stage.spec.arms))
        asked = wish[self.case.filled("V1", "activity_preference").answers.get("pref_activity", 0)]
        data = ReferralData(
            source_type=kind,
            received_date=self.stage.calendar.day_of(at),
            contact_basis="self_referral" if kind == "self" else "permission",
            referrer=words.referrer(kind, self.case.who.data.gp_practice),
            sex=self.case.who.sex,
            arm_preference=asked if self.rng.random() < 0.7 else "",
            notes=self.rng.choice(words.NOTES),
            **words.referral_details(kind, self.plan.number),
        )
        by = self.case.coordinator
        self.case.referral_id = journey.refer(site=self.case.site, data=data, who=self.case.who.data, by=by, at=at).pk

    def contact(self, at: datetime) -> None:
        """T02, after up to two tries without an answer."""
        for tried in range(self.rng.choices((0, 1, 2), (55, 30, 15))[0]):
            self._try(at - timedelta(minutes=40 - 15 * tried), "phone", Outcome.NO_ANSWER, at)
        self._try(at - timedelta(minutes=5), "phone", Outcome.TWO_WAY, at, self.rng.randint(4, 20))

    def _try(self, when: datetime, channel: str, outcome: str, at: datetime, minutes: int | None = None) -> None:
        note = self.rng.choice(words.CONTACT_NOTES) if outcome == Outcome.TWO_WAY else ""
        steps.contact(
            referral=self.case.referral,
            contacted_at=when,
            channel=channel,
            outcome=outcome,
            duration_min=minutes,
            note=note,
            by=self.case.coordinator,
            at=at,
        )

    def _attempts(self) -> None:
        """Tries that reach nobody: enough of them close the referral (T03)."""
        tries = (("phone", 2), ("text", 4), ("letter", 7)) if self.plan.ending == S.NOT_CONTACTABLE else (("phone", 2),)
        for channel, after in tries:
            day = self.stage.calendar.working(self.days["refer"] + timedelta(days=after))
            moment = self.stage.some_time(self.rng, day, 10 + after)

            def run(at: datetime, channel: str = channel) -> None:
                self._try(at, channel, Outcome.NO_ANSWER if channel == "phone" else Outcome.MESSAGE_LEFT, at)

            self.stage.agenda.at(moment, run)

    def inform(self, at: datetime) -> None:
        """T04."""
        sheet = documents_on(kind="pis", site=self.case.site, on=self.stage.calendar.day_of(at))[0]
        how = self.rng.choices(("post", "email", "in_person"), (35, 50, 15))[0]
        by = self.case.coordinator
        steps.inform(referral=self.case.referral, document=sheet, given_at=at, how=how, by=by, at=at)

    def close(self, at: datetime) -> None:
        """T03, T05, T06, T08, T11: the path ends here."""
        journey.close(
            referral=self.case.referral,
            target=self.plan.ending,
            reasons=self._reasons(),
            by=self.case.coordinator,
            at=at,
        )
        if self.plan.again:
            self._come_back(at)

    def _reasons(self) -> list[str]:
        spec, ending = self.stage.spec, self.plan.ending
        if ending == S.PRESCREEN_INELIGIBLE:
            under_age = self.case.who.data.birth_date and self.case.referral.age_band == "under 18"
            codes = [one.code for one in protocol_rules.prescreen_criteria(spec)][1:]
            return ["I1"] if under_age else self.rng.sample(codes, self.rng.choice((1, 1, 1, 2)))
        if ending == S.SCREEN_FAILED:
            found = self.case.participant.eligibility.answers
            return screening_rules.failed_codes(spec.criteria, {code: one["answer"] for code, one in found.items()})
        if ending == S.NOT_CONTACTABLE:
            return ["not_contactable"]
        which: protocol_rules.ReasonList = "decline" if ending == S.DECLINED else "withdrawal"
        codes = [one.code for one in protocol_rules.reasons(spec, which) if one.means != "death"]
        return [self.rng.choice(codes)]

    def _come_back(self, at: datetime) -> None:
        """Referred again later, under a new screening number (T17); nobody has rung yet."""
        day = self.stage.calendar.working(self.stage.calendar.today - timedelta(days=3))
        again = Recruitment(Case(self.stage, self.plan, self.case.who), self.follow)
        self.stage.agenda.at(self.stage.some_time(self.rng, day, 9), again.refer)

    # -- from consent

    def consent(self, at: datetime) -> None:
        """T07."""
        form = documents_on(kind="consent", site=self.case.site, on=self.stage.calendar.day_of(at))[0]
        method = self.rng.choices(*words.CONSENT_METHODS)[0]
        is_witnessed = method == Consent.Method.TELEPHONE_WITNESSED
        said = {one["code"]: bool(one["mandatory"] or self.rng.random() < 0.8) for one in form.statements}
        data = ConsentData(
            method=method,
            answers=said,
            signed_at=at - timedelta(minutes=1),
            capacity_confirmed=True,
            copy_given_date=self.stage.calendar.day_of(at),
            witness_name="Colleague of the study team" if is_witnessed else "",
        )
        given = consents.give(
            stage=self.stage,
            referral=self.case.referral,
            form=form,
            information=self.case.referral.information_given.latest("given_at"),
            data=data,
            name=self.case.who.data.name,
            by=self.case.coordinator,
            rng=self.stage.draws(self.plan.number, "signature"),
            at=at,
        )
        self.case.participant_id = given.participant_id
        self.stage.cases[given.participant_id] = self.case

    def screen(self, at: datetime) -> None:
        """The eligibility questionnaire, and the criteria where that is enough to decide."""
        filled = answers.Filled(
            answers.phq9(self.stage.draws(self.plan.number, "V0", "phq9"), self.case.traits("V0"), self._total()), {}
        )
        mode = Mode.INTERVIEW_PHONE if self.rng.random() < 0.7 else Mode.INTERVIEW_IN_PERSON
        self.case.answer("V0", "phq9", filled, mode=mode, at=at)
        if self.plan.ending in (S.SCREEN_FAILED, S.CONSENTED):
            self._assess(at + timedelta(minutes=5))

    def _total(self) -> int:
        """PHQ-9 at screening: inside the protocol's range for those who enter."""
        total = answers.phq9_total(self.case.traits("V0"))
        if self.plan.ending == S.SCREEN_FAILED and self.fails_score:
            return self.rng.choice((1, 2, 3, 4, 15, 16, 17, 18))
        return min(max(total, 5), 14)

    def _assess(self, at: datetime) -> Eligibility:
        judged = {
            one.code: ("yes" if one.kind == "inclusion" else "no", "Asked")
            for one in self.stage.spec.criteria
            if one.rule.type == "judgement"
        }
        if self.plan.ending == S.SCREEN_FAILED and not self.fails_score:
            code = self.rng.choice(["I3", "E4", "E5", "E6"])
            judged[code] = ("no" if code == "I3" else "yes", "Said so on the telephone")
        return screening.assess(
            participant=self.case.participant,
            judged=judged,
            assessed_date=self.stage.calendar.day_of(at),
            by=self.case.coordinator,
            at=at,
        )

    def sign(self, at: datetime) -> None:
        """T09."""
        by = self.case.by(Role.PRINCIPAL_INVESTIGATOR)
        found = self._assess(at - timedelta(minutes=30))
        steps.sign_eligibility(eligibility=found, proof=self.stage.staff.proof(by, at), by=by, at=at)
        if self.plan.ending == S.ELIGIBLE:
            self._fill(at + timedelta(minutes=40), most=2 + self.plan.number % 4)

    def baseline(self, at: datetime) -> None:
        """T10: every baseline form, one after the other."""
        self._fill(at)

    def _fill(self, at: datetime, most: int | None = None) -> None:
        """Fill in baseline forms; with `most`, only the first of them."""
        forms = [
            f for f in expected_forms_of(self.case.participant, on=self.stage.calendar.day_of(at)) if f.is_baseline
        ]
        if most is None:  # a form that is not required comes before the last required one, which moves the person on
            forms.sort(key=lambda form: form.required)
        for number, form in enumerate(forms[:most]):
            moment = at + timedelta(minutes=2 * number)
            if not form.required and self.rng.random() < 0.06:
                self.case.not_done(form.visit_code, form.instrument, "NO_TIME", moment)
                continue
            filled = self.case.filled(form.visit_code, form.instrument)
            self.case.answer(
                form.visit_code,
                form.instrument,
                filled,
                mode=self.case.mode_for(form.visit_code, form.instrument),
                at=moment,
            )

    def randomise(self, at: datetime) -> None:
        """T12, in a transaction of its own."""
        participant = self.case.participant
        by = self.stage.staff("randomiser")
        steps.randomise(
            participant=participant,
            levels=participant.eligibility.strata,
            request_key=f"demonstration-{participant.study_id}",
            proof=self.stage.staff.proof(by, at),
            by=by,
            at=at,
        )
        self.follow(self.case)
