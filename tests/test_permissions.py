"""Every address of the site, as every role, against the one table of the policy (R-12, issue 2 point 5).

A page that is added needs nothing here unless its address names a new kind of record: then the test says so.
"""

import base64
import copy
import re
from collections.abc import Iterator
from datetime import time, timedelta

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from randomisation import proposals
from randomisation.models import DraftDocument, Scheme, StratumCursor
from tests.factories import NOW, TODAY, Trial, make_user, site, staff
from tests.trial.selfcompletion.builders import a_link
from trial.access.models import Delegation, RoleAssignment, User
from trial.access.policy import POLICY, REVEALS_ARM, Action, Role
from trial.activities.models import ActivityGroup, Membership, Provider, Session, Venue
from trial.allocation.households import make_household
from trial.allocation.models import SimulationRun
from trial.checks import PUBLIC
from trial.claims.actions import offer
from trial.consent.models import DocumentVersion
from trial.deviations.models import Deviation
from trial.interest.actions import Left, add_source, receive
from trial.journey import importing
from trial.locking.models import DatasetLock
from trial.messages import actions as outbox
from trial.paper.scan_actions import attach
from trial.participants import disposal
from trial.participants.identity import seal_text
from trial.participants.models import Participant
from trial.participation.actions import record_change
from trial.review.models import Query
from trial.rights.breaches import log
from trial.rights.requests import record
from trial.safety.actions import raise_alert
from trial.safety.models import AdverseEvent

pytestmark = [pytest.mark.django_db, pytest.mark.only_sqlite]  # tells of the policy, not of a database

LIBRARIES = ("accounts/", "admin/")


def _cases() -> list[tuple[Role, bool]]:
    """Each role; where the study decides who is blinded, both ways."""
    return [
        (role, blinded)
        for role, spec in POLICY.items()
        for blinded in ([spec.blinded] if spec.blinded is not None else [False, True])
    ]


