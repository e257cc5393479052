"""Participation changes: what each person still takes part in (BR-60 to BR-62)."""

from django.conf import settings
from django.db import models

from trial.base.models import AuditedModel, EventModel
from trial.participants.models import Participant


class Element(models.TextChoices):
    """What somebody can take part in, each on or off (BR-60)."""

    ACTIVITY = "activity", "Activity group"
    QUESTIONNAIRES_WEB = "questionnaires_web", "Questionnaires online"
    QUESTIONNAIRES_PHONE_POST = "questionnaires_phone_post", "Questionnaires by telephone or post"
    REMINDERS = "reminders", "Reminders"
    CONTACT = "contact", "Contact by the team"
    RECORDS = "records", "GP and record data"
    INTERVIEW = "interview", "Interview"
    RESULTS_LETTER = "results_letter", "Results letter"


class ParticipationChange(AuditedModel):
    """One reduction, stop or change, with the day it takes effect. A missed visit is not one."""

    class DecidedBy(models.TextChoices):
        PARTICIPANT = "participant", "Participant"
        TEAM = "team", "Study team"
        CLINICIAN = "clinician", "Clinician"
        ADMINISTRATIVE = "administrative", "Administrative"

    class Cause(models.TextChoices):
        CHOICE = "choice", "Choice"
        DEATH = "death", "Death"
        LOSS_OF_CAPACITY = "loss_of_capacity", "Loss of capacity"

    stops_at_lock = False

    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="participation_changes")
    effective_date = models.DateField()
    decided_by = models.CharField(max_length=15, choices=DecidedBy.choices)
    cause = models.CharField(max_length=20, choices=Cause.choices, default=Cause.CHOICE)
    elements = models.JSONField(help_text='{"activity": false}: the elements that change')
    reason_code = models.CharField(max_length=40, blank=True, help_text="Never demanded (BR-62)")
    how_learned_sealed = models.TextField(blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["effective_date", "id"]

    def __str__(self) -> str:
        return f"Change of {self.participant} from {self.effective_date}"


class ParticipationLetter(EventModel):
    """That the letter which confirms a change was made for the participant: how it went, and what it was (SHA-256).

    Nobody who died or lost capacity is written to: a trigger refuses it.
    """

    class How(models.TextChoices):
        EMAIL = "email", "By e-mail"
        PRINT = "print", "Printed, to post or to hand over"

    guards = (
        (
            "care",
            "INSERT",
            "EXISTS (SELECT 1 FROM trial_participationchange c JOIN trial_participationchange o"
            " ON o.participant_id = c.participant_id WHERE c.id = NEW.change_id AND o.cause <> 'choice')",
            "Nobody who died or lost capacity is sent a letter",
        ),
    )

    change = models.ForeignKey(ParticipationChange, on_delete=models.PROTECT, related_name="letters")
    how = models.CharField(max_length=10, choices=How.choices)
    sha256 = models.CharField(max_length=64, help_text="Of the letter's words")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"Letter about change {self.change_id}"
