"""What queries add beside a stored questionnaire, and beside each of its answers; set in trial.wiring."""

from trial.access.models import User
from trial.access.policy import Action
from trial.assessments.models import Administration
from trial.base.parts import Link


def beside_form(form: Administration, user: User) -> list[Link]:
    """ "Raise a query" about the whole questionnaire, for people who may."""
    return [Link("Raise a query", _url(form))] if _may(form, user) else []


def beside_item(form: Administration, item: str, user: User) -> Link | None:
    """The same about one answer (ux.md 4.4: from the field itself)."""
    return Link("Query this answer", f"{_url(form)}?item={item}") if _may(form, user) else None


def _may(form: Administration, user: User) -> bool:
    return user.access.may(Action.RAISE_QUERY, form.participant.site)


def _url(form: Administration) -> str:
    return f"/people/{form.participant.study_id}/{form.visit.code}/{form.instrument}/query/"
