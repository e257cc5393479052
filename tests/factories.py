"""Builders for tests: each makes a small trial's record through the product's own actions, with fixed dates.

Tests that use them take the fixture `clock` (Thursday 9 July 2026, 11am in London) unless they say otherwise.
"""

import itertools
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

import instruments
from tests.snapshot import once, once_from_here
from trial.access.models import Delegation, Duty, RoleAssignment, Site, User
from trial.access.policy import POLICY, Role
from trial.access.signing import Proof, reauthenticate, sign
from trial.allocation import schemes
from trial.assessments import actions as assessments
from trial.assessments.expected import expected_forms_of
from trial.assessments.models import Administration, InstrumentLicence
from trial.base import triggers
from trial.consent.actions import ConsentData, documents_on, load_documents
from trial.consent.models import Consent
from trial.journey import actions as journey
from trial.journey import steps
from trial.locking.models import DatasetLock
from trial.participants.actions import ReferralData
from trial.participants.identity import IdentityData
from trial.participants.models import Participant, Referral
from trial.protocol import actions as protocol
from trial.protocol.models import ProtocolVersion
from trial.protocol.versions import restricted_parameters
from trial.screening import actions as screening
from trial.screening.models import Eligibility

NOW = datetime(2026, 7, 9, 10, 0, tzinfo=UTC)
TODAY = date(2026, 7, 9)
PASSWORD = "a-long-enough-password"
LIBRARY = Path(settings.BASE_DIR) / "trial" / "protocol" / "library"
_numbers = itertools.count(1)


def make_user(name: str = "", *, email: str = "") -> User:
    """An account with a known password and no role."""
    number = next(_numbers)
    return User.objects.create_user(
        email or f"person{number}@example.org", name or f"Person {number}", password=PASSWORD
    )


def give_role(
    user: User, role: Role, site: Site | None = None, *, blinded: bool | None = None, since: date = date(2026, 1, 1)
) -> User:
    """Give a role; roles held for all sites take no site."""
    spec = POLICY[role]
    RoleAssignment(
        user=user,
        role=role,
        site=site if spec.per_site else None,
        from_date=since,
        blinded=bool(blinded) if spec.blinded is None else spec.blinded,
    ).save_by(None)
    user.__dict__.pop("access", None)
    return user


def staff(role: Role, site: Site | None = None, *, name: str = "", blinded: bool | None = None) -> User:
    """A person with one role; duties that go with it are delegated at the site."""
    user = give_role(make_user(name or Role(role).label), role, site, blinded=blinded)
    for duty in DUTIES.get(role, ()):
        for at in [site] if site else Site.objects.all():
            delegate(user, duty, at)
    return user


DUTIES: dict[Role, tuple[Duty, ...]] = {
    Role.COORDINATOR: (Duty.CONSENT,),
    Role.PRINCIPAL_INVESTIGATOR: (Duty.CONSENT, Duty.ELIGIBILITY, Duty.SAFETY),
    Role.RANDOMISER: (Duty.RANDOMISATION,),
    Role.DUTY_CLINICIAN: (Duty.SAFETY,),
}


def delegate(user: User, duty: Duty, site: Site, since: date = date(2026, 1, 1), **more: Any) -> Delegation:
    """One signed line of the delegation log."""
    line = Delegation(
        user=user,
        site=site,
        duty=duty,
        from_date=since,
        training_evidence="Good clinical practice certificate",
        training_date=since,
        **more,
    ).save_by(None)
    at = datetime.combine(since, datetime.min.time(), tzinfo=UTC)
    line.signature = sign(
        proof=Proof(user.pk, at, "password"), by=user, meaning="I delegate", record=line, content={}, at=at
    )
    line.signed_by = user
    return line.save_by(None, "Signed")


def make_protocol(name: str = "greenrx_f", *, changes: dict[str, Any] | None = None) -> ProtocolVersion:
    """Load, activate and document a protocol of the library, with its instruments licensed.

    Args:
        changes: top-level keys replaced before loading, for tests that need another rule.
    """
    once(_key(name, changes), lambda: _load(_source(name, changes)))
    return ProtocolVersion.objects.latest("pk")


def _source(name: str, changes: dict[str, Any] | None) -> str:
    return json.dumps(json.loads((LIBRARY / f"{name}.json").read_text()) | (changes or {}))


