"""Which forms wait for a second entry, from whom the first one is kept, and how far the two agree (BR-36)."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet, Sum
from django.urls import reverse

from trial.access.models import User
from trial.access.policy import Action
from trial.assessments.models import Administration
from trial.base.parts import Link
from trial.double_entry import rules
from trial.double_entry.models import FirstEntrySeen, SecondEntry
from trial.participants.models import Participant
from trial.protocol import rules as protocol_rules
from trial.protocol.models import ProtocolVersion

ON_PAPER = Administration.Mode.SELF_PAPER
COMPLETE = Administration.Status.COMPLETE


def second_of(form: Administration) -> SecondEntry | None:
    """The completed second entry."""
    done = form.second_entries.filter(status=SecondEntry.Status.COMPLETE)
    return done.select_related("entered_by", "administration__entered_by").first()


def is_for_double_entry(form: Administration) -> bool:
    """Whether it is complete, on paper, and of an instrument that the protocol has entered twice."""
    if form.status != COMPLETE or form.mode != ON_PAPER:
        return False
    return protocol_rules.instrument(form.protocol_version.spec, form.instrument).double_entry


def is_awaited(form: Administration) -> bool:
    """Whether somebody has to enter it a second time."""
    return is_for_double_entry(form) and second_of(form) is None


def knows_first(form: Administration, user: User) -> bool:
    """Whether the person saved any version of the first entry, or was shown it."""
    if form.entered_by_id == user.pk or form.history.filter(history_user=user).exists():
        return True
    return FirstEntrySeen.objects.filter(administration=form, seen_by=user).exists()


def may_wait(form: Administration) -> bool:
    """Whether it waits for a second entry, or will once it is complete: an unfinished form may become a paper one."""
    is_open = form.status == Administration.Status.DRAFT and form.mode in ("", ON_PAPER)
    if not is_open and not (form.status == COMPLETE and form.mode == ON_PAPER):
        return False
    use = protocol_rules.instrument(form.protocol_version.spec, form.instrument)
    return use.double_entry and second_of(form) is None


def may_be_second(form: Administration, user: User) -> bool:
    """Whether the form waits for a second entry that this person may make."""
    return (
        is_awaited(form) and user.access.may(Action.ENTER_FORM, form.participant.site) and not knows_first(form, user)
    )


def entry_url(form: Administration) -> str:
    """The page on which the form is entered a second time."""
    return reverse("double_entry:enter", args=[form.participant.study_id, form.visit.code, form.instrument])


def differences_url(form: Administration) -> str:
    """The page that shows both entries."""
    return reverse("double_entry:differences", args=[form.participant.study_id, form.visit.code, form.instrument])


def elsewhere(form: Administration, user: User) -> str:
    """Where a second person goes instead of the first entry, which they must not see before their own is complete."""
    return entry_url(form) if may_be_second(form, user) else ""


def links(form: Administration, user: User) -> list[Link]:
    """The way from a form to both entries of it."""
    if form.mode != ON_PAPER or second_of(form) is None:
        return []
    return [Link("Both entries", differences_url(form))]


# -- all forms


def _for_double_entry() -> Q:
    """Forms of instruments that their version of the protocol has entered twice."""
    named = Q(pk__in=[])
    for version in ProtocolVersion.objects.all():
        codes = [use.code for use in version.spec.instruments if use.double_entry]
        named |= Q(protocol_version=version, instrument__in=codes)
    return named & Q(status=COMPLETE, mode=ON_PAPER)


def awaiting() -> QuerySet[Administration]:
    """Paper forms that nobody has entered a second time, the oldest first."""
    twice = SecondEntry.objects.filter(status=SecondEntry.Status.COMPLETE).values("administration")
    return Administration.objects.filter(_for_double_entry()).exclude(pk__in=twice).order_by("submitted_at", "pk")


def undecided() -> QuerySet[SecondEntry]:
    """Second entries with differences that nobody has decided, the oldest first."""
    counted = SecondEntry.objects.filter(status=SecondEntry.Status.COMPLETE).annotate(n_decided=Count("adjudications"))
    return counted.filter(n_decided__lt=F("n_differences")).order_by("completed_at", "pk")


def hidden_forms(participant: Participant, user: User) -> set[int]:
    """Forms of one person whose first entry this user must not see yet."""
    if not user.access.may(Action.ENTER_FORM, participant.site):
        return set()
    waiting = awaiting().filter(participant=participant)
    return {form.pk for form in waiting if not knows_first(form, user)}


@dataclass(frozen=True)
class Agreement:
    """How far two entries of the same forms agree, item by item."""

    n_forms: int
    n_agreed: int
    n_compared: int
    n_awaiting: int
    n_undecided: int

    @property
    def rate(self) -> float | None:
        """Items agreeing over items compared."""
        return rules.agreement(self.n_agreed, self.n_compared)


def agreement(site_ids: Iterable[int] | None) -> Agreement:
    """Agreement over all forms entered twice, at some sites or (None) at all."""
    wanted = Q() if site_ids is None else Q(participant__referral__site__in=site_ids)
    done = SecondEntry.objects.filter(wanted, status=SecondEntry.Status.COMPLETE)
    sums = done.aggregate(n=Count("pk"), agreed=Sum("n_agreed"), compared=Sum("n_compared"))
    return Agreement(
        sums["n"],
        sums["agreed"] or 0,
        sums["compared"] or 0,
        awaiting().filter(wanted).count(),
        undecided().filter(wanted).count(),
    )
