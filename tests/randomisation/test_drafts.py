"""A revision in preparation: configure, simulate, test, sign (randomisation.md sections 1 and 10)."""

import hashlib
from datetime import timedelta

import pytest

from randomisation.drafts import (
    Draft,
    configure,
    draft_parameters,
    keep_document,
    open_document,
    sign_test,
)
from randomisation.errors import ImportRefused, LifeCycleRefused, ParametersRefused, SealError
from randomisation.models import DraftDocument, State
from randomisation.states import open_scheme
from tests.randomisation.conftest import ARMS, AT, LOCKED_AT, OPENED_AT, PARAMETERS
from tests.randomisation.people import make_user

KINDS = DraftDocument.Kind


@pytest.fixture
def draft(scheme, user):
    return configure(scheme=scheme, draft=Draft(PARAMETERS, 8), by=user, at=LOCKED_AT)


def keep(revision, kind, by, at=LOCKED_AT, **more):
    return keep_document(revision=revision, kind=kind, document={"n": 7}, by=by, at=at, software_version="t", **more)


def test_a_draft_goes_from_simulation_over_test_to_signature(draft, user):
    tester, states = make_user(), [draft.state]
    keep(draft, KINDS.SIMULATION, user)
    draft.refresh_from_db()
    states.append(draft.state)

    test = keep(draft, KINDS.ACCEPTANCE, tester, n_passed=3)
    sign_test(document=test, by=user, at=LOCKED_AT)

    draft.refresh_from_db()
    assert [*states, draft.state] == [State.DRAFT, State.SIMULATED, State.TESTED]


def test_what_a_draft_found_is_sealed_under_its_own_key(draft, user):
    document = keep(draft, KINDS.SIMULATION, user)

    assert open_document(document) == {"n": 7}
    assert draft_parameters(draft).settings == {"block_sizes": [4, 6]}
    assert "block_sizes" not in str(draft.params_public)
    assert (draft.data_key_wrapped, draft.secret_sealed) == ("", "")


def test_configuring_again_goes_back_to_draft_and_shuts_older_documents(scheme, draft, user):
    document = keep(draft, KINDS.SIMULATION, user)

    again = configure(scheme=scheme, draft=Draft({**PARAMETERS, "block_sizes": [8]}, 8), by=user, at=AT)

    assert (again.pk, again.state) == (draft.pk, State.DRAFT)
    assert draft_parameters(again).settings == {"block_sizes": [8]}
    with pytest.raises(SealError):
        open_document(DraftDocument.objects.get(pk=document.pk))


def test_a_locked_scheme_gets_a_new_draft_beside_the_revision_in_force(scheme, open_revision, user):
    revision = configure(scheme=scheme, draft=Draft(PARAMETERS, 8), by=make_user(), at=AT)

    assert (revision.number, revision.state) == (2, State.DRAFT)
    assert scheme.revision_in_force == open_revision


def test_a_test_comes_after_a_simulation(draft, user):
    with pytest.raises(LifeCycleRefused, match="Simulate"):
        keep(draft, KINDS.ACCEPTANCE, user)


def test_nothing_is_tried_out_on_a_locked_revision(lock, user):
    with pytest.raises(LifeCycleRefused, match="is locked"):
        keep(lock(), KINDS.SIMULATION, user)


def test_the_tester_does_not_sign(draft, user):
    keep(draft, KINDS.SIMULATION, user)
    test = keep(draft, KINDS.ACCEPTANCE, user)

    with pytest.raises(LifeCycleRefused, match="did not run it"):
        sign_test(document=test, by=user, at=LOCKED_AT)


def test_only_the_newest_test_is_signed(draft, user):
    keep(draft, KINDS.SIMULATION, user)
    older = keep(draft, KINDS.ACCEPTANCE, make_user())
    keep(draft, KINDS.ACCEPTANCE, make_user(), at=LOCKED_AT + timedelta(hours=1))

    with pytest.raises(LifeCycleRefused, match="newest"):
        sign_test(document=older, by=user, at=LOCKED_AT)


def test_a_test_of_an_older_design_is_not_signed(scheme, draft, user):
    keep(draft, KINDS.SIMULATION, user)
    test = keep(draft, KINDS.ACCEPTANCE, make_user())
    again = configure(scheme=scheme, draft=Draft(PARAMETERS, 8), by=user, at=AT)
    keep(again, KINDS.SIMULATION, user, at=AT)

    with pytest.raises(LifeCycleRefused, match="changed since"):
        sign_test(document=test, by=user, at=AT)