def _key(name: str, changes: dict[str, Any] | None, *more: str) -> tuple[str, ...]:
    """What the rows depend on."""
    return (_source(name, changes), str(timezone.localdate()), *settings.SEALING_KEYS, *settings.IDENTITY_KEYS, *more)


def _load(source: str) -> None:
    version = protocol.activate(version=protocol.load(source=source, by=None, at=NOW), by=None, at=NOW)
    load_documents(version=version, by=None)
    green_light()
    for used in version.spec.instruments:
        licence = instruments.get(used.code, used.version).licence
        if licence.registration_required:
            InstrumentLicence(
                instrument=used.code,
                reference="TEST-1",
                holder="University of Westmarch",
                licence_date=date(2026, 1, 1),
                copyright_line="Used with permission",
            ).save_by(None)


def green_light() -> None:
    """Every site as if its checklist had been signed, past the trigger that asks for it."""
    with triggers.lifted(connection):
        for at in Site.objects.all():
            at.green_light_date = date(2026, 1, 1)
            at.save_by(None, "Checklist signed")


def protocol_with_demo(version: str) -> dict[str, Any]:
    """GREENRX-F with the made-up instrument of tests.instruments.builders at baseline, optional, by telephone."""
    data: dict[str, Any] = json.loads((LIBRARY / "greenrx_f.json").read_text())
    data["instruments"].append(
        {
            "code": "demo",
            "version": version,
            "label": "Demo",
            "outcome": "other",
            "self_report": False,
            "double_entry": False,
        }
    )
    data["visits"][1]["forms"].append({"form": "demo", "required": False, "modes": ["interview_phone"]})
    return data


def open_randomisation(version: ProtocolVersion) -> None:
    """Lock the protocol's scheme, approved by two people, and open it."""
    office = schemes.Office(
        statistician=make_user("Statistician"),
        tester=make_user("Tester"),
        sponsor=make_user("First approver"),
        second_statistician=make_user("Second approver"),
        manager=make_user("Trial office"),
    )
    schemes.lock_at_once(
        spec=version.spec,
        restricted=restricted_parameters(version),
        office=office,
        simulation={},
        acceptance={},
        at=NOW - timedelta(days=100),
    )
    schemes.open_scheme(code=version.spec.randomisation.scheme, by=office.manager, at=NOW - timedelta(days=99))


def site(code: str = "01") -> Site:
    """A site of the protocol."""
    return Site.objects.get(code=code)


