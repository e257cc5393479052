"""More rows, levels and people, and other keys (randomisation.md 1, 6.2, 9.5, 9.8)."""

import pytest
from cryptography.fernet import Fernet
from django.db import connection

from randomisation.checking import verify_list
from randomisation.drafts import draft_parameters
from randomisation.errors import LifeCycleRefused, ListMismatch, NotAllocated, ParametersRefused, SealError
from randomisation.growth import add_level, extend, raise_ceiling, rotate_keys
from randomisation.models import Revision, SealedRow
from randomisation.states import close_scheme, open_scheme
from randomisation.unsealed import unseal
from tests.randomisation.conftest import PARAMETERS
from tests.randomisation.life import AT, OPENED_AT, ready_revision
from trial.base.triggers import lifted


def events_of(scheme):
    return [event.event for event in scheme.events.order_by("n")]


def test_extension_lengthens_every_list_and_changes_no_row(scheme, open_revision, approvers, user):
    before = dict(SealedRow.objects.values_list("pk", "token"))

    extend(scheme=scheme, rows_per_stratum=40, approvers=approvers, by=user, at=AT)

    after = dict(SealedRow.objects.values_list("pk", "token"))
    assert before.items() <= after.items()
    assert all(cursor.n_rows >= 40 for cursor in open_revision.cursors.all())
    assert verify_list(scheme) == 0
    assert events_of(scheme)[-1] == "extend"


def test_extension_to_a_shorter_length_changes_nothing(scheme, open_revision, approvers, user):
    n_rows = SealedRow.objects.count()

    extend(scheme=scheme, rows_per_stratum=2, approvers=approvers, by=user, at=AT)

    assert SealedRow.objects.count() == n_rows
    assert verify_list(scheme) == 0


def test_extension_leaves_emergency_lists_alone(scheme, lock, approvers, user):
    revision = lock(backup_rows=4, backup_block_sizes=[4])
    open_scheme(scheme=scheme, by=user, at=OPENED_AT)

    extend(scheme=scheme, rows_per_stratum=40, approvers=approvers, by=user, at=AT)

    assert {cursor.n_rows for cursor in revision.cursors.filter(purpose="backup")} == {4}


def test_extension_refuses_one_approver_a_bad_length_or_a_scheme_not_in_force(scheme, open_revision, approvers, user):
    with pytest.raises(LifeCycleRefused, match="Two different"):
        extend(scheme=scheme, rows_per_stratum=40, approvers=(user, user), by=user, at=AT)
    with pytest.raises(LifeCycleRefused, match="rows"):
        extend(scheme=scheme, rows_per_stratum=0, approvers=approvers, by=user, at=AT)
    close_scheme(scheme=scheme, reason="Target reached", by=user, at=AT)
    with pytest.raises(LifeCycleRefused, match="open or paused"):
        extend(scheme=scheme, rows_per_stratum=40, approvers=approvers, by=user, at=AT)


def test_extension_refuses_a_list_that_has_changed(scheme, open_revision, approvers, user):
    with lifted(connection):
        open_revision.cursors.update(fingerprint="0" * 64)

    with pytest.raises(ListMismatch):
        extend(scheme=scheme, rows_per_stratum=40, approvers=approvers, by=user, at=AT)


# --- levels --------------------------------------------------------------------------------------------


@pytest.fixture
def add_site(scheme, approvers, user):
    def do_add(level="03", **changes):
        given = {"scheme": scheme, "factor": "site", "level": level, "approvers": approvers, "by": user, "at": AT}
        return add_level(**{**given, **changes})

    return do_add


def test_a_new_level_has_a_list_of_its_own_and_changes_no_other(scheme, open_revision, add_site, give):
    before = dict(SealedRow.objects.values_list("pk", "token"))

    entry = add_site()
    allocation = give(levels={"site": "03"}, site="03").allocation

    assert (allocation.stratum_key, allocation.position) == ("site=03", 1)
    assert before.items() <= dict(SealedRow.objects.values_list("pk", "token")).items()
    assert entry.facts["level"] == "03"
    assert sorted(entry.facts["fingerprints"]) == ["site=01", "site=02", "site=03"]
    assert verify_list(scheme) == 0


def test_the_commitment_keeps_the_levels_of_the_lock(open_revision, add_site):
    add_site()

    unsealed = unseal(open_revision)
    assert unsealed.locked.factors[0].levels == ("01", "02")
    assert unsealed.parameters.factors[0].levels == ("01", "02", "03")


def test_a_new_site_has_an_emergency_list(scheme, lock, user, add_site):
    revision = lock(backup_rows=4, backup_block_sizes=[4])
    open_scheme(scheme=scheme, by=user, at=OPENED_AT)

    add_site()

    keys = revision.cursors.filter(purpose="backup").order_by("key").values_list("key", "n_rows")
    assert list(keys) == [("site=01", 4), ("site=02", 4), ("site=03", 4)]
    assert verify_list(scheme) == 0


def test_the_list_of_a_new_level_is_as_long_as_the_extended_ones(scheme, open_revision, approvers, user, add_site):
    extend(scheme=scheme, rows_per_stratum=40, approvers=approvers, by=user, at=AT)
    add_site()
    extend(scheme=scheme, rows_per_stratum=60, approvers=approvers, by=user, at=AT)

    assert all(cursor.n_rows >= 60 for cursor in open_revision.cursors.all())
    assert verify_list(scheme) == 0


