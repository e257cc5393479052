"""Any sequence of marks, repeated, replayed and in any order: one current mark for each person, and none lost."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid5

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.factories import NOW, Trial, staff
from tests.trial.activities.builders import fill, make_group, session_of
from trial.access.policy import Role
from trial.attendance import actions
from trial.attendance.actions import Answer
from trial.attendance.models import Mark

NAMESPACE = UUID(int=0)


@dataclass(frozen=True)
class Tap:
    """One tap: whose phone, on whom, what, and which of the taps before it was seen (None: the current mark)."""

    phone: int
    person: int
    status: str
    seen: int | None


TAPS = st.lists(
    st.builds(
        Tap,
        phone=st.integers(0, 1),
        person=st.integers(0, 1),
        status=st.sampled_from(["full", "absent", "absent_told", "excused"]),
        seen=st.none() | st.integers(0, 7),
    ),
    min_size=1,
    max_size=8,
)


class Undone(Exception):
    """Takes back what one example stored."""


@pytest.mark.django_db
@pytest.mark.usefixtures("clock")
@settings(max_examples=60, deadline=None)
@given(taps=TAPS, order=st.lists(st.integers(0, 7), max_size=24))
def test_each_person_has_one_current_mark_and_no_mark_is_lost(ground, taps, order):
    session, leaders, people = ground
    keys = [uuid5(NAMESPACE, str(number)) for number in range(len(taps))]
    sent = [*range(len(taps)), *[number for number in order if number < len(taps)]]  # each once, then replays

    try:
        with transaction.atomic():
            answers = _play(session, leaders, people, taps, keys, sent)

            assert Mark.objects.count() == len(taps)
            assert set(Mark.objects.values_list("key", flat=True)) == set(keys)
            for person in {tap.person for tap in taps}:
                assert Mark.objects.current().filter(participant=people[person]).count() == 1
            first = answers[: len(taps)]
            assert Answer.DUPLICATE not in first
            assert Answer.REJECTED not in answers
            assert set(answers[len(taps) :]) <= {Answer.DUPLICATE}
            assert first.count(Answer.CONFLICT) == Mark.objects.undecided().count()
            raise Undone
    except Undone:
        pass


def _play(session, leaders, people, taps, keys, sent):
    answers = []
    for number in sent:
        tap = taps[number]
        chain = actions.chain_of(session, people[tap.person])
        seen = keys[tap.seen] if tap.seen is not None and tap.seen < len(keys) else None
        if tap.seen is None and chain:
            seen = chain[-1].key
        result = actions.mark(
            key=keys[number],
            session=session,
            participant=people[tap.person],
            status=tap.status,
            replaces=seen,
            by=leaders[tap.phone],
            captured_at=NOW,
            at=NOW + timedelta(seconds=number),
        )
        answers.append(result.answer)
    return answers


@pytest.fixture
def ground(db, clock):
    trial = Trial()
    group = make_group(trial)
    people = fill(trial, group, 2)
    return session_of(group), [group.leader, staff(Role.ACTIVITY_LEADER, trial.site)], people
