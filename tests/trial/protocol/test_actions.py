"""Loading, activating and approving protocol versions."""

import copy
import json
from datetime import UTC, date, datetime

import pytest
from django.db import DatabaseError, connection, transaction

from tests.trial.protocol.conftest import DATA, FILES, changed, raw
from trial.access.models import Site, User
from trial.protocol import actions, rules
from trial.protocol.errors import (
    AnotherStudy,
    ApprovalRefused,
    NoProtocolInForce,
    NotADraft,
    ProtocolRefused,
    VersionFrozen,
)
from trial.protocol.models import ProtocolVersion, SiteApproval
from trial.protocol.versions import (
    active_version,
    current,
    restricted_parameters,
    study_line,
    version_in_force,
)

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
LATER = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def manager():
    return User.objects.create_user("manager@example.org", "Leah Brook")


@pytest.fixture
def active(manager):
    version = actions.load(source=FILES["greenrx"], by=manager, at=NOW)
    return actions.activate(version=version, by=manager, at=NOW)


def amendment(version="1.1", approved=("2026-05-04", None, None), **changes):
    """The data of a second version, approved at some sites."""
    data = copy.deepcopy(DATA["greenrx"])
    data["protocol"] = {"version": version, "date": "2026-04-01", "changes": "Longer window at week 5."}
    for site, day in zip(data["sites"], approved, strict=True):
        site["protocol_approved"] = site["protocol_effective"] = day
    for key, value in changes.items():
        data = changed(data, key.replace("__", "."), value)
    return data


def activate_amendment(manager, **options):
    version = actions.load(source=raw(amendment(**options)), by=manager, at=LATER)
    return actions.activate(version=version, by=manager, at=LATER)


# -- load


def test_load_stores_a_draft_with_the_hash_of_its_content(manager):
    version = actions.load(source=FILES["greenrx"], by=manager, at=NOW)

    assert (version.study_code, version.version, version.status) == ("GREENRXF", "1.0", "draft")
    assert version.loaded_at == NOW
    assert version.spec.study.id_prefix == "GRX"
    assert version.history.get().history_user == manager


def test_load_keeps_restricted_parameters_out_of_the_content(manager):
    version = actions.load(source=FILES["greenrx"], by=manager, at=NOW)

    assert "block_sizes" not in version.content
    assert version.spec.randomisation.restricted is None
    assert restricted_parameters(version).block_sizes == (4, 6)


def test_load_of_a_simple_scheme_has_no_restricted_parameters(manager):
    data = copy.deepcopy(DATA["greenrx"])
    data["randomisation"] = {"scheme": "main", "method": "simple", "factors": []}

    version = actions.load(source=raw(data), by=manager, at=NOW)

    assert restricted_parameters(version) is None


def test_the_same_content_again_changes_nothing(manager):
    first = actions.load(source=FILES["greenrx"], by=manager, at=NOW)

    again = actions.load(source=json.dumps(DATA["greenrx"], indent=4), by=manager, at=LATER)

    assert again == first
    assert again.loaded_at == NOW
    assert again.history.count() == 1


def test_a_draft_takes_another_content(manager):
    first = actions.load(source=FILES["greenrx"], by=manager, at=NOW)

    again = actions.load(source=raw(changed(DATA["greenrx"], "contact.min_attempts", 4)), by=manager, at=LATER)

    assert again == first
    assert again.spec.contact.min_attempts == 4
    assert again.content_sha256 != first.content_sha256
    assert again.history.count() == 2


def test_a_draft_takes_other_block_sizes(manager):
    first = actions.load(source=FILES["greenrx"], by=manager, at=NOW)
    data = changed(DATA["greenrx"], "randomisation.restricted.block_sizes", [4, 8])

    again = actions.load(source=raw(data), by=manager, at=LATER)

    assert again.content_sha256 == first.content_sha256
    assert restricted_parameters(again).block_sizes == (4, 8)


@pytest.mark.parametrize(
    ("key", "value"), [("contact.min_attempts", 4), ("randomisation.restricted.block_sizes", [4, 8])]
)
def test_an_active_version_is_refused_with_another_content(active, manager, key, value):
    with pytest.raises(VersionFrozen, match=r"Version 1\.0 is active and never changes"):
        actions.load(source=raw(changed(DATA["greenrx"], key, value)), by=manager, at=LATER)


def test_an_active_version_loaded_again_stays_as_it_is(active, manager):
    assert actions.load(source=FILES["greenrx"], by=manager, at=LATER) == active


def test_another_study_is_refused_once_one_is_active(active, manager):
    with pytest.raises(AnotherStudy, match="holds the study GREENRXF, not NORTHBANK"):
        actions.load(source=FILES["northbank"], by=manager, at=LATER)


