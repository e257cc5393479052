"""Contact attempts, information given, and the eligibility assessment."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from trial.access.models import Signature
from trial.base.models import AuditedModel, AuditedQuerySet, EventModel
from trial.participants.models import Participant, Person, Referral
from trial.protocol.models import ProtocolVersion


class ContactQuerySet(AuditedQuerySet["ContactAttempt"]):
    """Lookups of contacts."""

    def with_person(self) -> Self:
        """Those of the team with the person: the only ones that T02 and T03 count."""
        return self.filter(parties=ContactAttempt.Parties.TEAM_PERSON)


class ContactAttempt(AuditedModel):
    """One contact about a person, or a try: by the team or a link worker, and what follows from it (T02, T03)."""

    class Parties(models.TextChoices):
        TEAM_PERSON = "team_person", "We and the person"
        LINK_WORKER_PERSON = "link_worker_person", "A link worker and the person"
        TEAM_REFERRER = "team_referrer", "We and the referrer or link worker"
        TEAM_CARER = "team_carer", "We and a carer or relative"

    class Next(models.TextChoices):
        CALL = "call", "Call again"
        SHEET = "sheet", "Send the information sheet"
        TALK = "talk", "Talk about taking part"
        MEET = "meet", "Meet in person"
        REFERRER = "referrer", "Ask the referrer or link worker"
        NOTHING = "nothing", "Nothing more for now"

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
    parties = models.CharField(max_length=20, choices=Parties.choices, default=Parties.TEAM_PERSON)
    next_step = models.CharField(max_length=10, choices=Next.choices, blank=True)
    next_date = models.DateField(null=True, blank=True)
    note_sealed = models.TextField(blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    objects = models.Manager.from_queryset(ContactQuerySet)()  # type: ignore[misc]

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(next_step__in=["", "nothing"], next_date__isnull=True)
                | (~Q(next_step__in=["", "nothing"]) & Q(next_date__isnull=False)),
                name="what_comes_next_has_a_day",
            ),
        ]

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
    answers = models.JSONField(
        default=dict,
        help_text='{"I1": {"answer": "yes", "evidence": "54 at consent"}, "I3": {"answer": "yes", "sealed": "…"}}',
    )
    assessed_date = models.DateField()
    assessed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(
        max_length=10,
        choices=[("open", "Not decided"), ("met", "Every criterion met"), ("failed", "A criterion failed")],
    )
    strata = models.JSONField(default=dict, help_text="Levels fixed when eligibility is signed (BR-24)")
    signature = models.ForeignKey(Signature, null=True, on_delete=models.PROTECT, related_name="+")

    guards = (
        (
            "signed",
            "UPDATE",
            "OLD.signature_id IS NOT NULL AND NEW.signature_id IS NOT NULL"
            " AND (NEW.answers IS DISTINCT FROM OLD.answers OR NEW.outcome IS DISTINCT FROM OLD.outcome"
            " OR NEW.strata IS DISTINCT FROM OLD.strata OR NEW.signature_id IS DISTINCT FROM OLD.signature_id)",
            "A signed assessment never changes",
        ),
    )

    class Meta:
        verbose_name_plural = "eligibility assessments"
        constraints = [
            models.CheckConstraint(
                condition=Q(signature__isnull=True) | Q(outcome="met"), name="only_met_eligibility_is_signed"
            )
        ]

    def __str__(self) -> str:
        return f"Eligibility of {self.participant}"


_CONSENTED = (
    "EXISTS (SELECT 1 FROM trial_participant p JOIN trial_referral r ON r.id = p.referral_id"
    " WHERE r.person_id = NEW.person_id)"
)
_OPEN = (
    "EXISTS (SELECT 1 FROM trial_referral r WHERE r.person_id = NEW.person_id"
    " AND r.status IN ('CONTACTED', 'INFORMED', 'REFERRED'))"
)


class IdentifierRemoval(EventModel):
    """The certificate that the identifiers of somebody who never consented were removed: what, when, by which rule.

    The person's key and look-up hashes are destroyed; the anonymous line of the screening log stays.
    """

    guards = (
        ("consented", "INSERT", _CONSENTED, "Identifiers of somebody who consented are removed by two people only"),
        ("still_open", "INSERT", _OPEN, "A referral of this person is still open"),
    )

    person = models.OneToOneField(Person, on_delete=models.PROTECT, related_name="removal")
    rule = models.CharField(max_length=200, help_text="In words, with its number of days")
    protocol_version = models.ForeignKey(ProtocolVersion, on_delete=models.PROTECT, related_name="+")
    closed_date = models.DateField(help_text="When the last referral was closed")
    at = models.DateTimeField()
    n_referrals = models.PositiveSmallIntegerField()
    n_texts = models.PositiveIntegerField(help_text="Sealed texts that died with the key")
    backups_expire_date = models.DateField(help_text="Last day on which a backup may still hold the key")

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"Removal {self.pk}"