@pytest.mark.parametrize("changes", [{"level": "02"}, {"factor": "age"}, {"level": "Ŷ"}, {"level": "a;b"}])
def test_a_level_that_is_there_or_cannot_be_is_refused(scheme, open_revision, add_site, changes):
    with pytest.raises(ParametersRefused):
        add_site(**changes)

    assert not open_revision.added_levels.exists()


def test_a_level_takes_two_people_and_a_scheme_in_force(scheme, open_revision, add_site, user):
    with pytest.raises(LifeCycleRefused, match="Two different"):
        add_site(approvers=(user, user))
    close_scheme(scheme=scheme, reason="Target reached", by=user, at=AT)
    with pytest.raises(LifeCycleRefused, match="open or paused"):
        add_site()


# --- ceilings ------------------------------------------------------------------------------------------


def test_a_raised_ceiling_lets_the_next_person_in(scheme, open_revision, give, user, approvers):
    scheme.ceiling = 1
    scheme.save()
    give()
    with pytest.raises(NotAllocated):
        give()

    entry = raise_ceiling(scheme=scheme, ceiling=2, site="", approvers=approvers, by=user, at=AT)

    assert give().allocation.seq == 2
    assert (entry.event, entry.facts["ceiling"]) == ("extend", 2)
    assert verify_list(scheme) == 0


def test_the_ceiling_of_one_site_is_raised(scheme, open_revision, give, user, approvers):
    entry = raise_ceiling(scheme=scheme, ceiling=1, site="01", approvers=approvers, by=user, at=AT)
    give()
    with pytest.raises(NotAllocated):
        give()

    raise_ceiling(scheme=scheme, ceiling=2, site="01", approvers=approvers, by=user, at=AT)

    assert give().created
    assert entry.facts["site"] == "01"


def test_a_ceiling_is_never_lowered(scheme, open_revision, user, approvers):
    scheme.ceiling = 5
    scheme.save()

    with pytest.raises(LifeCycleRefused, match="only raised"):
        raise_ceiling(scheme=scheme, ceiling=5, site="", approvers=approvers, by=user, at=AT)
    with pytest.raises(LifeCycleRefused, match="Two different"):
        raise_ceiling(scheme=scheme, ceiling=6, site="", approvers=(), by=user, at=AT)


def test_a_ceiling_waits_for_the_lock(scheme, user, approvers):
    with pytest.raises(LifeCycleRefused, match="not locked"):
        raise_ceiling(scheme=scheme, ceiling=5, site="", approvers=approvers, by=user, at=AT)


# --- keys ----------------------------------------------------------------------------------------------


@pytest.fixture
def new_key(settings):
    """A new first key beside the old one."""
    old, new = settings.SEALING_KEYS[0], Fernet.generate_key().decode()
    settings.SEALING_KEYS = [new, old]
    return new


def test_rotation_wraps_the_data_keys_and_touches_no_token(scheme, open_revision, give, new_key, settings, user):
    give()
    columns = ("params_sealed", "secret_sealed", "contribution_sealed")
    tokens = list(SealedRow.objects.order_by("pk").values_list("token", "resume_sealed"))
    arms = list(scheme.allocations.values_list("arm_sealed"))
    sealed = Revision.objects.values_list(*columns).get()

    n_wrapped = rotate_keys(by=user, at=AT)
    settings.SEALING_KEYS = [new_key]

    assert n_wrapped == 1
    assert list(SealedRow.objects.order_by("pk").values_list("token", "resume_sealed")) == tokens
    assert list(scheme.allocations.values_list("arm_sealed")) == arms
    assert Revision.objects.values_list(*columns).get() == sealed
    assert give().created
    assert scheme.events.get(event="rotate").facts == {"revisions": [1]}
    assert verify_list(scheme) == 0


def test_rotation_again_finds_nothing_to_do(scheme, open_revision, new_key, user):
    rotate_keys(by=user, at=AT)

    assert rotate_keys(by=user, at=AT) == 0
    assert events_of(scheme).count("rotate") == 1


def test_rotation_with_the_wrong_keys_changes_nothing(scheme, open_revision, settings, user):
    settings.SEALING_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(SealError) as refused:
        rotate_keys(by=user, at=AT)

    assert refused.value.code == "E_SEAL_KEY"
    assert "rotate" not in events_of(scheme)


def test_the_key_of_a_draft_is_rotated_too(scheme, new_key, settings, user):
    ready_revision(scheme=scheme, parameters=PARAMETERS, rows_per_stratum=8, at=OPENED_AT)
    settings.SEALING_KEYS = [settings.SEALING_KEYS[1]]
    ready = scheme.draft
    settings.SEALING_KEYS = [new_key, settings.SEALING_KEYS[0]]

    rotate_keys(by=user, at=AT)
    settings.SEALING_KEYS = [new_key]

    ready.refresh_from_db()
    assert draft_parameters(ready).settings == {"block_sizes": [4, 6]}
    assert not scheme.events.exists()