def test_a_draft_of_another_study_does_not_stand_in_the_way(manager):
    actions.load(source=FILES["northbank"], by=manager, at=NOW)
    version = actions.load(source=FILES["greenrx"], by=manager, at=NOW)

    actions.activate(version=version, by=manager, at=NOW)

    assert current() == version


def test_the_prefix_of_participant_ids_never_changes(active, manager):
    with pytest.raises(AnotherStudy, match="start with GRX"):
        actions.load(source=raw(amendment(study__id_prefix="GRY")), by=manager, at=LATER)


def test_an_amendment_cannot_reword_an_approved_document(active, manager):
    data = amendment(documents__1__statements__0__text="I was told about it.")

    with pytest.raises(ProtocolRefused, match=r"documents\.1\.code"):
        actions.load(source=raw(data), by=manager, at=LATER)


def test_an_amendment_may_end_the_use_of_a_document(active, manager):
    data = amendment(documents__0__sites__0__effective_to="2026-05-03")

    assert actions.load(source=raw(data), by=manager, at=LATER).status == "draft"


def test_a_wrong_file_leaves_nothing_behind(manager, tmp_path):
    with pytest.raises(ProtocolRefused, match="cannot be read"):
        actions.load(source=tmp_path / "absent.json", by=manager, at=NOW)
    with pytest.raises(ProtocolRefused, match="not UTF-8"):
        actions.load(source="\ud800", by=manager, at=NOW)

    assert not ProtocolVersion.objects.exists()


# -- activate


def test_activate_makes_the_sites_and_their_approvals(active):
    sites = {site.code: site for site in Site.objects.all()}

    assert {code: site.name for code, site in sites.items()} == {
        "01": "Tamar Vale",
        "02": "Exe Coast",
        "03": "Moorside",
    }
    assert sites["02"].opened_date == date(2026, 2, 2)
    assert sites["02"].target == 32
    approval = SiteApproval.objects.get(site=sites["02"])
    assert (approval.approved_date, approval.effective_date) == (date(2026, 1, 19), date(2026, 1, 26))


def test_activate_says_who_and_when(active, manager):
    assert active.status == "active"
    assert (active.activated_at, active.activated_by) == (NOW, manager)
    assert current() == active
    assert study_line() == ("GREENRX-F", "1.0")


def test_only_a_draft_can_be_activated(active, manager):
    with pytest.raises(NotADraft, match=r"Version 1\.0 is active"):
        actions.activate(version=active, by=manager, at=LATER)


def test_an_amendment_supersedes_the_version_before(active, manager):
    second = activate_amendment(manager)

    active.refresh_from_db()
    assert active.status == "superseded"
    assert active_version() == second


def test_a_site_keeps_its_version_until_its_own_effective_day(active, manager):
    second = activate_amendment(manager)
    approved, waiting = Site.objects.get(code="01"), Site.objects.get(code="02")

    assert version_in_force(site=approved, on=date(2026, 5, 3)) == active
    assert version_in_force(site=approved, on=date(2026, 5, 4)) == second
    assert version_in_force(site=waiting, on=date(2026, 12, 1)) == active


def test_an_amendment_updates_a_site_and_leaves_its_closing_date(active, manager):
    site = Site.objects.get(code="01")
    site.recruitment_closed_date = date(2026, 8, 31)
    site.save_by(manager, reason="Target met")

    activate_amendment(manager, sites__0__target=40, sites__1__target=24)

    site.refresh_from_db()
    assert site.target == 40
    assert site.recruitment_closed_date == date(2026, 8, 31)
    assert "Version 1.1" in site.history.first().history_change_reason


def test_an_amendment_writes_no_site_that_it_does_not_change(active, manager):
    activate_amendment(manager)

    assert Site.objects.get(code="03").history.count() == 1


# -- approvals and versions in force


def test_no_version_is_in_force_before_a_site_may_use_one(active):
    site = Site.objects.get(code="03")

    with pytest.raises(NoProtocolInForce, match="Moorside on 8 March 2026"):
        version_in_force(site=site, on=date(2026, 3, 8))


def test_nothing_is_current_before_the_first_activation():
    with pytest.raises(NoProtocolInForce, match="No protocol is active"):
        current()

    assert study_line() == ("Hedgerow", "")


def test_a_site_approves_an_amendment_later(active, manager):
    second = activate_amendment(manager)
    site = Site.objects.get(code="02")

    actions.approve_at_site(
        version=second, site=site, approved_date=date(2026, 7, 1), effective_date=date(2026, 7, 6), by=manager
    )

    assert version_in_force(site=site, on=date(2026, 7, 5)) == active
    assert version_in_force(site=site, on=date(2026, 7, 6)) == second


