"""Groups and their members, for those who plan them."""

import re
from datetime import date, timedelta

import pytest

from tests.factories import TODAY, Trial, site, staff
from tests.trial.activities.builders import FIRST, fill, join, make_group, make_participant, make_venue
from trial.access.policy import Role
from trial.activities.models import ActivityGroup, Membership

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def trial():
    return Trial()


@pytest.fixture
def coordinator(client, trial):
    client.force_login(trial.coordinator)
    return client


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def day(name, value):
    return {f"{name}_0": value.day, f"{name}_1": value.month, f"{name}_2": value.year}


class TestGroups:
    def form(self, trial, **changes):
        leader = staff(Role.ACTIVITY_LEADER, trial.site, name="Sam Treloar")
        return {
            "name": "Thursday morning group",
            "arm_number": "1",
            "wave": "1",
            "venue": make_venue().pk,
            "leader": leader.pk,
            "start_time": "10am",
        } | day("start_date", FIRST) | changes  # fmt: skip

    def test_a_coordinator_makes_one_with_its_sessions(self, coordinator, trial):
        response = coordinator.post("/groups/new/", self.form(trial), follow=True)

        group = ActivityGroup.objects.get()
        assert (group.arm_number, group.start_date, group.start_time.hour) == (1, FIRST, 10)
        assert "made with 10 sessions, the last on 6 August 2026" in text_of(response)
        assert "Activity: Indoor group" in text_of(response)

    def test_a_bank_holiday_among_the_sessions_is_said(self, coordinator, trial):
        response = coordinator.post(
            "/groups/new/", self.form(trial, **day("start_date", date(2026, 8, 3))), follow=True
        )

        assert "31 August 2026 is a bank holiday" in text_of(response)

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"name": ""}, "Enter a name for the group"),
            ({"name": "Nature walk"}, "tells what kind of group it is"),
            ({"arm_number": "7"}, "Select an activity"),
            ({"arm_number": "x"}, "Select an activity"),
            ({"venue": "999999"}, "Select a venue"),
            ({"leader": "\x00"}, "Select a leader"),
            ({"start_time": "soon"}, "must be a time like 10am or 14:30"),
            ({"start_time": ""}, "Enter the start time"),
            ({"start_date_1": "13"}, "must be a real date"),
            ({"wave": "-1"}, "must be between 1 and 50"),
        ],
    )
    def test_what_is_wrong_is_said(self, coordinator, trial, changes, words):
        response = coordinator.post("/groups/new/", self.form(trial, **changes))

        assert words in text_of(response)
        assert not ActivityGroup.objects.exists()

    def test_sent_twice_it_makes_one(self, coordinator, trial):
        data = self.form(trial)
        coordinator.post("/groups/new/", data)

        response = coordinator.post("/groups/new/", data)

        assert "already has a group called" in text_of(response)

    def test_who_plans_at_all_sites_chooses_one_first(self, client, trial):
        client.force_login(staff(Role.TRIAL_MANAGER, blinded=False))

        assert "New group: choose the site" in text_of(client.get("/groups/new/"))
        assert "Exe Coast" in text_of(client.get("/groups/new/?site=02"))
        assert client.get("/groups/new/?site=99").status_code == 404

    def test_the_list_shows_places_taken_and_no_arm(self, coordinator, trial):
        group = make_group(trial)
        fill(trial, group, 3)

        text = text_of(coordinator.get("/groups/"))

        assert "Thursday morning group Tavyside Hall" in text
        assert "3 of 12" in text
        assert "Nature group" not in text

    def test_an_empty_list_says_what_will_appear(self, coordinator):
        assert "Groups appear here once a coordinator makes one" in text_of(coordinator.get("/groups/"))

    @pytest.mark.parametrize("n_groups", [1, 5])
    def test_the_number_of_queries_does_not_depend_on_the_groups(
        self, coordinator, trial, django_assert_num_queries, n_groups
    ):
        leader = staff(Role.ACTIVITY_LEADER, trial.site)
        for number in range(n_groups):
            fill(trial, make_group(trial, name=f"Group {number}", leader=leader), 2)
        coordinator.get("/groups/")

        with django_assert_num_queries(10):
            coordinator.get("/groups/")

    def test_a_group_shows_its_members_and_who_left(self, coordinator, trial):
        group = make_group(trial)
        people = fill(trial, group, 2)
        gone = join(group, make_participant(trial, "Zoe"))
        gone.to_date, gone.end_reason = TODAY - timedelta(days=1), "Moved away"
        gone.save_by(None, "Made for a test")

        text = text_of(coordinator.get(f"/groups/{group.pk}/"))

        assert "A group needs 5 members to start. 3 more are needed." in text
        assert str(people[0]) in text
        assert "4 Jun 2026 to 8 Jul 2026: Moved away" in text

    def test_a_group_of_another_site_does_not_exist(self, client, trial):
        group = make_group(trial)
        member = join(group, make_participant(trial))
        client.force_login(staff(Role.COORDINATOR, site("02")))

        for address in (
            f"/groups/{group.pk}/",
            f"/groups/{group.pk}/add/",
            f"/groups/members/{member.pk}/move/",
            f"/groups/members/{member.pk}/end/",
            f"/people/{member.participant}/group/",
            "/groups/99999999999999999999/",
        ):
            assert client.get(address).status_code == 404, address


