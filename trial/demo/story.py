"""The demonstration study, built through the product's own actions from a day and a seed."""

from collections.abc import Callable
from datetime import datetime

from trial.demo import events, office, outreach
from trial.demo.calendar import WEEKS_SINCE_RECRUITMENT
from trial.demo.desk import Desk
from trial.demo.follow import FollowUp
from trial.demo.plan import N_RANDOMISED, plans
from trial.demo.recruitment import Recruitment
from trial.demo.sessions import Registers
from trial.demo.setting import set_up
from trial.demo.stage import Case, Stage

SEED = "hedgerow"
afterwards: list[Callable[[Stage], None]] = []
"""What apps above this one add once the story is told, such as a release."""


def build(
    *,
    now: datetime,
    n_randomised: int = N_RANDOMISED,
    seed: str = SEED,
    weeks_since: int = WEEKS_SINCE_RECRUITMENT,
    with_cut: bool = True,
    with_acceptance_test: bool = True,
) -> Stage:
    """Load the whole story, from the first referral to `now`, into an empty database.

    Args:
        n_randomised: scales everything; 96 is the study of domain.md section 10.
        weeks_since: weeks between the end of recruitment and today.
        with_cut: make a data cut, from which a release can be built.
        with_acceptance_test: run the acceptance test of the randomisation for real, which takes some seconds.
    """
    stage = set_up(now=now, seed=seed, weeks_since=weeks_since, with_acceptance_test=with_acceptance_test)
    for plan in plans(stage.calendar, seed, n_randomised):
        Recruitment(Case.of(stage, plan), lambda case: FollowUp(case).begin()).begin()
    Registers(stage).begin()
    events.harm(stage)
    office.begin(stage)
    outreach.begin(stage)
    Desk(stage).begin(with_cut=with_cut)
    stage.agenda.play()
    return stage
