"""What the frame of every page shows: study, places, who is signed in, version."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from trial import __version__
from trial.access.models import User
from trial.access.policy import Action
from trial.protocol.versions import study_line

PLACES: tuple[tuple[str, str, Action], ...] = (
    ("My tasks", "/", Action.VIEW_TASKS),
    ("Overview", "/overview/", Action.VIEW_OVERVIEW),
    ("Data", "/data/", Action.VIEW_DATA),
    ("Monitoring", "/monitor/", Action.VIEW_MONITORING),
    ("Register", "/register/", Action.TAKE_REGISTER),
    ("People", "/people/", Action.VIEW_PEOPLE),
    ("Sessions", "/sessions/", Action.VIEW_SESSIONS),
    ("Queries", "/queries/", Action.VIEW_QUERIES),
    ("Safety", "/safety/", Action.VIEW_SAFETY),
    ("Locks", "/locks/", Action.VIEW_LOCKS),
    ("Releases", "/releases/", Action.VIEW_RELEASES),
    ("Randomisation", "/randomisation/", Action.VIEW_SCHEME),
    ("Audit", "/audit/", Action.VIEW_AUDIT),
    ("Settings", "/settings/", Action.VIEW_SETTINGS),
)
MAX_PLACES = 6
FURTHER: tuple[tuple[str, str, Action], ...] = (
    ("Deviations", "/deviations/", Action.VIEW_DEVIATIONS),
    ("Consents", "/consents/", Action.RECORD_CONSENT),
    ("Consent again", "/reconsent/", Action.VIEW_RECORD),
    ("Documents", "/documents/", Action.VIEW_PROTOCOL),
    ("Green light", "/green-light/", Action.SIGN_GREEN_LIGHT),
    ("Bring in a list", "/people/import/", Action.IMPORT_REFERRALS),
    ("Asked to be called", "/people/interest/", Action.HANDLE_INTEREST),
    ("Posters and links", "/people/interest/sources/", Action.MANAGE_SOURCES),
    ("Messages back", "/messages-back/", Action.SEND_MESSAGE_BACK),
    ("Screening log", "/screening-log/", Action.VIEW_SCREENING_LOG),
    ("Referral models", "/reports/referral-models/", Action.VIEW_REFERRAL_REPORT),
    ("Delegation log", "/delegation/", Action.MANAGE_DELEGATION),
    ("Sites", "/settings/sites/", Action.OPERATE_SCHEME),
    ("Licences", "/licences/", Action.RECORD_LICENCE),
    ("Requests about data", "/data-requests/", Action.HANDLE_REQUEST),
    ("Vouchers and travel", "/claims/", Action.PAY_CLAIM),
    ("Retention", "/retention/", Action.AGREE_DISPOSAL),
    ("Breaches", "/breaches/", Action.MANAGE_BREACH),
    ("Households", "/people/households/", Action.ASSESS_ELIGIBILITY),
    ("Randomise a batch", "/randomisation/batch/", Action.RANDOMISE),
    ("Code breaks", "/randomisation/code-breaks/", Action.CODE_BREAK),
    ("Exceptions", "/randomisation/exceptions/", Action.VIEW_EXCEPTIONS),
    ("Emergency envelopes", "/randomisation/envelopes/", Action.PRINT_ENVELOPES),
    ("Emergency envelopes", "/randomisation/envelopes/", Action.USE_BACKUP),
    ("Protocol", "/protocol/", Action.VIEW_PROTOCOL),
)
"""Places that are needed less often; the account menu lists them after those that the header has no room for."""


@dataclass(frozen=True)
class Place:
    """One link of the header."""

    label: str
    url: str
    current: bool


@dataclass(frozen=True)
class Page:
    """The frame of one page."""

    study_name: str
    training: bool
    places: list[Place]
    further: list[Place]
    user_name: str
    user_role_line: str
    version: str
    protocol: str
    search_url: str


def page(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `page` for the base templates."""
    user = request.user if hasattr(request, "user") and request.user.is_authenticated else None
    study_name, protocol = study_line()
    places = _shown(user, request.path, PLACES)
    return {
        "page": Page(
            study_name=study_name,
            training=settings.TRAINING,
            places=places[:MAX_PLACES],
            further=[*places[MAX_PLACES:], *_shown(user, request.path, FURTHER)],
            user_name=user.name if user else "",
            user_role_line=_role_line(user) if user else "",
            version=__version__,
            protocol=protocol,
            search_url="/people/" if user and user.access.may(Action.VIEW_PEOPLE) else "",
        )
    }


def _shown(user: User | None, path: str, places: Iterable[tuple[str, str, Action]]) -> list[Place]:
    allowed = [(label, url) for label, url, action in places if user and user.access.may(action)]
    if ("Sessions", "/sessions/") in allowed:
        allowed = [place for place in allowed if place[1] != "/register/"]  # each session leads to its register
    return [Place(label, url, path == url if url == "/" else path.startswith(url)) for label, url in allowed]


def _role_line(user: User) -> str:
    main = user.access.main
    if main is None:
        return "No role today"
    sites = [a.site.name for a in user.access.assignments if a.role == main.role and a.site]
    where = ", ".join(sites) if sites else "all sites"
    return f"{main.get_role_display()}, {where}" + (", blinded" if user.access.blinded else "")