class TestMembers:
    @pytest.fixture
    def trial(self):
        return Trial().open_randomisation()

    @pytest.fixture
    def person(self, trial):
        return trial.randomised()

    @pytest.fixture
    def groups(self, trial):
        leader = staff(Role.ACTIVITY_LEADER, trial.site)
        names = ("Thursday morning group", "Thursday afternoon group")
        return [make_group(trial, name=name, arm_number=n, leader=leader) for n, name in enumerate(names)]

    def own(self, trial, person, groups):
        from tests.factories import NOW
        from trial.allocation.reads import arm_number_of

        return groups[arm_number_of(person, by=trial.coordinator, at=NOW, reason="test")]

    def test_placing_a_person_offers_groups_of_their_arm_only(self, coordinator, trial, person, groups):
        own = self.own(trial, person, groups)
        other = next(group for group in groups if group != own)

        page = text_of(coordinator.get(f"/people/{person}/group/"))
        refused = coordinator.post(f"/people/{person}/group/", {"group": other.pk} | day("from_date", TODAY))
        response = coordinator.post(
            f"/people/{person}/group/", {"group": own.pk} | day("from_date", TODAY), follow=True
        )

        assert f"{own}: Thursdays at 10am, Tavyside Hall. 0 of 12 places taken" in page
        assert str(other) not in page
        assert "Select a group" in text_of(refused)
        assert "First session: Thursday 9 July 2026." in text_of(response)

    def test_without_a_group_it_says_so(self, coordinator, person):
        assert "No group has room" in text_of(coordinator.get(f"/people/{person}/group/"))

    def test_a_group_takes_those_who_wait(self, coordinator, trial, person, groups):
        own = self.own(trial, person, groups)
        other = next(group for group in groups if group != own)

        wrong = coordinator.post(f"/groups/{other.pk}/add/", {"study_id": person} | day("from_date", TODAY))
        right = coordinator.post(f"/groups/{own.pk}/add/", {"study_id": person} | day("from_date", TODAY), follow=True)

        assert "was not allocated to the activity" in text_of(wrong)
        assert f"{person} joins {own}" in text_of(right)
        assert "Nobody is waiting for a group" in text_of(coordinator.get(f"/groups/{own.pk}/add/"))

    def test_a_member_moves_and_leaves(self, coordinator, trial, person, groups):
        own = self.own(trial, person, groups)
        second = make_group(trial, name="Monday group", arm_number=own.arm_number, leader=own.leader)
        member = join(own, person)
        move = f"/groups/members/{member.pk}/move/"

        coordinator.post(move, {"group": second.pk, "reason": "Cannot do Thursdays"} | day("from_date", TODAY))
        again = coordinator.post(move, {"group": second.pk, "reason": "Again"} | day("from_date", TODAY))
        now = Membership.objects.get(to_date=None)
        coordinator.post(f"/groups/members/{now.pk}/end/", {"reason": "New job"} | day("to_date", TODAY))

        assert "left" in text_of(again)
        assert (now.group, now.from_date) == (second, TODAY)
        assert Membership.objects.get(pk=now.pk).end_reason == "New job"

    def test_leaving_needs_a_day_and_a_reason(self, coordinator, person, groups):
        member = join(groups[0], person)

        text = text_of(coordinator.post(f"/groups/members/{member.pk}/end/"))

        assert "Enter the last day in the group" in text
        assert "Why do they leave?" in text