def pages(
    resolver: URLResolver | None = None, namespace: str = "", route: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    """Every page of our own with its full name."""
    for entry in (resolver or get_resolver()).url_patterns:
        whole = route + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from pages(entry, inner, whole)
        elif not whole.startswith(LIBRARIES):
            yield f"{namespace}{entry.name}", entry


class Records:
    """One record of each kind that addresses name, all at one site."""

    def __init__(self, trial: Trial, number: int) -> None:
        self.participant = trial.randomised(at=NOW - timedelta(hours=number))
        self.alert = raise_alert(
            participant=self.participant, trigger="distress", severity="review", by=trial.coordinator, at=NOW
        )
        self.event = _adverse_event(self.participant, trial.coordinator)
        self.deviation = _deviation(trial, self.participant)
        self.leader = staff(Role.ACTIVITY_LEADER, trial.site, name=f"Leader {number}")
        self.group = _group(trial, self.leader)
        self.membership = Membership(participant=self.participant, group=self.group, from_date=TODAY).save_by(None)
        self.session = Session(
            group=self.group, number=1, starts_at=NOW - timedelta(hours=1), ends_at=NOW + timedelta(hours=1)
        ).save_by(None)
        self.query = Query(participant=self.participant, field="phq9_1", raised_at=NOW).save_by(None)
        self.delegation = Delegation.objects.filter(site=trial.site).first()
        self.link = a_link(self.participant)
        self.site = trial.site
        self.claim = offer(
            participant=self.participant,
            kind="voucher",
            visit=self.participant.visits.first(),
            amount_pence=1000,
            by=trial.coordinator,
            at=NOW,
        )
        self.data_request = record(
            referral=self.participant.referral,
            kind="access",
            received_date=TODAY,
            identity_check="known",
            asked="My data",
            by=trial.coordinator,
            at=NOW,
        )
        self.change = record_change(
            participant=self.participant,
            effective_date=TODAY,
            decided_by="participant",
            elements={"interview": False},
            by=trial.coordinator,
            at=NOW,
            today=TODAY,
        )
        self.source = add_source(
            site=trial.site,
            name="Surgery",
            source_type="self",
            referral_model="signposting",
            by=trial.coordinator,
            at=NOW,
        )
        self.household = make_household(
            site=trial.site, people=[self.participant, trial.consented()], by=trial.coordinator, at=NOW
        )
        self.entry = receive(source=self.source, left=Left("Jo Elm", phone="01632 960002"), consents=True, at=NOW)
        trial.save_form(self.participant, "V3", "phq9", mode="self_paper", by=trial.coordinator)
        self.scan = attach(
            visit=self.participant.visits.get(code="V3"), instrument="phq9", data=DOT, by=trial.coordinator, at=NOW
        )


DOT = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==")
"""The smallest picture there is."""


def _adverse_event(participant, by: User) -> AdverseEvent:
    return AdverseEvent(
        participant=participant,
        sequence=1,
        onset_date=TODAY,
        aware_date=TODAY,
        category="BLISTER",
        description_sealed="",
        severity="mild",
        related_to_activity="possible",
        related_to_procedures="unrelated",
        expected=True,
        expected_list_version="1.0",
        outcome="recovering",
        reported_at=NOW,
        reported_by=by,
    ).save_by(by)


def _deviation(trial: Trial, participant: Participant) -> Deviation:
    return Deviation(
        site=trial.site,
        participant=participant,
        sequence=1,
        occurred_date=TODAY,
        kind="data",
        severity="minor",
        description_sealed=seal_text(participant.referral.person, "A form was lost"),
        recorded_at=NOW,
    ).save_by(None)


def _group(trial: Trial, leader: User) -> ActivityGroup:
    venue = Venue(provider=Provider(name=f"P{trial.site.code}").save_by(None), name=f"V{trial.site.code}")
    return ActivityGroup(
        site=trial.site,
        name="Thursday morning group",
        arm_number=0,
        venue=venue.save_by(None),
        leader=leader,
        start_date=TODAY,
        start_time=time(10),
        duration_min=120,
        min_size=1,
        max_size=12,
    ).save_by(None)


class World:
    """Two sites with records of their own, and what belongs to no site."""

    def __init__(self, trial: Trial | None = None) -> None:
        self.trial = trial or Trial().open_randomisation()
        self.own = Records(self.trial, 1)
        self.elsewhere = Records(self._at_second_site(), 2)
        self.lock = DatasetLock(
            code="C001",
            name="First cut",
            kind="cut",
            state="cut",
            reason="Interim",
            data_through=TODAY,
            asked_by=self.trial.coordinator,
            asked_at=NOW,
        ).save_by(None)
        self.message = outbox.write_message(
            key="k", kind="x", heading="H", body="B", at=NOW, to_user=self.trial.clinician
        )
        self.account = self.trial.coordinator
        manager = staff(Role.TRIAL_MANAGER, blinded=False)
        self.disposal = disposal.ask(
            referral=self.own.participant.referral, why="retention", reason="Over", by=manager, at=NOW
        )
        self.breach = log(
            kind="integrity",
            discovered_at=NOW,
            what="A letter",
            categories=["identity"],
            n_people=1,
            by=manager,
            at=NOW,
        )
        self.scheme = Scheme.objects.get(code=self.trial.spec.randomisation.scheme)
        self.request = proposals.ask(
            scheme=self.scheme, kind=proposals.CLOSE, facts={}, reason="Enough", by=self.trial.coordinator, at=NOW
        )
        self.envelopes = StratumCursor.objects.get(purpose="backup", key=f"site={self.trial.site.code}")
        self.acceptance = DraftDocument.objects.get(kind="acceptance").pk
        self.simulation = SimulationRun.objects.create(
            scheme=self.scheme.code,
            revision=1,
            asked_sealed="",
            n_trials=1,
            state=SimulationRun.State.FAILED,
            asked_by=self.trial.coordinator,
            asked_at=NOW,
        )

    def _at_second_site(self) -> Trial:
        other = copy.copy(self.trial)
        other.site = site("02")
        other.coordinator = staff(Role.COORDINATOR, other.site)
        other.investigator = staff(Role.PRINCIPAL_INVESTIGATOR, other.site, blinded=False)
        other.clinician = staff(Role.DUTY_CLINICIAN, other.site)
        return other

    def member(self, role: Role, blinded: bool) -> User:
        """Somebody in the role at the first site; a leader leads its group."""
        if role == Role.ACTIVITY_LEADER:
            return self.own.leader
        return staff(role, self.trial.site, blinded=blinded)

    def import_of(self, user: User) -> int:
        """A list that this person brought in, where they may."""
        if not user.access.may(Action.IMPORT_REFERRALS):
            return 0
        head = "source_type,referral_model,received_date,contact_basis,sex,first_name,last_name,birth_date,phone,gp_practice"
        data = f"{head}\nself,signposting,1/7/2026,self_referral,female,A,B,1/1/1980,01632 960001,C\n".encode()
        return importing.check(data=data, file_name="list.csv", by=user, at=NOW).pk


SITE_FREE = re.compile(
    r"^(access:(person|account_state|invite_again|new_role|end_role|site)|.*lock.*|send_again|exports:.*|"
    r"allocation:(request|.*_request|simulation.*|scheme|revision|accrual|log|first_check|balance.*|certificate|"
    r"contribution|configure|simulate|extend|add_level|raise_ceiling|reopen|open_scheme|pause_scheme|ask_close|"
    r".*acceptance.*|statement.*|inspection.*|reveal|ask_reveal|package|verification|.*_envelopes)|"
    r"documents:.*|rights:(.*breach.*|certificate|backups|decide_disposal))$"
)
"""Pages whose record belongs to no site."""


SITE_BY_CODE = frozenset({"access:site", "documents:dates", "journey:green_light"})
"""Pages whose address names a site by its code."""


def values(world: World, records: Records, name: str, user: User) -> dict[str, object]:
    """What stands in an address: the records of one site by the name of their part."""
    kinds = {
        "safety:alert": records.alert.pk,
        "safety:acknowledge": records.alert.pk,
        "safety:close": records.alert.pk,
        "safety:contact": records.alert.pk,
        "safety:": records.event.pk,
        "deviations:": records.deviation.pk,
        "documents:": DocumentVersion.objects.latest("pk").pk,
        "activities:group": records.group.pk,
        "activities:add_member": records.group.pk,
        "activities:": records.membership.pk,
        "review:": records.query.pk,
        "journey:import": world.import_of(user),
        "referrals:": records.participant.messages_back.first().pk,
        "journey:refer_interest": records.entry.pk,
        "interest:entry": records.entry.pk,
        "interest:": records.source.pk,
        "rights:extend": records.data_request.pk,
        "rights:decide_disposal": world.disposal.pk,
        "rights:decide": records.data_request.pk,
        "rights:lift": records.data_request.pk,
        "rights:request": records.data_request.pk,
        "rights:certificate": world.disposal.pk,
        "rights:backups": world.disposal.pk,
        "rights:": world.breach.pk,
        "claims:": records.claim.pk,
        "access:end_delegation": records.delegation.pk,
        "access:sign_delegation": records.delegation.pk,
        "access:": world.account.pk,
        "locking:": world.lock.pk,
        "send_again": world.message.pk,
        "exports:": world.lock.pk,
        "paper:": records.scan.pk,
        "allocation:request": world.request.pk,
        "allocation:approve_request": world.request.pk,
        "allocation:refuse_request": world.request.pk,
        "allocation:withdraw_request": world.request.pk,
        "allocation:simulation": world.simulation.pk,
        "allocation:acceptance": world.acceptance,
        "allocation:sign_acceptance": world.acceptance,
        "allocation:print_envelopes": world.envelopes.pk,
        "allocation:count_envelopes": world.envelopes.pk,
        "allocation:code_break": 1,
    }
    return {
        "number": records.participant.study_id,
        "kind": "pis",
        "session": records.session.pk,
        "visit": "V3" if name.startswith("double_entry:") else "V2",
        "page": 1,
        "form": "phq9",
        "how": "left",
        "step": "approve",
        "change": records.change.pk,
        "token": records.link.removeprefix("/q/").rstrip("/"),
        "part": 1,
        "item": 1,
        "code": _code(records, name),
        "table": "DM",
        "scheme": world.scheme.code,
        "revision": 1,
        "site": records.site.code,
        "source": records.source.code,
        "role": RoleAssignment.objects.filter(user=world.account).first().pk,
        "pk": next((pk for start, pk in kinds.items() if name.startswith(start)), None),
    }


def _code(records: Records, name: str) -> str:
    if name in SITE_BY_CODE:
        return records.site.code
    return records.household.code if "household" in name else "wemwbs"


def absent(name: str, named: dict[str, object]) -> dict[str, object]:
    """The same address with a record that is not there."""
    gone = {
        "number": "GRX-01-999-9",
        "scheme": "nosuch",
        "pk": 987_654,
        "session": 987_654,
        "role": 987_654,
        "code": "nosuch",
    }
    return {key: gone.get(key, value) for key, value in named.items()}


def address(name: str, pattern: URLPattern, found: dict[str, object]) -> tuple[str, dict[str, object]]:
    """The address of a page, and the parts that name records."""
    wanted = pattern.pattern.regex.groupindex
    unknown = [key for key in wanted if found.get(key) is None]
    assert not unknown, f"{name} names {unknown}: say in values() which record that is"
    named = {key: found[key] for key in wanted}
    return reverse(name, kwargs=named), named


def is_permitted(view, role: Role, blinded: bool) -> bool:
    """What the policy says of a page for a role."""
    if view.permission is None or view.permission == "any role":
        return True
    return any(
        action in POLICY[role].actions and not (blinded and action in REVEALS_ARM) for action in view.permissions
    )


@pytest.mark.parametrize(("role", "blinded"), _cases())
def test_every_page_follows_the_table(client, clock, role, blinded):
    world = World()
    user = world.member(role, blinded)
    client.force_login(user)
    per_site = POLICY[role].per_site
    problems = []

    for name, pattern in pages():
        own, named = address(name, pattern, values(world, world.own, name, user))
        answer = client.get(own).status_code
        permitted = is_permitted(pattern.callback, role, blinded)
        if answer >= 500 and name != "readyz":
            problems.append(f"{own} answers {answer}")
        if permitted == (answer == 403):
            problems.append(f"{own} answers {answer}, the policy says {'yes' if permitted else 'no'}")
        if permitted and named and name not in PUBLIC and not SITE_FREE.match(name):
            elsewhere, _ = address(name, pattern, values(world, world.elsewhere, name, user))
            nowhere = client.get(reverse(name, kwargs=absent(name, named))).status_code
            there = client.get(elsewhere).status_code
            if nowhere not in (404, 405):
                problems.append(f"{own} with a record that is not there answers {nowhere}")
            if per_site and name not in OWN_ONLY and there != nowhere:
                problems.append(f"{elsewhere} of another site answers {there}, one that is not there {nowhere}")
            if there >= 500:
                problems.append(f"{elsewhere} answers {there}")

    assert problems == []


OWN_ONLY = frozenset({"journey:import", "journey:import_refused", "journey:import_lines"})
"""Pages of records that belong to a person, not to a site."""


def test_nobody_opens_a_page_without_signing_in(client, clock):
    world = World()
    problems = []

    for name, pattern in pages():
        where, _ = address(name, pattern, values(world, world.own, name, world.account))
        answer = client.get(where)
        is_public = pattern.callback.permission is None
        if not is_public and not answer.headers.get("Location", "").startswith("/accounts/login/?next="):
            problems.append(f"{where} answers {answer.status_code}")
        if is_public and answer.status_code == 403:
            problems.append(f"{where} is public and answers 403")

    assert problems == []


def test_without_a_role_nothing_opens(client, clock):
    world = World()
    client.force_login(make_user())
    problems = []

    for name, pattern in pages():
        where, _ = address(name, pattern, values(world, world.own, name, world.account))
        answer = client.get(where).status_code
        if pattern.callback.permission is not None and answer != 403:
            problems.append(f"{where} answers {answer}")

    assert problems == []


def test_a_role_that_has_ended_opens_nothing(client, clock):
    world = World()
    role = world.trial.coordinator.assignments.get()
    role.to_date = TODAY - timedelta(days=1)
    role.save_by(None, "Ended")
    client.force_login(world.trial.coordinator)

    assert client.get("/people/").status_code == 403
    assert client.get(f"/people/{world.own.participant.study_id}/").status_code == 403


def test_every_page_on_the_public_list_is_there():
    assert {pattern.name for _, pattern in pages() if pattern.callback.permission is None} == PUBLIC