def test_failed_cases_are_explained_before_the_signature(draft, user):
    keep(draft, KINDS.SIMULATION, user)
    test = keep(draft, KINDS.ACCEPTANCE, make_user(), n_passed=3, n_failed=1)

    with pytest.raises(LifeCycleRefused, match="case that failed"):
        sign_test(document=test, by=user, at=LOCKED_AT, deviations=" ")

    assert sign_test(document=test, by=user, at=LOCKED_AT, deviations="Case 4: the printer was off").pk


MINIMISED = {
    "arms": ARMS,
    "ratio": [1, 1],
    "method": "minimisation",
    "imbalance": "range",
    "p": "1/1",
    "burn_in": 0,
    "overall_weight": 1,
    "unequal": "pseudo_arms",
    "factors": PARAMETERS["factors"],
}


def test_a_draw_without_chance_needs_a_reason(scheme, user):
    with pytest.raises(LifeCycleRefused, match="p = 1"):
        configure(scheme=scheme, draft=Draft(MINIMISED, 8), by=user, at=LOCKED_AT)

    revision = configure(scheme=scheme, draft=Draft(MINIMISED, 8, reason="Pilot of 8"), by=user, at=LOCKED_AT)
    assert revision.reason == "Pilot of 8"


LIST = b"stratum_key,position,arm\nall,1,zq7x\nall,2,kv4w\nall,3,zq7x\nall,4,kv4w\n"


def imported(data=LIST):
    digest = hashlib.sha256(data).hexdigest()
    return {"arms": ARMS, "ratio": [1, 1], "method": "import", "factors": [], "file_sha256": digest}


def test_an_imported_list_is_kept_sealed_only(scheme, user):
    revision = configure(scheme=scheme, draft=Draft(imported(), 4, list_file=LIST), by=user, at=LOCKED_AT)

    assert revision.import_sealed
    assert ARMS[0] not in revision.import_sealed


@pytest.mark.parametrize(
    ("parameters", "given", "error"),
    [
        (imported(), {}, LifeCycleRefused),
        (PARAMETERS, {"list_file": LIST}, LifeCycleRefused),
        (imported(b"another"), {"list_file": LIST}, ImportRefused),
        (imported(), {"list_file": LIST, "rows_per_stratum": 5}, LifeCycleRefused),
        (PARAMETERS, {"rows_per_stratum": 0}, LifeCycleRefused),
        (PARAMETERS, {"backup_rows": 4}, LifeCycleRefused),
        ({**PARAMETERS, "ratio": [1]}, {}, ParametersRefused),
    ],
)
def test_a_draft_outside_the_rules_is_refused(scheme, user, parameters, given, error):
    draft = Draft(parameters, **{"rows_per_stratum": 4, **given})

    with pytest.raises(error):
        configure(scheme=scheme, draft=draft, by=user, at=LOCKED_AT)

    assert not scheme.revisions.exists()


def test_a_shorter_imported_list_is_taken_with_a_reason(scheme, user):
    draft = Draft(imported(), 5, reason="The fifth comes later", list_file=LIST)

    assert configure(scheme=scheme, draft=draft, by=user, at=LOCKED_AT).pk


def test_whoever_randomised_does_not_configure(scheme, open_revision, give, user):
    give()

    with pytest.raises(LifeCycleRefused, match="neither configure"):
        configure(scheme=scheme, draft=Draft(PARAMETERS, 8), by=user, at=AT)


def test_a_draft_tells_nothing_in_its_repr():
    assert repr(Draft(PARAMETERS, 8)) == "<Draft>"


def test_a_draft_without_a_key_is_not_kept(scheme, user, settings):
    settings.SEALING_KEYS = []

    with pytest.raises(SealError):
        configure(scheme=scheme, draft=Draft(PARAMETERS, 8), by=user, at=LOCKED_AT)

    assert not scheme.revisions.exists()


def test_opening_needs_more_than_a_draft(scheme, draft, user):
    with pytest.raises(LifeCycleRefused, match="locked or paused"):
        open_scheme(scheme=scheme, by=user, at=OPENED_AT)
