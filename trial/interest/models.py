"""Public expressions of interest: where a poster hangs, and who left a way to be reached."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from trial.access.models import Site, User
from trial.access.policy import Action
from trial.base.models import AuditedModel, AuditedQuerySet
from trial.participants.choices import ReferralModel, SourceType
from trial.participants.models import Referral


class InterestSource(AuditedModel):
    """One place with a poster or a link of its own; its code stands in the address and says nothing else."""

    stops_at_lock = False

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="interest_sources")
    code = models.CharField(max_length=12, unique=True)
    name = models.CharField(max_length=120, help_text="Where it hangs")
    source_type = models.CharField(max_length=30, choices=SourceType.choices, default=SourceType.SELF)
    referral_model = models.CharField(max_length=15, choices=ReferralModel.choices, default=ReferralModel.SIGNPOSTING)
    made_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["site_id", "name", "id"]

    def __str__(self) -> str:
        return self.name

    @property
    def url(self) -> str:
        """The whole address, as a poster prints it."""
        return f"{settings.SITE_URL}/interest/{self.code}/"


class InterestQuerySet(AuditedQuerySet["Interest"]):
    """Lookups of expressions of interest."""

    def visible_to(self, user: User) -> Self:
        """Those of the sites at which `user` handles them."""
        if not user.access.may(Action.HANDLE_INTEREST):
            return self.none()
        ids = user.access.site_ids(Action.HANDLE_INTEREST)
        return self.all() if ids is None else self.filter(source__site__in=ids)


class Interest(AuditedModel):
    """One person who asked to be called. What they left lies sealed and goes once they are referred, or are not."""

    class State(models.TextChoices):
        OPEN = "open", "Not called yet"
        REFERRED = "referred", "Became a referral"
        CLOSED = "closed", "Closed"

    class Reason(models.TextChoices):
        NO_LONGER = "no_longer", "Does not want to be called any more"
        NOT_REACHED = "not_reached", "Could not be reached"
        KNOWN = "known", "Is referred already"
        NOT_SERIOUS = "not_serious", "Not a real entry"
        OUTSIDE = "outside", "Lives outside the area"

    stops_at_lock = False
    untracked = ("wrapped_key", "sealed")
    guards = (
        ("final", "UPDATE", "OLD.state <> 'open' AND NEW.state <> OLD.state", "What became of an entry is final"),
        ("gone", "UPDATE", "OLD.sealed = '' AND NEW.sealed <> ''", "What was removed never comes back"),
    )

    source = models.ForeignKey(InterestSource, on_delete=models.PROTECT, related_name="entries")
    received_at = models.DateTimeField()
    consents_to_contact = models.BooleanField()
    wrapped_key = models.CharField(max_length=400, blank=True)
    sealed = models.TextField(blank=True, help_text="Name, one way to be reached, preferred times")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    close_reason = models.CharField(max_length=15, choices=Reason.choices, blank=True)
    referral = models.OneToOneField(Referral, null=True, on_delete=models.PROTECT, related_name="interest")
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    objects = models.Manager.from_queryset(InterestQuerySet)()  # type: ignore[misc]

    class Meta:
        ordering = ["received_at", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(consents_to_contact=True), name="interest_with_consent_to_contact"),
            models.CheckConstraint(
                condition=Q(state="open") | Q(wrapped_key="", sealed="", settled_at__isnull=False),
                name="settled_interest_holds_no_identifier",
            ),
            models.CheckConstraint(
                condition=Q(state="referred", referral__isnull=False)
                | (~Q(state="referred") & Q(referral__isnull=True)),
                name="referred_interest_has_its_referral",
            ),
            models.CheckConstraint(
                condition=~Q(state="closed") | ~Q(close_reason=""), name="closed_interest_has_a_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"Entry {self.pk}"
