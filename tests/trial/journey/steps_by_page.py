"""What the tests of the step pages share: somebody signed in, the words of a page, people of another site."""

from tests.factories import Trial, give_role, make_user
from trial.access.models import Site
from trial.access.policy import POLICY, Role


def as_(client, user):
    """The client, signed in as somebody."""
    client.force_login(user)
    return client


def text_of(response) -> str:
    """The page as HTML."""
    return response.content.decode()


def problems_of(response) -> list[str]:
    """Every message of the page's form."""
    form = response.context["form"]
    return [message for messages in form.errors.values() for message in messages]


def elsewhere(role: Role, *, blinded: bool = False):
    """Somebody in the role at site 02."""
    return give_role(make_user(), role, Site.objects.get(code="02"), blinded=blinded)


def everyone(trial: Trial) -> dict[Role, object]:
    """One person of each role, those per site at the trial's own."""
    return {role: give_role(make_user(), role, trial.site, blinded=bool(POLICY[role].blinded)) for role in Role}


def answers_by_role(client, people, url) -> dict[Role, int]:
    """What a page answers to each role."""
    return {role: as_(client, person).get(url).status_code for role, person in people.items()}