@pytest.mark.parametrize(
    ("code", "approved", "effective", "message"),
    [
        ("01", "2026-05-04", "2026-05-04", "has approved version 1.1 already"),
        ("02", "2026-03-31", "2026-05-04", "must not be before 1 April 2026"),
        ("02", "2026-05-04", "2026-05-03", "before its approval on 4 May 2026"),
        ("44", "2026-05-04", "2026-05-04", "Elsewhere is not a site of version 1.1"),
    ],
)
def test_an_approval_that_contradicts_itself_is_refused(active, manager, code, approved, effective, message):
    second = activate_amendment(manager)
    Site(code="44", name="Elsewhere", opened_date=date(2026, 1, 1)).save_by(manager)

    with pytest.raises(ApprovalRefused, match=message):
        actions.approve_at_site(
            version=second,
            site=Site.objects.get(code=code),
            approved_date=date.fromisoformat(approved),
            effective_date=date.fromisoformat(effective),
            by=manager,
        )


def test_a_draft_cannot_be_approved_at_a_site(active, manager):
    draft = actions.load(source=raw(amendment()), by=manager, at=LATER)

    with pytest.raises(NotADraft, match=r"Version 1\.1 is a draft"):
        actions.approve_at_site(
            version=draft,
            site=Site.objects.get(code="01"),
            approved_date=date(2026, 5, 4),
            effective_date=date(2026, 5, 4),
            by=manager,
        )


def test_the_spec_is_parsed_once_for_a_content(active):
    again = ProtocolVersion.objects.get(pk=active.pk)

    assert again.spec is active.spec


def test_the_second_protocol_is_served_by_the_same_code(manager):
    version = actions.load(source=FILES["northbank"], by=None, at=NOW)

    actions.activate(version=version, by=manager, at=NOW)

    site = Site.objects.get()
    spec = version_in_force(site=site, on=date(2026, 3, 9)).spec
    assert site.code == "17"
    assert rules.eligibility_visit(spec).code == "CALL"


# -- what the database holds


@pytest.mark.parametrize(
    "change",
    [
        "content = '{}'",
        "content_sha256 = 'x'",
        "restricted_sealed = ''",
        "restricted_key = ''",
        "version = '9'",
        "study_code = 'X'",
        "protocol_date = '2020-01-01'",
        "activated_at = NULL",
        "status = 'draft', activated_at = NULL",
    ],
)
def test_the_database_refuses_to_change_an_active_version(active, change):
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE trial_protocolversion SET {change}")  # noqa: S608


def test_the_database_refuses_to_go_back_or_to_skip(active, manager):
    activate_amendment(manager)
    draft = actions.load(source=raw(amendment(version="1.2")), by=manager, at=LATER)

    for version, status in ((active, "active"), (active, "draft"), (draft, "superseded")):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE trial_protocolversion SET status = %s WHERE id = %s", [status, version.pk])


def test_the_database_holds_one_active_version(active, manager):
    draft = actions.load(source=raw(amendment()), by=manager, at=LATER)
    draft.status, draft.activated_at = "active", LATER

    with pytest.raises(DatabaseError), transaction.atomic():
        draft.save_by(manager, reason="past the action")


def test_the_database_holds_each_version_once(active, manager):
    copy_of_it = ProtocolVersion(
        study_code="GREENRXF",
        version="1.0",
        protocol_date=date(2026, 1, 1),
        content="{}",
        content_sha256="",
        loaded_at=NOW,
    )

    with pytest.raises(DatabaseError), transaction.atomic():
        copy_of_it.save_by(manager)


def test_the_database_refuses_a_draft_with_an_activation(manager):
    draft = actions.load(source=FILES["greenrx"], by=manager, at=NOW)
    draft.activated_at = NOW

    with pytest.raises(DatabaseError), transaction.atomic():
        draft.save_by(manager, reason="past the action")


def test_the_database_keeps_an_approval_with_its_site_and_after_its_date(active, manager):
    approval = SiteApproval.objects.get(site__code="01")
    other = Site.objects.get(code="02")

    with pytest.raises(DatabaseError), transaction.atomic():
        SiteApproval(
            version=active, site=other, approved_date=date(2026, 1, 2), effective_date=date(2026, 1, 1)
        ).save_by(manager)
    with pytest.raises(DatabaseError), transaction.atomic():
        SiteApproval(
            version=active, site=other, approved_date=date(2026, 1, 2), effective_date=date(2026, 1, 3)
        ).save_by(manager)
    approval.site = other
    with pytest.raises(DatabaseError), transaction.atomic():
        approval.save_by(manager, reason="past the action")


def test_an_approval_date_can_be_corrected_with_a_reason(active, manager):
    approval = SiteApproval.objects.get(site__code="01")
    approval.effective_date = date(2026, 1, 6)

    approval.save_by(manager, reason="Typing mistake")

    assert str(approval) == "Protocol 1.0 at Tamar Vale"
    assert approval.history.count() == 2
