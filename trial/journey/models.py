"""Statuses taken back (T18), early ends confirmed (T16), and lists of referrals brought in (R-42)."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from trial.base.models import AuditedModel, EventModel
from trial.participants.models import Referral, Status


class Reversal(AuditedModel):
    """One status taken back to the one before: asked by the data manager, approved by an investigator."""

    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="reversals")
    from_status = models.CharField(max_length=40, choices=Status.choices)
    to_status = models.CharField(max_length=40, choices=Status.choices)
    reason = models.CharField(max_length=300)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True)
    refused_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    refused_at = models.DateTimeField(null=True)
    refusal = models.CharField(max_length=250, blank=True, help_text="Why the status stays")

    class Meta:
        ordering = ["-asked_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["referral"],
                condition=Q(approved_at__isnull=True, refused_at__isnull=True),
                name="one_open_reversal_per_referral",
            ),
            models.CheckConstraint(
                condition=Q(approved_at__isnull=True) | Q(refused_at__isnull=True),
                name="reversal_is_approved_or_refused",
            ),
            models.CheckConstraint(
                condition=Q(refused_at__isnull=True) | (Q(refused_by__isnull=False) & ~Q(refusal="")),
                name="refused_reversal_says_why",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("asked_by")), name="reversal_takes_two_people"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="reversal_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.referral}: {self.from_status} taken back"


class EndConfirmation(EventModel):
    """That an investigator has confirmed that a participant ended early (T16)."""

    referral = models.OneToOneField(Referral, on_delete=models.PROTECT, related_name="end_confirmation")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.referral}: ended early, confirmed by {self.by}"


class ReferralImport(AuditedModel):
    """One list of referrals that was brought in: checked, confirmed, and counted to the last line (R-42)."""

    class State(models.TextChoices):
        CHECKED = "checked", "Checked, nothing saved yet"
        CONFIRMED = "confirmed", "Being saved"
        DONE = "done", "Saved"
        DISCARDED = "discarded", "Discarded"

    stops_at_lock = False

    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()
    sha256 = models.CharField(max_length=64, help_text="Of the file as it was received")
    state = models.CharField(max_length=10, choices=State.choices, default=State.CHECKED)
    n_received = models.PositiveIntegerField()
    n_stored = models.PositiveIntegerField(default=0)
    n_refused = models.PositiveIntegerField(default=0)
    confirmed_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-uploaded_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="done") | Q(n_received=F("n_stored") + F("n_refused"), done_at__isnull=False),
                name="received_is_stored_plus_refused",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["confirmed", "done"]) | Q(confirmed_at__isnull=False),
                name="saved_import_was_confirmed",
            ),
        ]

    def __str__(self) -> str:
        return f"List of referrals {self.pk}"


class ImportedLine(EventModel):
    """What became of one line of a list: the referral it made, or why it was refused. Never what it said."""

    referral_import = models.ForeignKey(ReferralImport, on_delete=models.PROTECT, related_name="lines")
    line = models.PositiveIntegerField(help_text="As the spreadsheet counts")
    referral = models.OneToOneField(Referral, null=True, on_delete=models.PROTECT, related_name="imported_line")
    reason = models.TextField(blank=True, help_text="Column and what to do, one to a line of text")
    at = models.DateTimeField()

    class Meta:
        ordering = ["referral_import_id", "line"]
        constraints = [
            models.UniqueConstraint(fields=["referral_import", "line"], name="imported_line_once"),
            models.CheckConstraint(
                condition=Q(referral__isnull=True) & ~Q(reason="") | Q(referral__isnull=False, reason=""),
                name="imported_line_is_stored_or_refused",
            ),
        ]

    def __str__(self) -> str:
        return f"Line {self.line}"


class ImportFile(models.Model):
    """The checked lines of a list until they are saved. No record of the trial: sealed, and deleted after use."""

    referral_import = models.OneToOneField(ReferralImport, on_delete=models.PROTECT, related_name="file")
    wrapped_key = models.CharField(max_length=400)
    sealed = models.TextField()

    def __str__(self) -> str:
        return f"File of list {self.referral_import_id}"
