"""People, roles held per site with dates, the delegation log, signatures and the access log."""

from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone
from simple_history.models import HistoricalRecords

from trial.access.policy import POLICY, Action, Role, incompatible_pairs
from trial.base.models import AuditedModel, AuditedQuerySet, AuditRow, EventModel

if TYPE_CHECKING:
    from trial.access.permissions import Access


class UserManager(BaseUserManager["User"]):
    """Makes accounts; each has a person's name and an address of its own (R-11)."""

    def get_queryset(self) -> AuditedQuerySet["User"]:
        """Accounts; refuses the bulk paths that would write without history."""
        return AuditedQuerySet(self.model, using=self._db)

    def create_user(self, email: str, name: str, password: str | None = None) -> "User":
        """A new account. Without a password it cannot sign in until one is set by a reset link."""
        user = self.model(email=email.strip().lower(), name=name)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        """Addresses are compared without regard to case."""
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser):
    """One person's account. Accounts are disabled, never deleted; no flag grants everything."""

    never_delete = True

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=150)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = UserManager()
    history = HistoricalRecords(bases=[AuditRow], excluded_fields=["password", "last_login"])

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="one_account_per_address"),
            models.CheckConstraint(condition=~Q(name=""), name="account_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_full_name(self) -> str:
        """The person's printed name."""
        return self.name

    @cached_property
    def access(self) -> "Access":
        """What this person may do today; read once for each request."""
        from trial.access.permissions import access_of

        return access_of(self, timezone.localdate())

    @property
    def role_code(self) -> str:
        """Codes of the roles held today, joined by `+`, for the audit trail."""
        return "+".join(sorted({a.role for a in self.access.assignments})) or "none"

    @property
    def is_staff(self) -> bool:
        """Whether Django's admin opens: configuration only, for administrators."""
        return self.access.may(Action.VIEW_SETTINGS)

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Django's question, answered by the policy."""
        return self.is_active and perm in set(Action) and self.access.may(Action(perm))

    def has_module_perms(self, app_label: str) -> bool:
        """Whether the admin lists an app."""
        return self.is_staff


_NO_CHECKLIST = (
    "NEW.green_light_date IS NOT NULL AND NOT EXISTS (SELECT 1 FROM trial_sitechecklist c WHERE c.site_id = NEW.id"
    " AND c.manager_signature_id IS NOT NULL AND c.investigator_signature_id IS NOT NULL)"
)


class Site(AuditedModel):
    """A place that recruits once its green-light checklist is signed. Closed by date; recruitment may be paused."""

    stops_at_lock = False
    guards = (
        ("green_light", "INSERT", _NO_CHECKLIST, "A site opens only after its checklist is signed by two people"),
        (
            "green_light",
            "UPDATE",
            f"OLD.green_light_date IS NULL AND {_NO_CHECKLIST}",
            "A site opens only after its checklist is signed by two people",
        ),
        (
            "green_light_stays",
            "UPDATE",
            "OLD.green_light_date IS NOT NULL AND NEW.green_light_date IS DISTINCT FROM OLD.green_light_date",
            "The day of the green light never changes",
        ),
    )

    code = models.CharField(max_length=2, unique=True)
    name = models.CharField(max_length=100, unique=True)
    abbreviation = models.CharField(max_length=10, blank=True)
    opened_date = models.DateField(help_text="Planned, by the protocol")
    green_light_date = models.DateField(
        null=True, blank=True, editable=False, help_text="When its checklist was signed"
    )
    recruitment_closed_date = models.DateField(null=True, blank=True)
    recruitment_paused = models.BooleanField(default=False)
    target = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(condition=Q(code__regex=r"^[0-9]{2}$"), name="site_code_is_two_digits"),
            models.CheckConstraint(
                condition=Q(recruitment_closed_date__isnull=True) | Q(recruitment_closed_date__gte=F("opened_date")),
                name="site_closes_after_opening",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def is_recruiting(self, on: date) -> bool:
        """Open to recruitment on that day: the checklist is signed, and nothing is paused or closed."""
        closed = self.recruitment_closed_date is not None and on > self.recruitment_closed_date
        has_green_light = self.green_light_date is not None and self.green_light_date <= on
        return has_green_light and self.opened_date <= on and not closed and not self.recruitment_paused


def _pairs_sql() -> str:
    both = [(a.value, b.value) for a, b in incompatible_pairs()]
    pairs = [*both, *[(b, a) for a, b in both]]
    return ", ".join(f"'{a}>{b}'" for a, b in pairs)


_CLASH = (
    "EXISTS (SELECT 1 FROM trial_roleassignment other WHERE other.user_id = NEW.user_id"
    " AND other.id IS DISTINCT FROM NEW.id"
    " AND (other.to_date IS NULL OR other.to_date >= NEW.from_date)"
    " AND (NEW.to_date IS NULL OR other.from_date <= NEW.to_date)"
    f" AND other.role || '>' || NEW.role IN ({_pairs_sql()}))"
)


class RoleAssignment(AuditedModel):
    """One role of one person, at one site or at all, from a date to a date."""

    stops_at_lock = False
    guards = (
        ("incompatible", "INSERT", _CLASH, "Nobody holds these two roles at the same time"),
        ("incompatible", "UPDATE", _CLASH, "Nobody holds these two roles at the same time"),
    )

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="assignments")
    role = models.CharField(max_length=30, choices=Role.choices)
    site = models.ForeignKey(Site, null=True, blank=True, on_delete=models.PROTECT, related_name="assignments")
    from_date = models.DateField()
    to_date = models.DateField(null=True, blank=True)
    blinded = models.BooleanField()
    training_date = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["user_id", "role", "site_id", "from_date", "id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "role", "site", "from_date"], name="role_given_once_at_a_site"),
            models.UniqueConstraint(
                fields=["user", "role", "from_date"],
                condition=Q(site__isnull=True),
                name="role_given_once_for_all_sites",
            ),
            models.CheckConstraint(
                condition=Q(to_date__isnull=True) | Q(to_date__gte=F("from_date")), name="role_ends_after_it_starts"
            ),
            models.CheckConstraint(
                condition=Q(role__in=[r for r in Role if POLICY[r].per_site], site__isnull=False)
                | Q(role__in=[r for r in Role if not POLICY[r].per_site], site__isnull=True),
                name="role_has_its_scope",
            ),
            models.CheckConstraint(
                condition=~Q(role__in=[r for r in Role if POLICY[r].blinded is True], blinded=False)
                & ~Q(role__in=[r for r in Role if POLICY[r].blinded is False], blinded=True),
                name="role_blinding_as_in_the_policy",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()}, {self.site.name if self.site else 'all sites'}"


class Duty(models.TextChoices):
    """Duties that work only while delegated (R-15)."""

    CONSENT = "consent", "Take consent"
    ELIGIBILITY = "eligibility", "Sign eligibility"
    RANDOMISATION = "randomisation", "Randomise"
    SAFETY = "safety", "Assess risk and safety"


class Signature(EventModel):
    """A signature bound to what was signed: name, meaning, content hash, time, how the person proved it."""

    signer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    printed_name = models.CharField(max_length=150)
    role = models.CharField(max_length=200)
    meaning = models.CharField(max_length=300)
    record = models.CharField(max_length=80, help_text="Table and id of what was signed")
    content_sha256 = models.CharField(max_length=64)
    signed_at = models.DateTimeField()
    evidence = models.CharField(max_length=40, help_text="password or second factor, entered again")

    class Meta:
        indexes = [models.Index(fields=["record"])]

    def __str__(self) -> str:
        return f"{self.printed_name}: {self.meaning}"


_SHARES_A_DAY = (
    "EXISTS (SELECT 1 FROM trial_delegation other WHERE other.user_id = NEW.user_id AND other.site_id = NEW.site_id"
    " AND other.duty = NEW.duty AND other.id IS DISTINCT FROM NEW.id"
    " AND (other.to_date IS NULL OR other.to_date >= NEW.from_date)"
    " AND (NEW.to_date IS NULL OR other.from_date <= NEW.to_date))"
)
_OVERLAP = "A duty is delegated once for each day"


class Delegation(AuditedModel):
    """One line of a site's delegation log. It works from its signature on, between its days (R-15).

    Attributes:
        signed_by: the investigator who delegates; None while the line is only prepared.
        signature: what they signed, with their password or code entered again.
    """

    stops_at_lock = False
    guards = (
        ("overlap", "INSERT", _SHARES_A_DAY, _OVERLAP),
        ("overlap", "UPDATE", _SHARES_A_DAY, _OVERLAP),
        (
            "signed",
            "UPDATE",
            "OLD.signature_id IS NOT NULL AND (NEW.signature_id IS DISTINCT FROM OLD.signature_id"
            " OR NEW.user_id IS DISTINCT FROM OLD.user_id OR NEW.site_id IS DISTINCT FROM OLD.site_id"
            " OR NEW.duty IS DISTINCT FROM OLD.duty OR NEW.from_date IS DISTINCT FROM OLD.from_date"
            " OR NEW.training_evidence IS DISTINCT FROM OLD.training_evidence"
            " OR NEW.training_expires_date IS DISTINCT FROM OLD.training_expires_date"
            " OR NEW.training_date IS DISTINCT FROM OLD.training_date)",
            "A signed line of the delegation log only ends",
        ),
    )

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="delegations")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="delegations")
    duty = models.CharField(max_length=20, choices=Duty.choices)
    from_date = models.DateField()
    to_date = models.DateField(null=True, blank=True)
    training_evidence = models.CharField(max_length=200)
    training_date = models.DateField()
    training_expires_date = models.DateField(null=True, blank=True, help_text="Last day on which the evidence counts")
    prepared_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    signed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    signature = models.ForeignKey(Signature, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["site_id", "user_id", "duty", "from_date", "id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "site", "duty", "from_date"], name="duty_delegated_once"),
            models.CheckConstraint(
                condition=Q(to_date__isnull=True) | Q(to_date__gte=F("from_date")), name="duty_ends_after_it_starts"
            ),
            models.CheckConstraint(condition=Q(training_date__lte=F("from_date")), name="trained_before_delegated"),
            models.CheckConstraint(
                condition=Q(training_expires_date__isnull=True) | Q(training_expires_date__gte=F("from_date")),
                name="training_counts_when_delegated",
            ),
            models.CheckConstraint(
                condition=Q(signed_by__isnull=True, signature__isnull=True)
                | Q(signed_by__isnull=False, signature__isnull=False),
                name="delegation_signed_with_a_signature",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_duty_display()}"

    @property
    def last_date(self) -> date | None:
        """The last day on which the duty works: its own, or that of the training evidence, whichever comes first."""
        return min((day for day in (self.to_date, self.training_expires_date) if day), default=None)


class AccessEvent(EventModel):
    """One line of the access log: sign-ins, views of identity or arm, exports, downloads, refusals (R-07)."""

    class Kind(models.TextChoices):
        SIGNED_IN = "signed_in", "Signed in"
        SIGN_IN_FAILED = "sign_in_failed", "Sign-in failed"
        SIGNED_OUT = "signed_out", "Signed out"
        SIGNING_FAILED = "signing_failed", "Signing failed"
        IDENTITY_VIEWED = "identity_viewed", "Contact details shown"
        ARM_VIEWED = "arm_viewed", "Allocation shown"
        EXPORTED = "exported", "List exported"
        DOWNLOADED = "downloaded", "Release downloaded"
        REFUSED = "refused", "Page refused"

    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    record = models.CharField(max_length=120, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["user", "kind", "at"]), models.Index(fields=["record"])]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.record}"


class Draft(models.Model):
    """What somebody typed into a form and has not saved yet. No record of the trial: deleted once it is saved.

    Sealed with a key of its own; nobody but the person who typed it ever gets it back (R-17).
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="drafts")
    path = models.CharField(max_length=200)
    wrapped_key = models.CharField(max_length=400)
    sealed = models.TextField()
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "path"], name="one_draft_per_form")]
        indexes = [models.Index(fields=["saved_at"])]

    def __str__(self) -> str:
        return f"Draft {self.pk}"
