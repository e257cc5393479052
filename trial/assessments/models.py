"""One row per administration of an instrument; its answers are one JSON document (performance.md)."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from trial.base.models import AuditedModel, EventModel
from trial.participants.models import Participant
from trial.protocol.models import ProtocolVersion
from trial.schedule.models import Visit


class InstrumentLicence(AuditedModel):
    """That a study may use an instrument whose holder asks for registration."""

    stops_at_lock = False

    instrument = models.CharField(max_length=40, unique=True)
    reference = models.CharField(max_length=100)
    holder = models.CharField(max_length=200)
    licence_date = models.DateField()
    copyright_line = models.CharField(max_length=300)

    class Meta:
        ordering = ["instrument"]
        constraints = [
            models.CheckConstraint(condition=~Q(reference=""), name="licence_has_a_reference"),
            models.CheckConstraint(condition=~Q(holder=""), name="licence_has_a_holder"),
            models.CheckConstraint(condition=~Q(copyright_line=""), name="licence_has_a_copyright_line"),
        ]

    def __str__(self) -> str:
        return f"{self.instrument}: {self.reference}"


class MissingCode(models.TextChoices):
    """Why an item has no answer, at entry (domain.md, Instrument administration)."""

    RF = "RF", "Prefer not to answer"
    NK = "NK", "Do not know"
    NA = "NA", "Not applicable"
    ND = "ND", "Not done"
    IL = "IL", "Cannot be read"
    BL = "BL", "Left blank"


class Administration(AuditedModel):
    """One questionnaire of one visit: answers, why some are missing, stored scores and counts."""

    class Status(models.TextChoices):
        DRAFT = "draft", "In progress"
        COMPLETE = "complete", "Complete"
        NOT_DONE = "not_done", "Not done"

    class Mode(models.TextChoices):
        SELF_WEB = "self_web", "Participant, online"
        SELF_PAPER = "self_paper", "Participant, on paper"
        INTERVIEW_PHONE = "interview_phone", "Interview by telephone"
        INTERVIEW_IN_PERSON = "interview_in_person", "Interview in person"

    class Respondent(models.TextChoices):
        PARTICIPANT = "participant", "Participant"
        PROXY = "proxy", "Somebody else, for the participant"
        STAFF = "staff", "Staff"

    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="administrations")
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="administrations")
    protocol_version = models.ForeignKey(ProtocolVersion, on_delete=models.PROTECT, related_name="+")
    instrument = models.CharField(max_length=40)
    instrument_version = models.CharField(max_length=20)
    language = models.CharField(max_length=10, default="en-GB")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    mode = models.CharField(max_length=20, choices=Mode.choices, blank=True)
    respondent = models.CharField(max_length=15, choices=Respondent.choices, default=Respondent.PARTICIPANT)
    completed_date = models.DateField(null=True, help_text="When it was answered; entry time is the server's")
    first_opened_at = models.DateTimeField(null=True, help_text="When its first question was shown by a link")
    first_entered_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    assessor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    answers = models.JSONField(default=dict)
    missing = models.JSONField(default=dict, help_text='{"phq9_3": "BL"}')
    reasons = models.JSONField(default=dict, help_text="Why an item was last changed")
    scores = models.JSONField(default=dict)
    scoring_version = models.CharField(max_length=40, blank=True)
    seconds_active = models.PositiveIntegerField(default=0, help_text="Seconds on its questions, by a link")
    n_answered = models.PositiveSmallIntegerField(default=0)
    n_expected = models.PositiveSmallIntegerField(default=0)
    not_done_reason = models.CharField(max_length=40, blank=True)
    revision = models.PositiveIntegerField(default=0, help_text="Counts saves: tells two people apart")

    class Meta:
        ordering = ["visit_id", "instrument"]
        constraints = [
            models.UniqueConstraint(fields=["visit", "instrument"], name="instrument_once_per_visit"),
            models.CheckConstraint(
                condition=~Q(status="complete")
                | (Q(completed_date__isnull=False, submitted_at__isnull=False) & ~Q(mode="")),
                name="complete_form_says_when_and_how",
            ),
            models.CheckConstraint(
                condition=~Q(status="not_done") | ~Q(not_done_reason=""), name="not_done_form_has_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(n_answered__lte=models.F("n_expected")), name="answered_within_expected"
            ),
        ]
        indexes = [models.Index(fields=["participant", "instrument"])]

    def __str__(self) -> str:
        return f"{self.participant} {self.visit.code} {self.instrument}"


class CheckWarning(EventModel):
    """What became of the warning of a soft check on one form: raised, then kept with a reason, or changed (R-10).

    `before` holds the answers that the check compared when it warned, by item; `after` those that were stored
    afterwards. `check_code` is the item of a soft limit, or a code of the protocol's edit checks.
    """

    stops_at_lock = True

    class Outcome(models.TextChoices):
        RAISED = "raised", "Raised"
        KEPT = "kept", "Kept"
        CHANGED = "changed", "Changed"

    form = models.ForeignKey(Administration, on_delete=models.PROTECT, related_name="warnings")
    check_code = models.CharField(max_length=60)
    message = models.CharField(max_length=200)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    before = models.JSONField()
    after = models.JSONField(null=True)
    reason = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="raised", after__isnull=True) | (~Q(outcome="raised") & Q(after__isnull=False)),
                name="warning_has_the_answer_after_it",
            ),
            models.CheckConstraint(
                condition=Q(outcome="kept") & ~Q(reason="") | ~Q(outcome="kept") & Q(reason=""),
                name="warning_kept_says_why",
            ),
            models.CheckConstraint(condition=Q(outcome__in=["raised", "kept", "changed"]), name="warning_outcome"),
        ]

    def __str__(self) -> str:
        return f"{self.form} {self.check_code}: {self.get_outcome_display()}"

    @property
    def answers_now(self) -> dict[str, object]:
        """The answers as they stood after this."""
        found: dict[str, object] = self.before if self.after is None else self.after
        return found


class InstrumentInUse(EventModel):
    """A version of an instrument under which answers are stored, with what its definition said then.

    `checksum` is that of the definition; a file that says something else under the same version is refused.
    """

    instrument = models.CharField(max_length=40)
    version = models.CharField(max_length=20)
    checksum = models.CharField(max_length=64)
    first_used_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["instrument", "version"], name="instrument_in_use_once")]

    def __str__(self) -> str:
        return f"{self.instrument} {self.version}"


class StudyWording(AuditedModel):
    """The wording of one version of an instrument as the study received it under its own licence.

    It is shown on this study's pages only: definitions, codebooks and releases never hold it (instruments, rule 3).
    `content` is {"instructions": text or null, "items": {item: {"text": …, "options": {value: label}}}}.
    """

    stops_at_lock = False
    guards = (
        (
            "answered",
            "UPDATE",
            "EXISTS (SELECT 1 FROM trial_administration a"
            " WHERE a.instrument = OLD.instrument AND a.instrument_version = OLD.version)",
            "Answers are stored under this wording",
        ),
    )

    instrument = models.CharField(max_length=40)
    version = models.CharField(max_length=20)
    content = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["instrument", "version"], name="one_wording_per_version")]

    def __str__(self) -> str:
        return f"{self.instrument} {self.version}"
