import pytest

from trial.base import icons, statuses

# ux.md section 6.
VOCABULARY = [
    ("Not due yet", "grey"),
    ("Due", "blue"),
    ("In progress", "white"),
    ("Overdue", "red"),
    ("Complete", "plain"),
    ("Query open", "yellow"),
    ("Not done", "purple"),
    ("Locked", "green"),
]
# domain.md section 3.
JOURNEY = [
    "REFERRED",
    "CONTACTED",
    "INFORMED",
    "NOT_CONTACTABLE",
    "PRESCREEN_INELIGIBLE",
    "DECLINED",
    "CONSENTED",
    "SCREEN_FAILED",
    "ELIGIBLE",
    "BASELINE_DONE",
    "WITHDRAWN_BEFORE_RANDOMISATION",
    "RANDOMISED",
    "IN_ACTIVITY",
    "FOLLOW_UP",
    "COMPLETED",
    "ENDED_EARLY",
]


def test_forms_have_the_eight_statuses_of_the_guide():
    assert [(found.word, found.tone) for found in statuses.FORM.values()] == VOCABULARY


def test_every_status_of_a_form_has_a_shape_of_its_own():
    shapes = [found.icon for found in statuses.FORM.values()]

    assert len(set(shapes)) == len(shapes)


def test_participants_have_the_statuses_of_the_domain_one_to_one():
    assert {code.lower() for code in JOURNEY} == set(statuses.PARTICIPANT)
    words = [statuses.status(code, "participant").word for code in JOURNEY]
    assert len(set(words)) == len(words)


def test_every_status_names_an_icon_that_exists():
    assert {found.icon for group in statuses.GROUPS.values() for found in group.values()} <= set(icons.SHAPES)


def test_the_same_code_may_mean_something_else_in_another_group():
    assert statuses.status("open", "query").word == "Open"
    assert statuses.status("open", "task").word == "To do"


@pytest.mark.parametrize(("code", "group"), [("blue", ""), ("due", "job"), ("due", "nothing")])
def test_an_unknown_status_is_an_error_not_a_blank(code, group):
    with pytest.raises(statuses.UnknownStatus, match=code):
        statuses.status(code, group)