class Trial:
    """A protocol in force with one coordinator, investigator, randomiser and duty clinician at one site."""

    def __init__(self, name: str = "greenrx_f", site_code: str = "01", changes: dict[str, Any] | None = None) -> None:
        once(_key(name, changes, site_code), lambda: self._build(name, site_code, changes))
        self.version = ProtocolVersion.objects.latest("pk")
        self.spec = self.version.spec
        self.site = site(site_code)
        self.coordinator, self.investigator, self.randomiser, self.clinician = (
            User.objects.filter(name=person).latest("pk") for person in self.PEOPLE
        )

    PEOPLE = ("Asha Patel", "Dr Helen Okafor", "Ruth Vane", "Dr Omar Iqbal")

    def _build(self, name: str, site_code: str, changes: dict[str, Any] | None) -> None:
        _load(_source(name, changes))
        here = site(site_code)
        coordinator, investigator, randomiser, clinician = self.PEOPLE
        staff(Role.COORDINATOR, here, name=coordinator)
        staff(Role.PRINCIPAL_INVESTIGATOR, here, name=investigator, blinded=False)
        staff(Role.RANDOMISER, name=randomiser)
        staff(Role.DUTY_CLINICIAN, here, name=clinician)

    def open_randomisation(self) -> "Trial":
        """Lock and open the scheme."""
        once_from_here("open", lambda: open_randomisation(self.version))
        return self

    def refer(self, *, at: datetime = NOW - timedelta(days=10), **who: Any) -> Referral:
        """A referral from a practice, with a made-up identity."""
        number = next(_numbers)
        data = IdentityData(
            **{
                "first_name": "Carol",
                "last_name": f"Tester {_letters(number)}",
                "birth_date": date(1971, 3, 14),
                "gp_practice": "Tavyside Surgery",
                "phone": "01632 960001",
                "email": f"carol{number}@example.org",
                **who,
            }
        )
        return journey.refer(
            site=self.site,
            data=ReferralData(
                source_type="gp_practice",
                received_date=timezone.localdate(at),
                contact_basis="permission",
                referrer="Tavyside Surgery",
            ),
            who=data,
            by=self.coordinator,
            at=at,
        )

    def informed(self, *, at: datetime = NOW - timedelta(days=8), **who: Any) -> Referral:
        """Contacted, and given the information sheet."""
        referral = self.refer(at=at - timedelta(days=2), **who)
        steps.contact(
            referral=referral,
            contacted_at=at,
            channel="phone",
            outcome="two_way",
            by=self.coordinator,
            at=at,
        )
        sheet = documents_on(kind="pis", site=self.site, on=timezone.localdate(at))[0]
        steps.inform(
            referral=Referral.objects.get(pk=referral.pk),
            document=sheet,
            given_at=at,
            how="email",
            by=self.coordinator,
            at=at,
        )
        return Referral.objects.get(pk=referral.pk)

    def consent_data(self, *, at: datetime, **answers: bool) -> ConsentData:
        """Every statement agreed, on paper."""
        form = documents_on(kind="consent", site=self.site, on=timezone.localdate(at))[0]
        return ConsentData(
            method=Consent.Method.PAPER,
            answers={s["code"]: True for s in form.statements} | answers,
            signed_at=at,
            capacity_confirmed=True,
            copy_given_date=timezone.localdate(at),
        )

    def consented(self, *, at: datetime = NOW - timedelta(days=5), **who: Any) -> Participant:
        """Consented on paper, with a study number."""
        if who:
            return self._consented(at, **who)
        once_from_here(("consented", self.site.code, at), lambda: self._consented(at))
        return Participant.objects.latest("pk")

    def _consented(self, at: datetime, **who: Any) -> Participant:
        referral = self.informed(at=at - timedelta(days=3), **who)
        made = steps.consent(
            referral=referral,
            form=documents_on(kind="consent", site=self.site, on=timezone.localdate(at))[0],
            information=referral.information_given.get(),
            data=self.consent_data(at=at),
            by=self.coordinator,
            at=at,
        )
        return Participant.objects.get(pk=made.participant.pk)

    def save_form(
        self,
        participant: Participant,
        visit: str,
        instrument: str,
        answers: dict[str, int] | None = None,
        *,
        at: datetime = NOW,
        submit: bool = True,
        **more: Any,
    ) -> Administration:
        """Store a questionnaire; the answers are the lowest of each item that raise no alert, unless given."""
        row = participant.visits.get(code=visit)
        definition = instruments.get(instrument)
        form = next(f for v in self.spec.visits if v.code == visit for f in v.forms if f.form == instrument)
        stored = Administration.objects.filter(visit=row, instrument=instrument).first()
        given = {
            "missing": {},
            "mode": form.modes[-1],
            "respondent": "participant",
            "completed_date": timezone.localdate(at),
            "expected_revision": stored.revision if stored else 0,
            "by": self.coordinator,
        } | more
        return assessments.save_form(
            participant=participant,
            visit=row,
            instrument=instrument,
            answers=_quiet_answers(definition) if answers is None else answers,
            at=at,
            submit=submit,
            **given,
        )

    def screened(self, participant: Participant, *, total: int = 8, at: datetime = NOW - timedelta(days=4)) -> None:
        """The eligibility questionnaires, with this total where the protocol bands a score."""
        for factor in self.spec.randomisation.factors:
            source = factor.source
            if source.type != "site":
                self.save_form(
                    participant, source.visit, source.instrument, answers_with_total(source.instrument, total), at=at
                )

    def eligible(
        self, participant: Participant | None = None, *, total: int = 8, at: datetime = NOW - timedelta(days=4)
    ) -> Participant:
        """Every criterion met and signed."""
        if participant is None:
            once_from_here(("eligible", self.site.code, total, at), lambda: self._eligible(None, total, at))
            return Participant.objects.latest("pk")
        return self._eligible(participant, total, at)

    def _eligible(self, participant: Participant | None, total: int, at: datetime) -> Participant:
        participant = participant or self.consented(at=at - timedelta(days=1))
        self.screened(participant, total=total, at=at)
        assessed = self.assess(participant, at=at)
        steps.sign_eligibility(eligibility=assessed, proof=proof(self.investigator, at), by=self.investigator, at=at)
        return Participant.objects.get(pk=participant.pk)

    def assess(self, participant: Participant, *, at: datetime = NOW, **answers: str) -> Eligibility:
        """Answer the judged criteria as met, unless given otherwise."""
        judged = {
            c.code: (answers.get(c.code, "yes" if c.kind == "inclusion" else "no"), "Asked")
            for c in self.spec.criteria
            if c.rule.type == "judgement"
        }
        return screening.assess(
            participant=participant,
            judged=judged,
            assessed_date=timezone.localdate(at),
            by=self.coordinator,
            at=at,
        )

    def baseline_done(
        self, participant: Participant | None = None, *, total: int = 8, at: datetime = NOW - timedelta(days=2)
    ) -> Participant:
        """Every required baseline questionnaire complete."""
        if participant is None:
            once_from_here(("baseline", self.site.code, total, at), lambda: self._baseline(total, at))
            return Participant.objects.latest("pk")
        return self._complete_baseline(participant, at)

    def _baseline(self, total: int, at: datetime) -> None:
        self._complete_baseline(self.eligible(total=total, at=at - timedelta(days=1)), at)

    def _complete_baseline(self, participant: Participant, at: datetime) -> Participant:
        for form in expected_forms_of(participant, on=timezone.localdate(at)):
            if form.required and not form.is_complete:
                self.save_form(participant, form.visit_code, form.instrument, at=at)
        return Participant.objects.get(pk=participant.pk)

    def randomised(self, participant: Participant | None = None, *, total: int = 8, at: datetime = NOW) -> Participant:
        """Allocated; the scheme must be open."""
        participant = participant or self.baseline_done(total=total, at=at - timedelta(days=1))
        steps.randomise(
            participant=participant,
            levels=participant.eligibility.strata,
            request_key=f"request-{participant.pk}",
            proof=proof(self.randomiser, at),
            by=self.randomiser,
            at=at,
        )
        return Participant.objects.get(pk=participant.pk)


