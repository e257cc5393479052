"""Referrals with their one current status, participants with their study number, identity kept apart."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from trial.access.models import Signature, Site, User
from trial.access.policy import Action
from trial.base.models import AuditedModel, AuditedQuerySet, EventModel
from trial.base.triggers import LOCK_MESSAGE, LOCKED
from trial.participants.choices import ContactBasis, Language, ReferralChannel, ReferralModel, SourceType
from trial.protocol.models import ProtocolVersion


class Status(models.TextChoices):
    """Where a referral stands (domain.md section 3)."""

    REFERRED = "REFERRED", "Referred"
    CONTACTED = "CONTACTED", "Contacted"
    INFORMED = "INFORMED", "Informed"
    NOT_CONTACTABLE = "NOT_CONTACTABLE", "Could not be contacted"
    PRESCREEN_INELIGIBLE = "PRESCREEN_INELIGIBLE", "Not eligible before consent"
    DECLINED = "DECLINED", "Declined"
    CONSENTED = "CONSENTED", "Consented"
    SCREEN_FAILED = "SCREEN_FAILED", "Not eligible"
    ELIGIBLE = "ELIGIBLE", "Eligible"
    BASELINE_DONE = "BASELINE_DONE", "Baseline done"
    WITHDRAWN_BEFORE_RANDOMISATION = "WITHDRAWN_BEFORE_RANDOMISATION", "Left before randomisation"
    RANDOMISED = "RANDOMISED", "Randomised"
    IN_ACTIVITY = "IN_ACTIVITY", "In activity"
    FOLLOW_UP = "FOLLOW_UP", "Follow-up"
    COMPLETED = "COMPLETED", "Completed"
    ENDED_EARLY = "ENDED_EARLY", "Ended early"


BEFORE_CONSENT = frozenset({Status.REFERRED, Status.CONTACTED, Status.INFORMED})
AFTER_RANDOMISATION = frozenset(
    {Status.RANDOMISED, Status.IN_ACTIVITY, Status.FOLLOW_UP, Status.COMPLETED, Status.ENDED_EARLY}
)


RE_REFERRABLE = frozenset(
    {
        Status.NOT_CONTACTABLE,
        Status.PRESCREEN_INELIGIBLE,
        Status.DECLINED,
        Status.SCREEN_FAILED,
        Status.WITHDRAWN_BEFORE_RANDOMISATION,
    }
)
"""Closed before randomisation: a new referral may follow (T17)."""

REFERRAL_LOCK_GUARDS = (
    ("locked", "INSERT", LOCKED, LOCK_MESSAGE),
    (
        "locked",
        "UPDATE",
        f"{LOCKED} AND NEW.status NOT IN ('ENDED_EARLY', 'FOLLOW_UP', 'WITHDRAWN_BEFORE_RANDOMISATION')",
        LOCK_MESSAGE,
    ),
)


class Person(AuditedModel):
    """One human being across referrals. Holds the wrapped data key and the keyed hashes, nothing readable.

    The hashes find the same person again without revealing who it is (BR-04), and candidates for a search. Disposal
    empties key and hashes while every row stays; history never held them, so they are gone (R-36).
    """

    stops_at_lock = False
    untracked = ("wrapped_key", "nhs_number_hash", "name_birth_hash", "birth_date_hash", "surname_hash")
    guards = (
        (
            "key_stays",
            "UPDATE",
            "OLD.wrapped_key <> '' AND NEW.wrapped_key = '' AND NOT EXISTS"
            " (SELECT 1 FROM trial_disposal d WHERE d.person_id = OLD.id AND d.state = 'done') AND NOT EXISTS"
            " (SELECT 1 FROM trial_identifierremoval r WHERE r.person_id = OLD.id)",
            "A key is destroyed only by a disposal that two people agreed, or by the rule for who never consented",
        ),
        ("key_gone", "UPDATE", "OLD.wrapped_key = '' AND NEW.wrapped_key <> ''", "A destroyed key never comes back"),
    )

    wrapped_key = models.CharField(max_length=400, blank=True)
    nhs_number_hash = models.CharField(max_length=64, blank=True, db_index=True)
    name_birth_hash = models.CharField(max_length=64, blank=True, db_index=True)
    birth_date_hash = models.CharField(max_length=64, blank=True, db_index=True)
    surname_hash = models.CharField(max_length=64, blank=True, db_index=True, help_text="Of the first three letters")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["nhs_number_hash"], condition=~Q(nhs_number_hash=""), name="one_person_per_nhs_number"
            ),
            models.CheckConstraint(
                condition=~Q(wrapped_key="")
                | Q(nhs_number_hash="", name_birth_hash="", birth_date_hash="", surname_hash=""),
                name="hashes_go_with_the_key",
            ),
        ]

    def __str__(self) -> str:
        return f"Person {self.pk}"

    @property
    def is_disposed(self) -> bool:
        """Whether the key was destroyed: nothing sealed of this person can be read any more."""
        return not self.wrapped_key


class TextKey(models.Model):
    """The key of one sealed text, itself sealed with the person's key; destroyed when the text is redacted (R-03).

    Rows and history that hold the text stay as they are: what they hold opens no more.
    """

    never_delete = True
    guards: ClassVar[tuple[tuple[str, str, str, str], ...]] = (
        (
            "only_destroyed",
            "UPDATE",
            "NEW.sealed_key <> '' OR NEW.person_id IS DISTINCT FROM OLD.person_id OR NOT EXISTS"
            " (SELECT 1 FROM trial_redaction r WHERE r.text_id = OLD.id)",
            "The key of a text only changes when the text is redacted",
        ),
    )

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="text_keys")
    sealed_key = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"Key of text {self.pk}"


class Redaction(EventModel):
    """That one sealed text was replaced by a marker for ever: which, why, by whom (R-03)."""

    text = models.OneToOneField(TextKey, on_delete=models.PROTECT, related_name="redaction")
    referral = models.ForeignKey("Referral", on_delete=models.PROTECT, related_name="redactions")
    what = models.CharField(max_length=120, help_text="Which text it was, without its words")
    marker = models.CharField(max_length=120, help_text="What stands in its place")
    reason = models.CharField(max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="redaction_has_a_reason")]

    def __str__(self) -> str:
        return f"Redaction of {self.what}"


class Disposal(AuditedModel):
    """The end of one person's protected details: asked by one, agreed by another who signs, then final (R-36).

    Doing it destroys the person's data key and look-up hashes. Rows stay, and so does the allocation.

    Attributes:
        backups_expire_date: the last day on which a backup may still hold the key.
        backups_confirmed_at: when somebody confirmed that no such backup is left.
    """

    class Why(models.TextChoices):
        RETENTION = "retention", "The time for keeping identity data is over"
        ERASURE = "erasure", "A request for erasure was granted"
        NEVER_CONSENTED = "never_consented", "The referral was closed without consent"

    class State(models.TextChoices):
        ASKED = "asked", "Asked for"
        DONE = "done", "Done"
        REFUSED = "refused", "Not agreed"

    stops_at_lock = False
    change_needs_reason = False
    guards = (
        ("final", "UPDATE", "OLD.state <> 'asked' AND NEW.state <> OLD.state", "What became of a disposal is final"),
        (
            "person",
            "UPDATE",
            "NEW.person_id IS DISTINCT FROM OLD.person_id OR NEW.asked_by_id IS DISTINCT FROM OLD.asked_by_id",
            "A disposal stays that of its person and of whoever asked",
        ),
        ("asked_first", "INSERT", "NEW.state <> 'asked'", "A disposal is asked for before it is agreed"),
    )

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="disposals")
    referral = models.ForeignKey("Referral", on_delete=models.PROTECT, related_name="disposals")
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKED)
    why = models.CharField(max_length=20, choices=Why.choices)
    reason = models.CharField(max_length=300)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    refusal = models.CharField(max_length=300, blank=True)
    signature = models.ForeignKey(Signature, null=True, on_delete=models.PROTECT, related_name="+")
    n_texts = models.PositiveIntegerField(default=0, help_text="Sealed texts that died with the key")
    backups_expire_date = models.DateField(null=True)
    backups_confirmed_at = models.DateTimeField(null=True)
    backups_confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["-asked_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["person"], condition=~Q(state="refused"), name="one_disposal_per_person"),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("asked_by")), name="disposal_takes_two_people"
            ),
            models.CheckConstraint(
                condition=~Q(state="done")
                | Q(
                    decided_by__isnull=False,
                    decided_at__isnull=False,
                    signature__isnull=False,
                    backups_expire_date__isnull=False,
                ),
                name="disposal_done_is_signed",
            ),
            models.CheckConstraint(
                condition=~Q(state="refused") | (Q(decided_by__isnull=False) & ~Q(refusal="")),
                name="disposal_refused_says_why",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="disposal_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"Disposal {self.pk}"


class Identity(AuditedModel):
    """Names, birth date, NHS number and ways to reach a person: one sealed document (R-34)."""

    stops_at_lock = False

    person = models.OneToOneField(Person, on_delete=models.PROTECT, related_name="identity")
    sealed = models.TextField()

    class Meta:
        verbose_name_plural = "identities"

    def __str__(self) -> str:
        return f"Identity of person {self.person_id}"


class ReferralQuerySet(AuditedQuerySet["Referral"]):
    """Lookups of referrals."""

    def visible_to(self, user: User, action: Action = Action.VIEW_PEOPLE) -> Self:
        """Those at sites where `user` may do `action`; others do not exist for that person."""
        if not user.access.may(action):
            return self.none()
        return self.filter(user.access.sites(action))


class Referral(AuditedModel):
    """One referral to the trial, with one current status. A re-referral is a new row linked to the old one."""

    stops_at_lock = False  # withdrawal and death stay open after a lock; LOCK_GUARDS stop the rest
    guards: ClassVar[tuple[tuple[str, str, str, str], ...]] = ()  # LOCK_GUARDS and the table of trial.journey

    class Sex(models.TextChoices):
        FEMALE = "female", "Female"
        MALE = "male", "Male"
        OTHER = "other", "Another"
        UNKNOWN = "unknown", "Not known"

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="referrals")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="referrals")
    screening_number = models.CharField(max_length=12, unique=True)
    sequence = models.PositiveIntegerField()
    status = models.CharField(max_length=40, choices=Status.choices, default=Status.REFERRED)
    status_date = models.DateField(help_text="Effective date of the current status")
    protocol_version = models.ForeignKey(ProtocolVersion, on_delete=models.PROTECT, related_name="+")
    source_type = models.CharField(max_length=30, choices=SourceType.choices)
    referral_model = models.CharField(max_length=15, choices=ReferralModel.choices, blank=True)
    referrer = models.CharField(max_length=150, blank=True)
    referrer_ods = models.CharField(max_length=8, blank=True, help_text="ODS code of the referring organisation")
    channel = models.CharField(max_length=10, choices=ReferralChannel.choices, blank=True)
    received_date = models.DateField()
    contact_basis = models.CharField(max_length=20, choices=ContactBasis.choices)
    permission_date = models.DateField(null=True, blank=True, help_text="When the person said that we may call")
    age_band = models.CharField(max_length=10, blank=True)
    sex = models.CharField(max_length=10, choices=Sex.choices, default=Sex.UNKNOWN)
    arm_preference = models.CharField(
        max_length=32, blank=True, help_text="none, or an arm of the protocol, as said before randomisation"
    )
    needs = models.JSONField(default=list, blank=True, help_text="Codes of participants.choices.Need")
    concerns = models.JSONField(default=list, blank=True, help_text="Codes of participants.choices.Concern")
    activity_preferences = models.JSONField(default=list, blank=True, help_text="Codes; none of them tells an arm")
    access_needs = models.JSONField(default=list, blank=True, help_text="Codes of participants.choices.AccessNeed")
    language = models.CharField(max_length=3, choices=Language.choices, blank=True)
    needs_interpreter = models.BooleanField(default=False)
    notes_sealed = models.TextField(blank=True, help_text="Needs and worries in the person's words, sealed")
    goals_sealed = models.TextField(blank=True, help_text="What the person hopes for, sealed")
    access_sealed = models.TextField(blank=True, help_text="Transport and access in words, sealed")
    risk_sealed = models.TextField(blank=True, help_text="Risk information passed on by the referrer, sealed")
    earlier_referral = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="later_referrals"
    )
    close_reason = models.CharField(max_length=40, blank=True, help_text="Primary reason code (BR-02)")
    further_reasons = models.JSONField(default=list, blank=True)

    objects = models.Manager.from_queryset(ReferralQuerySet)()  # type: ignore[misc]

    class Meta:
        ordering = ["-received_date", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["site", "sequence"], name="screening_sequence_once_per_site"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="referral_status_is_known"),
            models.CheckConstraint(
                condition=Q(contact_basis__in=ContactBasis.values), name="referral_has_a_basis_for_contact"
            ),
            models.CheckConstraint(condition=Q(status_date__gte=F("received_date")), name="status_not_before_referral"),
            models.CheckConstraint(
                condition=Q(permission_date__isnull=True) | Q(permission_date__lte=F("received_date")),
                name="permission_before_referral",
            ),
            models.CheckConstraint(
                condition=Q(referral_model__in=["", *ReferralModel.values]), name="referral_model_is_known"
            ),
        ]
        indexes = [models.Index(fields=["site", "status"])]

    def __str__(self) -> str:
        return self.number

    @property
    def origin(self) -> str:
        """ "Referred by Tavyside Surgery", "Self-referral"."""
        if self.source_type == SourceType.SELF:
            return self.get_source_type_display()
        return f"Referred by {self.referrer or self.get_source_type_display()}"

    @property
    def number(self) -> str:
        """The study number where there is one, otherwise the screening number."""
        participant = getattr(self, "participant", None)
        return participant.study_id if participant else self.screening_number


class Participant(AuditedModel):
    """Somebody who consented. The study number is given once, at consent, and never changes."""

    stops_at_lock = False  # a death is recorded after a lock too
    guards = (
        ("locked", "INSERT", LOCKED, LOCK_MESSAGE),
        (
            "locked",
            "UPDATE",
            f"{LOCKED} AND NEW.randomised_date IS DISTINCT FROM OLD.randomised_date",
            LOCK_MESSAGE,
        ),
        (
            "number",
            "UPDATE",
            "NEW.study_id IS DISTINCT FROM OLD.study_id OR NEW.sequence IS DISTINCT FROM OLD.sequence"
            " OR NEW.referral_id IS DISTINCT FROM OLD.referral_id",
            "A study number never changes",
        ),
    )

    referral = models.OneToOneField(Referral, on_delete=models.PROTECT, related_name="participant")
    number_site = models.ForeignKey(
        Site, on_delete=models.PROTECT, related_name="+", help_text="Site inside the study number"
    )
    sequence = models.PositiveIntegerField()
    study_id = models.CharField(max_length=20, unique=True)
    consented_date = models.DateField()
    birth_year = models.PositiveSmallIntegerField(null=True)
    age_at_consent = models.PositiveSmallIntegerField(null=True)
    randomised_date = models.DateField(null=True, help_text="Day 0 (BR-30): local date of randomisation")
    died_date = models.DateField(null=True)

    class Meta:
        ordering = ["study_id"]
        constraints = [
            models.UniqueConstraint(fields=["number_site", "sequence"], name="study_sequence_once_per_site"),
            models.CheckConstraint(condition=Q(sequence__gte=1, sequence__lte=999), name="study_sequence_in_range"),
        ]

    def __str__(self) -> str:
        return self.study_id

    @property
    def site(self) -> Site:
        """The site that looks after the person now."""
        return self.referral.site


class StatusEvent(EventModel):
    """One transition of the journey: who, when (UTC), from what day, why (domain.md section 3)."""

    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="status_events")
    transition = models.CharField(max_length=4)
    from_status = models.CharField(max_length=40, blank=True)
    to_status = models.CharField(max_length=40, choices=Status.choices)
    effective_date = models.DateField()
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=200)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.transition} {self.to_status}"
