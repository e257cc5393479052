"""What a participant gets for their time or their way, in pence. Nothing here names a venue or a group."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from trial.access.models import User
from trial.access.policy import Action
from trial.base.models import AuditedModel, AuditedQuerySet
from trial.participants.models import Participant
from trial.schedule.models import Visit

MAX_PENCE = 50_000


class ClaimQuerySet(AuditedQuerySet["Claim"]):
    """Lookups of claims."""

    def visible_to(self, user: User, *actions: Action) -> Self:
        """Those of the user's sites; a blinded person sees no travel, which tells who went where, and when (BR-26)."""
        asked = [action for action in actions or (Action.RECORD_CLAIM, Action.PAY_CLAIM) if user.access.may(action)]
        if not asked:
            return self.none()
        ids: set[int] = set()
        for action in asked:
            sites = user.access.site_ids(action)
            if sites is None:
                return self._for_reader(user)
            ids |= sites
        return self.filter(participant__referral__site__in=ids)._for_reader(user)

    def _for_reader(self, user: User) -> Self:
        return self.filter(kind=Claim.Kind.VOUCHER) if user.access.blinded else self


class Claim(AuditedModel):
    """One voucher or travel claim. Whoever recorded it neither approves nor pays it."""

    class Kind(models.TextChoices):
        VOUCHER = "voucher", "Voucher for questionnaires"
        TRAVEL = "travel", "Travel"

    class State(models.TextChoices):
        OFFERED = "offered", "Offered"
        APPROVED = "approved", "Approved"
        PAID = "paid", "Paid"
        DECLINED = "declined", "Not paid"

    class Mode(models.TextChoices):
        BUS = "bus", "Bus"
        TRAIN = "train", "Train"
        CAR = "car", "Own car"
        LIFT = "lift", "Lift from somebody"
        TAXI = "taxi", "Taxi"

    stops_at_lock = False
    change_needs_reason = False
    guards = (
        (
            "steps",
            "UPDATE",
            "OLD.state <> NEW.state AND OLD.state || '>' || NEW.state NOT IN"
            " ('offered>approved', 'offered>declined', 'approved>paid', 'approved>declined')",
            "A claim is offered, then approved, then paid",
        ),
        (
            "amount",
            "UPDATE",
            "NEW.amount_pence <> OLD.amount_pence OR NEW.participant_id <> OLD.participant_id"
            " OR NEW.recorded_by_id <> OLD.recorded_by_id",
            "A claim keeps its amount and its person",
        ),
    )

    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="claims")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    visit = models.ForeignKey(Visit, null=True, on_delete=models.PROTECT, related_name="claims")
    travel_date = models.DateField(null=True)
    mode = models.CharField(max_length=10, choices=Mode.choices, blank=True)
    amount_pence = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OFFERED)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True)
    paid_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    paid_at = models.DateTimeField(null=True)
    declined_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    declined_at = models.DateTimeField(null=True)

    objects = models.Manager.from_queryset(ClaimQuerySet)()  # type: ignore[misc]

    class Meta:
        ordering = ["-recorded_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_pence__gte=1, amount_pence__lte=MAX_PENCE), name="claim_has_an_amount"
            ),
            models.CheckConstraint(
                condition=Q(kind="voucher", visit__isnull=False, travel_date__isnull=True, mode="")
                | (Q(kind="travel", visit__isnull=True, travel_date__isnull=False) & ~Q(mode="")),
                name="claim_says_what_for",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("recorded_by")),
                name="claim_approved_by_another",
            ),
            models.CheckConstraint(
                condition=Q(paid_by__isnull=True) | ~Q(paid_by=F("recorded_by")), name="claim_paid_by_another"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "paid"]) | Q(approved_by__isnull=False, approved_at__isnull=False),
                name="claim_paid_once_approved",
            ),
            models.CheckConstraint(
                condition=~Q(state="paid") | Q(paid_by__isnull=False, paid_at__isnull=False),
                name="claim_paid_by_somebody",
            ),
            models.UniqueConstraint(
                fields=["participant", "visit"],
                condition=Q(kind="voucher") & ~Q(state="declined"),
                name="one_voucher_for_a_visit",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"
