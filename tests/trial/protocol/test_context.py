"""The frame of every page: places by role, nothing that a role may not open."""

import pytest

from tests.factories import Trial, staff
from trial.access.policy import Role
from trial.protocol.context import MAX_PLACES

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", list(Role))
def test_every_place_of_the_frame_opens_for_whoever_sees_it(client, clock, role):
    trial = Trial()
    client.force_login(staff(role, trial.site, blinded=False))
    frame = client.get("/help/").context["page"]

    answers = {place.url: client.get(place.url).status_code for place in [*frame.places, *frame.further]}

    assert len(frame.places) <= MAX_PLACES
    assert set(answers.values()) <= {200}


def test_a_trial_manager_reaches_what_the_header_has_no_room_for(client, clock):
    Trial()
    client.force_login(staff(Role.TRIAL_MANAGER, blinded=False))

    shown = client.get("/help/").content.decode()

    for place in ("/releases/", "/delegation/", "/settings/sites/", "/licences/", "/protocol/"):
        assert f'href="{place}"' in shown


def test_somebody_who_has_not_signed_in_sees_no_place(client, clock):
    Trial()

    frame = client.get("/help/").context["page"]

    assert (frame.places, frame.further, frame.user_name) == ([], [], "")
