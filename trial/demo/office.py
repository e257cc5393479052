"""The randomisation office of the demonstration: from draft to opening, and what it does beside recruitment.

Every step is taken by the person who may take it, through the product's own actions. The secret, and with it every
arm, is drawn anew each time; what happens when does not depend on it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.views.decorators.debug import sensitive_variables

from randomisation import proposals
from randomisation.models import Allocation, CodeBreak, Proposal, Revision, Scheme, SchemeSite
from randomisation.simulation import simulate, usual_candidates
from trial.access.models import User
from trial.access.policy import Role
from trial.allocation import schemes
from trial.allocation.acceptance import jobs
from trial.allocation.acceptance.signing import sign_test
from trial.allocation.designs import expected_people, own_design
from trial.allocation.exceptions import asking, code_breaks, envelopes
from trial.allocation.office import deciding, first_checks, operating
from trial.demo.agenda import Agenda
from trial.demo.calendar import local_moment
from trial.demo.stage import Stage
from trial.participants.models import Participant
from trial.protocol.versions import restricted_parameters

N_SIMULATED = 40
PAUSED_SITE, PAUSED_WHY = "03", "Two of the three trained coordinators are ill"
MORE_PLACES = 6
FIRST_CHECK_AFTER, CORRECTED_AFTER, MARKED_AFTER, BROKEN_AFTER = 5, 4, 6, 3
"""Allocations there must be before the office does it."""


def prepare(stage: Stage, at: datetime, *, with_test: bool) -> None:
    """Write down what leads to the opening: two days, each step by another person (randomisation.md section 10).

    Args:
        at: when the statistician configures the scheme.
        with_test: run the acceptance test for real, which takes some seconds; else one without cases is kept.
    """
    steps: list[tuple[timedelta, Callable[[Stage, datetime], None]]] = [
        (timedelta(0), _configure),
        (timedelta(minutes=40), _simulate),
        (timedelta(hours=3), _test if with_test else _test_nothing),
        (timedelta(hours=5), _sign),
        (timedelta(hours=24), _ask_lock),
        (timedelta(hours=25), _first_approval),
        (timedelta(hours=26), _second_approval),
        (timedelta(hours=28), _open),
        (timedelta(hours=52), _print_envelopes),
    ]
    agenda: Agenda = stage.agenda
    for after, step in steps:
        agenda.at(at + after, partial(step, stage))


def begin(stage: Stage) -> None:
    """Write down what the office does while people are recruited: a look each week, and one site paused for a night."""
    calendar, agenda = stage.calendar, stage.agenda
    Round(stage).begin()
    evening = calendar.working(calendar.opens(PAUSED_SITE) + timedelta(days=60))
    agenda.at(local_moment(evening, 19, 30), lambda at: _move_site(stage, SchemeSite.State.PAUSED, PAUSED_WHY, at))
    morning = local_moment(evening + timedelta(days=1), 7, 15)
    agenda.at(morning, lambda at: _move_site(stage, SchemeSite.State.OPEN, "One of them is back", at))
    asked = local_moment(calendar.working(calendar.today - timedelta(days=1)), 16, 10)
    agenda.at(asked, lambda at: _ask_more_places(stage, at))


def _scheme(stage: Stage) -> Scheme:
    return Scheme.objects.get(code=stage.spec.randomisation.scheme)


def _draft(stage: Stage) -> Revision:
    draft = _scheme(stage).draft
    if draft is None:
        raise LookupError("The scheme is in preparation.")
    return draft


# -- before the opening


@sensitive_variables()
def _configure(stage: Stage, at: datetime) -> None:
    restricted = restricted_parameters(stage.version)
    schemes.configure(spec=stage.spec, restricted=restricted, by=stage.staff("unblinded"), at=at)


@sensitive_variables()
def _simulate(stage: Stage, at: datetime) -> None:
    own = own_design(stage.version)
    compared = simulate(
        usual_candidates(own.parameters),
        population=expected_people(stage.spec),
        target=stage.spec.recruitment.target,
        n_trials=N_SIMULATED,
    )
    by = stage.staff("unblinded")
    schemes.keep_simulation(revision=_draft(stage), document=compared.as_json(), by=by, at=at)


def _test(stage: Stage, at: datetime) -> None:
    jobs.perform(revision=_draft(stage), by=stage.staff("manager"), at=at)


def _test_nothing(stage: Stage, at: datetime) -> None:
    schemes.keep_acceptance_test(
        revision=_draft(stage), document={"cases": []}, n_passed=0, n_failed=0, by=stage.staff("manager"), at=at
    )


def _sign(stage: Stage, at: datetime) -> None:
    by = stage.staff("unblinded")
    document = _draft(stage).documents.filter(kind="acceptance")[0]
    sign_test(document=document, deviations="", proof=stage.staff.proof(by, at), by=by, at=at)


def _ask_lock(stage: Stage, at: datetime) -> None:
    schemes.ask_lock(revision=_draft(stage), reason="Ready for recruitment", by=stage.staff("manager"), at=at)


def _first_approval(stage: Stage, at: datetime) -> None:
    _approve(stage, _waiting(stage, proposals.LOCK), stage.staff("unblinded.second"), at)


def _second_approval(stage: Stage, at: datetime) -> None:
    _approve(stage, _waiting(stage, proposals.LOCK), stage.staff("representative"), at)


def _open(stage: Stage, at: datetime) -> None:
    schemes.open_scheme(code=stage.spec.randomisation.scheme, by=stage.staff("manager"), at=at)


@sensitive_variables()
def _print_envelopes(stage: Stage, at: datetime) -> None:
    """Those of the first site; nobody keeps the file."""
    by = stage.staff("unblinded")
    own = next((one for one in envelopes.emergency_lists() if one.key in ("site=01", "all")), None)
    if own is not None:
        envelopes.print_once(envelopes=own, spec=stage.spec, proof=stage.staff.proof(by, at), by=by, at=at)


def _waiting(stage: Stage, kind: str) -> Proposal:
    found: Proposal = _scheme(stage).proposals.get(kind=kind, state=Proposal.State.ASKED)
    return found


def _approve(stage: Stage, proposal: Proposal, by: User, at: datetime) -> None:
    deciding.approve(proposal=proposal, note="", proof=stage.staff.proof(by, at), by=by, at=at)


# -- beside recruitment


def _move_site(stage: Stage, state: SchemeSite.State, why: str, at: datetime) -> None:
    site = stage.sites[PAUSED_SITE]
    by = stage.staff("manager")
    operating.move_site(scheme=_scheme(stage), site=site, state=state, reason=why, by=by, at=at)


def _ask_more_places(stage: Stage, at: datetime) -> None:
    """Waits for the statistician and the sponsor's representative."""
    scheme = _scheme(stage)
    facts = {"ceiling": (scheme.ceiling or 0) + MORE_PLACES}
    why = "Three people more than planned were withdrawn before their group began"
    by = stage.staff("manager")
    operating.ask(scheme=scheme, kind=proposals.RAISE_CEILING, facts=facts, reason=why, by=by, at=at)


