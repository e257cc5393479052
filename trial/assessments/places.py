"""One form of one visit of one person, as an address names it, for one user."""

from dataclasses import dataclass

from django.db.models import Q
from django.http import Http404
from django.utils import timezone

import instruments
from instruments import Instrument
from trial.access.models import RoleAssignment, User
from trial.access.policy import POLICY, Action
from trial.assessments.models import Administration
from trial.assessments.wording import Wording, wording_of
from trial.base.parts import Link
from trial.participants.models import Participant
from trial.participants.reads import participant_for
from trial.protocol import rules as protocol_rules
from trial.protocol.spec import ELIGIBILITY, ExpectedForm, InstrumentUse, ProtocolSpec, VisitSpec
from trial.schedule.models import Visit

LANGUAGES = {"en": "English", "cy": "Welsh"}


@dataclass(frozen=True)
class Place:
    """Where a page of a questionnaire stands."""

    participant: Participant
    visit: Visit
    spec: ProtocolSpec
    visit_spec: VisitSpec
    use: InstrumentUse
    form: ExpectedForm
    definition: Instrument
    stored: Administration | None

    @property
    def title(self) -> str:
        """ "PHQ-9, week 5"."""
        return f"{self.use.label}, {self.visit_spec.label}"

    @property
    def version_words(self) -> str:
        """Which form it is: "PHQ-9 English 1.0.0"."""
        language = LANGUAGES.get(self.definition.language[:2], self.definition.language)
        return f"{self.definition.short_title} {language} {self.definition.version}"

    @property
    def url(self) -> str:
        """The page of the form."""
        return f"{self.record_url}{self.visit.code}/{self.use.code}/"

    @property
    def record_url(self) -> str:
        """The record of the person."""
        return f"/people/{self.participant.study_id}/"

    @property
    def breadcrumbs(self) -> list[tuple[str, str]]:
        """The way back."""
        return [("People", "/people/"), (self.participant.study_id, self.record_url)]

    @property
    def wording(self) -> Wording:
        """The words as they may be shown.

        Raises:
            LicenceMissing: the form may not be opened yet.
        """
        return wording_of(self.definition)

    @property
    def is_complete(self) -> bool:
        """Whether the form was completed."""
        return self.stored is not None and self.stored.status == Administration.Status.COMPLETE

    def may(self, user: User, action: Action) -> bool:
        """Whether the user may do something with this person's forms."""
        return user.access.may(action, self.participant.site)

    def links(self, user: User) -> list[Link]:
        """What else can be done with a stored form, as far as this feature knows."""
        found = []
        if self.is_complete and self.may(user, Action.CORRECT_FORM):
            found.append(Link("Correct", f"{self.url}correct/"))
        if self.stored and self.may(user, Action.VIEW_HISTORY):
            found.append(Link("History", f"{self.url}history/"))
        return found


def place_for(user: User, number: str, visit_code: str, form_code: str, action: Action = Action.VIEW_ANSWERS) -> Place:
    """The form that an address names.

    Raises:
        Http404: the person is absent or not this user's; the visit does not exist; the form is none of its own.
    """
    participant = participant_for(user, number, action)
    visit = participant.visits.select_related("protocol_version").filter(code=visit_code).first()
    if visit is None or form_code == ELIGIBILITY:
        raise Http404
    spec = visit.protocol_version.spec
    try:
        form = protocol_rules.form(spec, visit_code, form_code)
    except protocol_rules.UnknownCode:
        raise Http404 from None
    use = protocol_rules.instrument(spec, form_code)
    stored = visit.administrations.select_related("entered_by", "assessor").filter(instrument=form_code).first()
    version = stored.instrument_version if stored else use.version
    definition = instruments.get(form_code, version)
    return Place(participant, visit, spec, protocol_rules.visit(spec, visit_code), use, form, definition, stored)


def assessors_at(place: Place) -> list[User]:
    """People who may enter forms at the site today, and whoever held the interview already."""
    roles = [role for role, spec in POLICY.items() if Action.ENTER_FORM in spec.actions]
    here, today = Q(site=None) | Q(site=place.participant.site), timezone.localdate()
    current = Q(to_date=None) | Q(to_date__gte=today)
    held = RoleAssignment.objects.filter(here, current, role__in=roles, from_date__lte=today).values("user")
    before = place.stored.assessor_id if place.stored else None
    return list(User.objects.filter(Q(pk__in=held, is_active=True) | Q(pk=before)).order_by("name", "pk"))
