"""A whole trial whose arms have words of their own: afterwards they stand nowhere but in the protocol (13.12, BR-26)."""

import io
import logging
from contextlib import suppress
from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django.urls import NoReverseMatch, reverse

from exports import actions as exports
from randomisation import codes, proposals, states
from randomisation.models import Allocation, EnvelopePrint, EventLog, Purpose, Scheme, SealedRow
from randomisation.unsealed import unseal
from tests.factories import NOW, PASSWORD, TODAY, Trial, proof, staff
from tests.journeys import sentinel
from tests.journeys.visitor import Visitor
from tests.test_permissions import World, absent, address, is_permitted, pages, values
from trial.access.policy import Role
from trial.allocation import hooks, schemes
from trial.allocation.actions import AllocationRefused, report_unblinding
from trial.journey import steps
from trial.locking import actions as locking
from trial.operations import tick
from trial.protocol.versions import restricted_parameters

pytestmark = [pytest.mark.django_db, pytest.mark.only_sqlite, pytest.mark.usefixtures("clock", "reading")]

DEFINITION = {
    "randomisation_revision.params_public",
    "trial_historicalprotocolversion.content",
    "trial_protocolversion.content",
}
"""The arms as the protocol and the scheme define them: the only cells of the database that name one."""

PUBLIC_DEFINITION = {
    "protocol:protocol",
    "allocation:scheme",
    "allocation:revision",
    "allocation:certificate",
    "allocation:statement",
    "allocation:statement_pdf",
    "allocation:statement_text",
    "allocation:guess",
}
"""Pages that say which arms there are, the same for everybody: the protocol, the scheme, its lock certificate, the public
statement, and the question which arm an assessor believes in, whose answers they are."""