def _letters(number: int) -> str:
    """A surname for a number: names are compared by their letters."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(number)).title()


def _lowest(item: instruments.Item) -> int:
    return min(option.value for option in item.options) if item.options else int(item.min or 0)


def _highest(item: instruments.Item) -> int:
    return max(option.value for option in item.options) if item.options else _lowest(item)


def _quiet_answers(definition: instruments.Instrument) -> dict[str, int]:
    """The lowest answers, or the highest where low ones raise an alert, as on a scale of well-being."""
    lowest = {item.code: _lowest(item) for item in definition.items}
    if not instruments.score(definition, lowest).alerts:
        return lowest
    return {item.code: _highest(item) for item in definition.items}


def answers_with_total(instrument: str, total: int) -> dict[str, int]:
    """Answers whose scored items add up to `total`, with none on an item that raises an alert."""
    definition = instruments.get(instrument)
    alerting = {alert.item for alert in definition.alerts if alert.item}
    scored = definition.scores[0].items
    answers = {item.code: _lowest(item) for item in definition.items}
    left = total - sum(answers[code] for code in scored)
    for code in scored:
        if code in alerting:
            continue
        item = definition.items_by_code[code]
        step = min(left, max(option.value for option in item.options) - answers[code])
        answers[code] += step
        left -= step
    return answers


def final_lock() -> DatasetLock:
    """A final lock in force, whatever the checks of readiness say."""
    asker, agreer = make_user("Tom Ellery"), make_user("Dr Ruth Sayer")
    return DatasetLock(
        code="L001",
        kind=DatasetLock.Kind.FINAL,
        state=DatasetLock.State.LOCKED,
        reason="Main analysis",
        data_through=TODAY,
        asked_by=asker,
        asked_at=NOW,
        agreed_by=agreer,
        locked_at=NOW,
    ).save_by(asker)


def proof(user: User, at: datetime = NOW) -> Proof:
    """That the person has just entered their password."""
    return reauthenticate(user=user, secret=PASSWORD, at=at)
