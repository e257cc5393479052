"""Messages back to the GP and the referrer: what is due, and what was sent to whom, when, by whom."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from trial.access.models import Site, User
from trial.access.policy import Action
from trial.base.models import AuditedModel, AuditedQuerySet
from trial.consent.models import DocumentVersion
from trial.participants.models import Participant


class Practice(AuditedModel):
    """A practice or organisation that messages go to, with the secure address that was recorded for it."""

    stops_at_lock = False
    change_needs_reason = False

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="practices")
    name = models.CharField(max_length=150)
    ods_code = models.CharField(max_length=8, blank=True)
    secure_email = models.EmailField(blank=True)
    address = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["site", "name"], name="practice_once_per_site")]

    def __str__(self) -> str:
        return self.name


class MessageQuerySet(AuditedQuerySet["MessageBack"]):
    """Lookups of messages back."""

    def visible_to(self, user: User) -> Self:
        """Those about people of the sites at which `user` sends them."""
        if not user.access.may(Action.SEND_MESSAGE_BACK):
            return self.none()
        ids = user.access.site_ids(Action.SEND_MESSAGE_BACK)
        return self.all() if ids is None else self.filter(participant__referral__site__in=ids)


class MessageBack(AuditedModel):
    """One message about one participant to the GP or the referrer, and its log (domain.md section 2). Names no arm."""

    class Kind(models.TextChoices):
        CONSENT = "consent", "Takes part"
        EXIT = "exit", "No longer takes part"
        SAFETY = "safety", "Safety"

    class To(models.TextChoices):
        GP = "gp", "GP"
        REFERRER = "referrer", "Referrer"

    class State(models.TextChoices):
        DUE = "due", "Due"
        SENT = "sent", "Sent"
        NOT_SENT = "not_sent", "Not sent"

    class How(models.TextChoices):
        PRINT = "print", "Printed or downloaded, then posted or handed over"
        EMAIL = "email", "By e-mail to a secure address"

    stops_at_lock = False
    guards = (
        ("final", "UPDATE", "OLD.state <> 'due'", "What became of a message back never changes"),
        (
            "subject",
            "UPDATE",
            "NEW.participant_id IS DISTINCT FROM OLD.participant_id OR NEW.kind IS DISTINCT FROM OLD.kind"
            " OR NEW.recipient IS DISTINCT FROM OLD.recipient",
            "A message stays about its person and for its recipient",
        ),
    )

    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="messages_back")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    recipient = models.CharField(max_length=10, choices=To.choices)
    cause = models.CharField(max_length=60, help_text="The same fact never makes two messages")
    caused_at = models.DateTimeField()
    due_date = models.DateField()
    text_sealed = models.TextField(blank=True, help_text="What a safety message says")
    state = models.CharField(max_length=10, choices=State.choices, default=State.DUE)
    letter = models.ForeignKey(DocumentVersion, null=True, on_delete=models.PROTECT, related_name="+")
    how = models.CharField(max_length=10, choices=How.choices, blank=True)
    sent_to_sealed = models.TextField(blank=True, help_text="Name and address, as sent")
    content_sealed = models.TextField(blank=True, help_text="The JSON document, as sent")
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the JSON document; the PDF prints it")
    why_not = models.CharField(max_length=200, blank=True)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    objects = models.Manager.from_queryset(MessageQuerySet)()  # type: ignore[misc]

    class Meta:
        ordering = ["due_date", "id"]
        verbose_name_plural = "messages back"
        constraints = [
            models.UniqueConstraint(fields=["participant", "recipient", "cause"], name="message_back_once_per_cause"),
            models.CheckConstraint(
                condition=~Q(state="sent")
                | (~Q(sha256="") & ~Q(how="") & ~Q(sent_to_sealed="") & Q(settled_at__isnull=False)),
                name="sent_message_back_is_logged",
            ),
            models.CheckConstraint(
                condition=~Q(state="not_sent") | (~Q(why_not="") & Q(settled_at__isnull=False)),
                name="message_not_sent_says_why",
            ),
            models.CheckConstraint(
                condition=~Q(kind="safety") | ~Q(text_sealed=""), name="safety_message_says_something"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: to the {self.get_recipient_display()}"