class Round:
    """A look at the randomisation each week: what is due once enough people are allocated is done, one thing a week."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.deeds: list[tuple[int, Callable[[datetime], Any]]] = [
            (BROKEN_AFTER, self.break_code),
            (CORRECTED_AFTER, self.correct),
            (FIRST_CHECK_AFTER, self.check_first),
            (MARKED_AFTER, self.mark),
        ]

    def begin(self) -> None:
        """One round a week until today."""
        calendar = self.stage.calendar
        day = calendar.opens("01") + timedelta(days=45)
        while day < calendar.today:
            self.stage.agenda.at(local_moment(calendar.working(day), 18, 20), self.look)
            day += timedelta(days=7)

    def look(self, at: datetime) -> None:
        """Do the next thing, if enough people are allocated."""
        if self.deeds and _scheme(self.stage).next_seq > self.deeds[0][0]:
            _, deed = self.deeds.pop(0)
            deed(at)

    def _person(self, seq: int) -> tuple[Allocation, Participant]:
        allocation: Allocation = _scheme(self.stage).allocations.get(seq=seq)
        return allocation, Participant.objects.get(allocation_links__allocation=allocation)

    def check_first(self, at: datetime) -> None:
        """The first allocations, replayed from the log."""
        by = self.stage.staff("unblinded")
        first_checks.check(scheme=_scheme(self.stage), site="", plausible=True, note="", by=by, at=at)

    def correct(self, at: datetime) -> None:
        """The wrong band was chosen; the statistician, who works at no site, approves the true one."""
        allocation, participant = self._person(CORRECTED_AFTER)
        factors = [f for f in allocation.revision.params_public["factors"] if f["code"] != "site"]
        if not factors:
            return
        factor = factors[0]
        now = allocation.factors[factor["code"]]
        other = next(level for level in factor["levels"] if level != now)
        asked = asking.ask_correction(
            participant=participant,
            members=[{factor["code"]: other}],
            reason="The score was added up wrongly on paper",
            by=self.stage.staff.at(Role.COORDINATOR, allocation.site),
            at=at,
        )
        self._approve_later(asked, "unblinded", at)

    def mark(self, at: datetime) -> None:
        """Somebody turns out not to have been eligible; the allocation stands."""
        allocation, participant = self._person(MARKED_AFTER)
        asked = asking.ask_flag(
            participant=participant,
            category="ineligible",
            reason="Took part in another trial at the time",
            by=self.stage.staff.at(Role.COORDINATOR, allocation.site),
            at=at,
        )
        self._approve_later(asked, "representative", at)

    def break_code(self, at: datetime) -> None:
        """A duty clinician needs to know one person's arm; the trial manager authorises it."""
        allocation, participant = self._person(BROKEN_AFTER)
        clinician = self.stage.staff.at(Role.DUTY_CLINICIAN, allocation.site)
        asked = asking.ask_code_break(
            participant=participant,
            category="emergency",
            reason="Collapsed at home; the hospital asks about recent exertion",
            who_knows="The duty clinician of the site",
            third_party="",
            stays_in_follow_up=True,
            by=clinician,
            at=at,
        )
        _approve(self.stage, asked, self.stage.staff("manager"), at + timedelta(minutes=10))
        later = at + timedelta(minutes=20)
        broken = CodeBreak.objects.get(proposal=asked)
        code_breaks.show(broken=broken, proof=self.stage.staff.proof(clinician, later), by=clinician, at=later)

    def _approve_later(self, asked: Proposal, account: str, at: datetime) -> None:
        by = self.stage.staff(account)
        self.stage.agenda.at(at + timedelta(hours=1), lambda later: _approve(self.stage, asked, by, later))
