"""Who sits at the consent pages: the session between the link, or the handing over of the tablet, and the end.

On a tablet the member of staff is signed out as the tablet is handed over: no staff page opens without signing in.
What is remembered of them lets their own password, and nobody else's, bring them back.
"""

from dataclasses import dataclass

from django.contrib.auth import login
from django.http import HttpRequest

from trial.access.models import User
from trial.econsent import reads
from trial.econsent.models import ConsentLink, ConsentSession

KEY = "consent"
METHODS = "account_authentication_methods"
"""Where the sign-in library keeps how somebody signed in."""
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
KIOSK_SECONDS = 2 * 60 * 60
"""Reading takes longer than the idle limit of a desk; nothing of staff is open meanwhile."""


@dataclass(frozen=True)
class Sitting:
    """One person at one consent.

    Attributes:
        link: None on a tablet.
        has_passed: the second check was passed, or a member of staff handed the tablet over.
        staff_id: who handed the tablet over.
    """

    session: ConsentSession
    link: ConsentLink | None
    has_passed: bool
    staff_id: int | None = None

    @property
    def is_kiosk(self) -> bool:
        """Whether this is the team's own tablet."""
        return self.staff_id is not None


def begin(request: HttpRequest, link: ConsentLink) -> None:
    """Open a session of its own: whoever was signed in on this device is signed out first."""
    request.session.flush()
    request.session[KEY] = {"session": link.session_id, "link": link.pk, "passed": False}


def let_in(request: HttpRequest, link: ConsentLink) -> None:
    """The second check was passed: a new session key, so that nobody else holds it."""
    request.session.cycle_key()
    request.session[KEY] = {"session": link.session_id, "link": link.pk, "passed": True}


def hand_over(request: HttpRequest, session: ConsentSession, by: User) -> None:
    """Sign the member of staff out and leave only the consent pages open on this device."""
    methods = request.session.get(METHODS, [])
    request.session.flush()
    request.session[KEY] = {"session": session.pk, "link": None, "passed": True, "staff": by.pk, "methods": methods}
    request.session.set_expiry(KIOSK_SECONDS)


def current(request: HttpRequest) -> Sitting | None:
    """The sitting of this session, if there is one."""
    kept = request.session.get(KEY)
    if not kept:
        return None
    link = reads.link_with(kept["link"]) if kept["link"] else None
    session = link.session if link else reads.session_with(kept["session"])
    return Sitting(session, link, kept["passed"], kept.get("staff")) if session else None


def hand_back(request: HttpRequest, by: User) -> None:
    """Sign the same member of staff in again, once they proved who they are."""
    methods = request.session.get(KEY, {}).get("methods", [])
    request.session.flush()
    login(request, by, backend=BACKEND)
    request.session[METHODS] = methods


def end(request: HttpRequest) -> None:
    """Forget everything about the sitting."""
    request.session.flush()