class Story:
    """The trial from its configuration to a blinded release, by the product's own actions and pages."""

    def __init__(self, log) -> None:
        self.log = log
        self.trial = Trial(changes=sentinel.changes())
        self.office = schemes.Office(
            statistician=staff(Role.UNBLINDED_STATISTICIAN, name="Una Reed"),
            tester=staff(Role.TRIAL_MANAGER, name="Mia Lane", blinded=True),
            sponsor=staff(Role.SPONSOR_REPRESENTATIVE, name="Sam Orr"),
            second_statistician=staff(Role.UNBLINDED_STATISTICIAN, name="Uma Shaw"),
            manager=staff(Role.CHIEF_INVESTIGATOR, name="Dr Cora Hale", blinded=True),
        )
        self.printed = io.StringIO()
        self.go_live()
        self.world = World(self.trial)
        self.people = [self.trial.randomised(at=NOW) for _ in range(3)]
        self.refused()
        self.by_page()
        self.envelope()
        self.exceptions()
        self.pause_extend_and_go_on()
        self.release = self.released()
        tick.run(at=NOW + timedelta(minutes=1))
        self.commands()

    @property
    def scheme(self) -> Scheme:
        return Scheme.objects.get()

    def go_live(self) -> None:
        """Configured, simulated, tested and signed, locked by two people, opened."""
        office, at = self.office, NOW - timedelta(days=100)
        call_command("simulate_randomisation", by=office.statistician.email, trials=2, stdout=self.printed)
        restricted = restricted_parameters(self.trial.version)
        revision = schemes.configure(spec=self.trial.spec, restricted=restricted, by=office.statistician, at=at)
        schemes.keep_simulation(revision=revision, document={"table": []}, by=office.statistician, at=at)
        test = schemes.keep_acceptance_test(
            revision=revision,
            document={"cases": [{"id": "S01", "observed": sentinel.SECRETS[0]}]},
            n_passed=1,
            n_failed=0,
            by=office.tester,
            at=at,
        )
        schemes.sign_acceptance_test(document=test, by=office.statistician, at=at)
        asked = schemes.ask_lock(revision=revision, reason="Ready", by=office.manager, at=at)
        for person in (office.second_statistician, office.sponsor):
            proposals.approve(proposal=asked, by=person, at=at)
        schemes.open_scheme(code=self.trial.spec.randomisation.scheme, by=office.tester, at=at)

    def refused(self) -> None:
        """Somebody without a baseline, and somebody whose levels were chosen wrongly."""
        participant = self.trial.baseline_done()
        with pytest.raises(AllocationRefused):
            steps.randomise(
                participant=participant,
                levels={"site": "02", "phq9_band": "5-9"},
                request_key="wrong",
                proof=proof(self.trial.randomiser),
                by=self.trial.randomiser,
                at=NOW,
            )
        self.waiting = participant

    def by_page(self) -> None:
        """One allocation through the pages; the same confirmation sent twice."""
        page = Visitor(self.trial.randomiser).open(f"/people/{self.waiting.study_id}/randomise/")
        page.send(level_site="01", level_phq9_band="5-9").send(secret=PASSWORD).says("Allocation recorded")
        page.open(f"/people/{self.waiting.study_id}/randomise/").says("Allocation recorded")

    def envelope(self) -> None:
        """An envelope opened while the service was down, entered afterwards."""
        participant, revision = self.trial.baseline_done(), self.scheme.revision_in_force
        key = "site=01"
        EnvelopePrint.objects.create(
            revision=revision, key=key, n_envelopes=12, by=self.office.statistician, at=NOW - timedelta(days=90)
        )
        unsealed = unseal(revision)
        row = SealedRow.objects.get(purpose=Purpose.BACKUP, key=key, position=1)
        code = codes.envelope_code(unsealed, key=key, position=1, arm=unsealed.open_row(row))
        facts = {
            "unit": participant.study_id,
            "members": [{"participant_id": participant.pk, "levels": dict(participant.eligibility.strata)}],
            "key": "envelope-1",
            "site": "01",
            "made_at": NOW.isoformat(),
            "software_version": "0.1.0",
            "list_key": key,
            "position": 1,
            "code": code,
        }
        self.decide(proposals.BACKUP, facts, after=self.follow(participant))

    def follow(self, participant):
        """What the features above do beside an allocation that is entered late."""

        def after(made) -> None:
            for hook in hooks.after_late_allocation:
                hook(participant, made, self.office.tester, NOW)

        return after

    def decide(self, kind: str, facts: dict, *, allocation=None, after=None, n: int = 1) -> None:
        """Asked for by the trial manager, approved by as many others as it takes."""
        asked = proposals.ask(
            scheme=self.scheme,
            kind=kind,
            facts=facts,
            reason="As agreed",
            by=self.office.tester,
            at=NOW,
            allocation=allocation,
            site="01" if allocation else "",
        )
        for person in (self.office.sponsor, self.office.statistician)[:n]:
            proposals.approve(proposal=asked, by=person, at=NOW, after_allocate=after)

    def exceptions(self) -> None:
        """A correction, an exclusion, a code break, and an assessor who found out."""
        first, second, third = (Allocation.objects.get(members__participant=one) for one in self.people)
        self.decide(proposals.CORRECT, {"members": [{"site": "01", "phq9_band": "10-14"}]}, allocation=first)
        self.decide(proposals.FLAG, {"category": "duplicate", "excludes": True}, allocation=second)
        broken = {"category": "emergency", "who_knows": "The ward doctor"}
        self.decide(proposals.CODE_BREAK, broken, allocation=third)
        assessor = staff(Role.OUTCOME_ASSESSOR, self.trial.site, name="Ida Webb")
        report_unblinding(
            participant=self.people[0],
            person=assessor,
            kind="accidental",
            route="The person said it",
            happened_date=TODAY,
            by=assessor,
            at=NOW,
        )

    def pause_extend_and_go_on(self) -> None:
        """A pause with a refusal in it, lists made longer, and opened again."""
        waiting = self.trial.baseline_done()
        states.pause_scheme(scheme=self.scheme, reason="Rehearsal", by=self.office.tester, at=NOW)
        with pytest.raises(AllocationRefused):
            self.trial.randomised(waiting)
        self.decide(proposals.EXTEND, {"rows_per_stratum": 80}, n=2)
        states.open_scheme(scheme=self.scheme, by=self.office.tester, at=NOW)
        self.trial.save_form(self.people[0], "V2", "phq9", mode="self_paper", by=self.trial.coordinator)

    def released(self):
        """A cut and its blinded release."""
        manager = staff(Role.DATA_MANAGER, name="Tom Ellery")
        cut = locking.make_cut(name="Look", reason="Meeting", data_through=TODAY, by=manager, at=NOW)
        asked = exports.request_release(lock=cut, variant="blinded", purpose="Check", by=manager, at=NOW)
        return exports.build_release(release=asked, by=manager)

    def commands(self) -> None:
        """What an operator runs."""
        call_command("tick", stdout=self.printed, stderr=self.printed)
        call_command("verify_audit", stdout=self.printed, stderr=self.printed)
        call_command("rotate_keys", stdout=self.printed, stderr=self.printed)


