"""Where an arm, a row or a seed usually leaks (randomisation.md 6.3)."""

from pathlib import Path

import pytest
from django.views.debug import ExceptionReporter

import randomisation
from randomisation.unsealed import unseal
from tests.randomisation.life import lock_scheme

ROOT = str(Path(randomisation.__file__).parent)


def fail(allocation):
    raise RuntimeError("The outbox is full.")


def shown_values(caught):
    """The local variables of our own frames that an error report would show."""
    report = ExceptionReporter(None, caught.type, caught.value, caught.tb)
    frames = [f for f in report.get_traceback_frames() if f["filename"].startswith(ROOT)]
    assert len(frames) > 3
    return {str(value) for frame in frames for _, value in frame["vars"]}


def test_an_error_report_of_an_allocation_shows_no_local_variable(open_revision, give):
    with pytest.raises(RuntimeError) as caught:
        give(after_allocate=fail)

    (value,) = shown_values(caught)
    assert "*****" in value


def test_an_error_inside_the_engine_shows_no_local_variable(scheme, approvers, user):
    class Broken(list):
        def __iter__(self):
            raise RuntimeError("broken")

    parameters = {"arms": Broken(), "ratio": [1, 1], "method": "permuted_blocks", "block_sizes": [4], "factors": []}

    with pytest.raises(RuntimeError) as caught:
        lock_scheme(scheme=scheme, parameters=parameters, rows_per_stratum=8, approvers=approvers, by=user, at=None)

    (value,) = shown_values(caught)
    assert "*****" in value


def test_an_open_revision_has_a_constant_repr(open_revision):
    unsealed = unseal(open_revision)

    assert repr(unsealed) == "<Unsealed>"
    assert repr(open_revision) == f"<Revision {open_revision.pk}>"
