"""Seals, and what the proof of the trail finds (performance.md, R-02, R-03)."""

import hashlib
from datetime import date, timedelta

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import NOW, make_user
from trial.access.models import AccessEvent, Site
from trial.base import audit, triggers
from trial.base.models import AuditLeaf, AuditSeal

LEAVES = st.lists(st.binary(min_size=32, max_size=32).map(bytes.hex), max_size=40, unique=True)


def by_halves(leaves):
    """The root by another way: the left half is the largest power of two that leaves something over."""
    if len(leaves) == 1:
        return bytes.fromhex(leaves[0])
    left = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(by_halves(leaves[:left]) + by_halves(leaves[left:])).digest()


@given(LEAVES.filter(bool))
def test_the_root_is_that_of_the_tree_built_from_the_top(leaves):
    assert audit.merkle_root(leaves) == by_halves(leaves).hex()


@given(LEAVES.filter(lambda leaves: len(leaves) > 1), st.data())
def test_the_root_changes_with_any_leaf_and_with_their_order(leaves, data):
    index = data.draw(st.integers(0, len(leaves) - 1))
    flipped = f"{int(leaves[index], 16) ^ 1:064x}"
    others = [
        [*leaves[:index], flipped, *leaves[index + 1 :]],
        leaves[:index] + leaves[index + 1 :],
        leaves[1:] + leaves[:1],
    ]

    assert audit.merkle_root(leaves) not in [audit.merkle_root(other) for other in others]


def test_the_empty_tree_has_a_root():
    assert audit.merkle_root([]) == hashlib.sha256(b"").hexdigest()


@pytest.fixture
def site(db):
    """A site whose name was changed once, and an event."""
    site = Site(code="01", name="Tamar Vale", opened_date=date(2026, 1, 12)).save_by(None)
    site.target = 32
    AccessEvent(role="", kind=AccessEvent.Kind.EXPORTED, at=NOW).save()
    return site.save_by(None, "More")


def behind_the_back(sql, *params):
    """What the owner of the database could do with the triggers lifted."""
    with triggers.lifted(connection), connection.cursor() as cursor:
        cursor.execute(sql, params)


def test_seals_are_chained(site):
    first = audit.seal(at=NOW)
    site.target = 33
    site.save_by(None, "Again")
    second = audit.seal(at=NOW + timedelta(hours=1))

    assert (first.number, first.n_leaves, second.number, second.n_leaves) == (1, 3, 2, 1)
    assert second.digest == hashlib.sha256(f"{first.digest}{second.root}".encode()).hexdigest()
    assert audit.head() == {"id": 2, "sha256": second.digest}


def test_nothing_new_makes_no_seal(site):
    audit.seal(at=NOW)

    assert audit.seal(at=NOW) is None
    assert AuditSeal.objects.count() == 1


def test_an_entry_that_commits_late_is_sealed_by_the_next_seal(site):
    late = AuditLeaf.objects.order_by("id").first()
    behind_the_back("DELETE FROM trial_auditleaf WHERE id = %s", late.pk)
    audit.seal(at=NOW)
    AuditLeaf(pk=late.pk, table_name=late.table_name, row_id=late.row_id, sha256=late.sha256).save(force_insert=True)

    second = audit.seal(at=NOW)

    assert second.n_leaves == 1
    assert audit.verify() == []


def test_before_the_first_seal_the_head_is_empty(db):
    assert audit.head() == {"id": 0, "sha256": ""}
    assert audit.seal(at=NOW) is None


def test_a_trail_that_nobody_touched_has_no_problem(site):
    make_user()
    assert audit.verify() == []
    audit.seal(at=NOW)

    assert audit.verify() == []


@pytest.mark.parametrize("sealed", [False, True], ids=["not sealed", "sealed"])
@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("UPDATE trial_historicalsite SET name = 'Other'", "trial_historicalsite entry"),
        ("UPDATE trial_historicalsite SET history_role = 'administrator'", "trial_historicalsite entry"),
        ("UPDATE trial_historicalsite SET history_change_reason = 'Other'", "trial_historicalsite entry"),
        ("UPDATE trial_historicalsite SET history_date = '2025-01-01 00:00:00+00:00'", "trial_historicalsite entry"),
        ("DELETE FROM trial_historicalsite WHERE history_type = '~'", "trial_historicalsite entry"),
        ("UPDATE trial_accessevent SET detail = 'Other'", "trial_accessevent entry"),
        ("DELETE FROM trial_accessevent", "trial_accessevent entry"),
        ("UPDATE trial_auditleaf SET sha256 = upper(sha256)", "does not match its hash"),
        ("DELETE FROM trial_auditleaf WHERE table_name = 'trial_accessevent'", "trial_accessevent entry"),
        ("UPDATE trial_site SET name = 'Other'", "trial_site record"),
        ("UPDATE trial_site SET target = 31", "trial_site record"),
    ],
)
def test_a_change_behind_the_trails_back_is_found(site, sealed, change, found):
    if sealed:
        audit.seal(at=NOW)

    behind_the_back(change)

    problems = audit.verify()
    assert any(found in problem for problem in problems), problems


def test_a_record_that_was_deleted_is_found(site):
    behind_the_back("DELETE FROM trial_site")

    assert audit.verify() == [f"trial_site record {site.pk} is gone"]


def test_a_record_without_any_history_is_found(site):
    behind_the_back(
        "INSERT INTO trial_site (code, name, abbreviation, opened_date, recruitment_paused, target)"
        " VALUES ('02', 'Exe Coast', '', '2026-02-02', %s, 0)",
        False,
    )

    (problem,) = audit.verify()
    assert problem.endswith("differs from its history")


def test_an_account_that_was_changed_is_found(db):
    user = make_user()
    behind_the_back("UPDATE trial_user SET email = 'other@example.org'")

    assert audit.verify() == [f"trial_user record {user.pk} differs from its history"]


def test_a_new_password_is_no_difference(db):
    user = make_user()
    user.set_password("another-long-password")
    user.save()

    assert audit.verify() == []


@pytest.mark.parametrize("change", ["root = '00'", "digest = '00'", "n_leaves = 2"])
def test_an_altered_seal_is_found(site, change):
    audit.seal(at=NOW)

    behind_the_back(f"UPDATE trial_auditseal SET {change}")  # noqa: S608

    assert audit.verify() == ["Seal 1 does not match its entries"]


def test_a_missing_seal_is_found(site):
    audit.seal(at=NOW)
    site.target = 40
    site.save_by(None, "More")
    audit.seal(at=NOW)
    behind_the_back("UPDATE trial_auditleaf SET seal_id = 2")

    behind_the_back("DELETE FROM trial_auditseal WHERE number = 1")

    assert "Seal 2 does not match its entries" in audit.verify()