@pytest.fixture
def story(caplog, settings, tmp_path):
    settings.RELEASE_DIR = tmp_path / "releases"
    with caplog.at_level(logging.DEBUG):
        return Story(caplog)


def test_database_logs_mail_commands_and_release_name_no_arm(story):
    told = "\n".join(str(message.message()) + str(message.extra_headers) for message in mail.outbox)
    records = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in story.log.records)
    client = signed_in(staff(Role.TRIAL_STATISTICIAN))

    download = client.post(f"/releases/{story.release.pk}/download/", {"purpose": "Analysis"})

    assert_everything_happened()
    assert sentinel.columns_with_an_arm() == DEFINITION
    assert sentinel.hits(told) == []
    assert sentinel.hits(records) == []
    assert sentinel.hits(story.printed.getvalue()) == []
    assert download.status_code == 200
    assert [place for place, text in sentinel.response_texts("release", download) if sentinel.hits(text)] == []


def assert_everything_happened():
    events = set(EventLog.objects.values_list("event", flat=True))
    arms = {unseal(one.revision).arm_code(one) for one in Allocation.objects.all()}
    assert events >= {
        "lock",
        "open",
        "allocate",
        "backup",
        "refused",
        "correct",
        "exclude",
        "code_break",
        "pause",
        "extend",
    }
    assert Allocation.objects.count() == 7
    assert arms == set(sentinel.SECRETS)
    assert len(mail.outbox) > 10


def signed_in(user):
    client = Client(raise_request_exception=False)  # an error page is read like any other
    client.force_login(user)
    return client


@pytest.mark.drill
def test_no_page_download_or_error_shows_an_arm_to_a_blinded_reader(story):
    leaks = set()

    for number, reader in enumerate(sentinel.blinded_readers(story.trial.site)):
        client = signed_in(reader)
        for name, where in addresses(story.world, reader, with_errors=number == 0):
            for place, text in sentinel.response_texts(where, client.get(where)):
                leaks |= {(name, place) for _ in sentinel.hits(text)}

    assert {name for name, _ in leaks} == PUBLIC_DEFINITION, sorted(leaks)


LISTS = ("/people/?format=csv", "/audit/?format=csv", "/audit/access/?format=csv", "/queries/?format=csv")


def addresses(world, reader, *, with_errors):
    """Every address that opens to the reader, with a record; lists as files.

    With errors also those that are refused, records that are not there, and no page: they read alike for everybody.
    """
    role = Role(reader.role_code)
    for name, pattern in pages():
        if not (with_errors or is_permitted(pattern.callback, role, blinded=True)):
            continue
        own, named = address(name, pattern, values(world, world.own, name, reader))
        yield name, own
        with suppress(NoReverseMatch):
            if named and with_errors:
                yield f"{name} (absent)", reverse(name, kwargs=absent(name, named))
    yield from ((where, where) for where in (*LISTS, "/nowhere/"))
