"""Contact attempts, information given, and the eligibility assessment."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from trial.access.models import Signature
from trial.base.models import AuditedModel
from trial.participants.models import Participant, Referral
from trial.protocol.models import ProtocolVersion


class ContactAttempt(AuditedModel):
    """One try to reach a person, before or after consent (T02, T03)."""

    class Channel(models.TextChoices):
        PHONE = "phone", "Telephone"
        TEXT = "text", "Text message"
        EMAIL = "email", "E-mail"
        LETTER = "letter", "Letter"
        IN_PERSON = "in_person", "In person"

    class Outcome(models.TextChoices):
        TWO_WAY = "two_way", "Spoke or wrote to each other"
        MESSAGE_LEFT = "message_left", "Left a message"
        NO_ANSWER = "no_answer", "No answer"
        WRONG_DETAILS = "wrong_details", "Wrong details"

    stops_at_lock = False

    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="contact_attempts")
    at = models.DateTimeField()
    channel = models.CharField(max_length=15, choices=Channel.choices)
    outcome = models.CharField(max_length=15, choices=Outcome.choices)
    duration_min = models.PositiveSmallIntegerField(null=True, blank=True)
    note_sealed = models.TextField(blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {self.get_outcome_display()}"


class Eligibility(AuditedModel):
    """Every criterion answered with evidence, and the signature that endorses the answers (T08, T09)."""

    class Answer(models.TextChoices):
        YES = "yes", "Yes"
        NO = "no", "No"
        UNKNOWN = "unknown", "Not known"

    participant = models.OneToOneField(Participant, on_delete=models.PROTECT, related_name="eligibility")
    protocol_version = models.ForeignKey(ProtocolVersion, on_delete=models.PROTECT, related_name="+")
    answers = models.JSONField(default=dict, help_text='{"I1": {"answer": "yes", "evidence": "…"}}')
    assessed_date = models.DateField()
    assessed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(
        max_length=10,
        choices=[("open", "Not decided"), ("met", "Every criterion met"), ("failed", "A criterion failed")],
    )
    strata = models.JSONField(default=dict, help_text="Levels fixed when eligibility is signed (BR-24)")
    signature = models.ForeignKey(Signature, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name_plural = "eligibility assessments"
        constraints = [
            models.CheckConstraint(
                condition=Q(signature__isnull=True) | Q(outcome="met"), name="only_met_eligibility_is_signed"
            )
        ]

    def __str__(self) -> str:
        return f"Eligibility of {self.participant}"
