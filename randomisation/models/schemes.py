"""Schemes, their revisions and what leads to a lock (randomisation.md sections 10 and 16)."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from randomisation import statements
from randomisation.models.base import BEFORE_LOCK, ENDED, IN_FORCE, Guards, State, changes, rank

_UNLOCKED = "OLD.state IN ('draft', 'simulated', 'tested')"
_HAS_ALLOCATED = (
    "EXISTS (SELECT 1 FROM randomisation_allocation a"
    " WHERE a.scheme_id = NEW.scheme_id AND a.by_id = {person} AND a.source = 'online')"
)


class Scheme(models.Model):
    """One randomisation question of the trial. Its row is locked first by everything that changes it."""

    never_delete = True
    guards: ClassVar[Guards] = (
        ("code", "UPDATE", changes("code"), "The code of a scheme never changes"),
        (
            "next_seq",
            "UPDATE",
            "NEW.next_seq < OLD.next_seq OR NEW.next_seq > OLD.next_seq + 1",
            "Allocations are counted one by one",
        ),
        ("ceiling", "UPDATE", "NEW.ceiling < OLD.ceiling", "A ceiling is only raised"),
    )

    code = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=200)
    next_seq = models.PositiveBigIntegerField(default=1)
    opens_date = models.DateField(null=True, blank=True, help_text="First local day of allocation")
    closes_date = models.DateField(null=True, blank=True, help_text="Last local day of allocation")
    ceiling = models.PositiveIntegerField(null=True, blank=True, help_text="Most allocations to make")
    households = models.BooleanField(default=False, help_text="Whether people of a household go together (section 5)")
    corrections_count = models.BooleanField(
        default=True, help_text="Whether minimisation counts corrected levels (9.3)"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(next_seq__gte=1), name="scheme_counts_from_one"),
            models.CheckConstraint(
                condition=Q(opens_date__isnull=True)
                | Q(closes_date__isnull=True)
                | Q(closes_date__gte=F("opens_date")),
                name="scheme_closes_after_opening",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def revision_in_force(self) -> "Revision | None":
        """The revision that is open or paused, if any."""
        revision = statements.first(Revision, "scheme_id = %s AND state IN (%s, %s)", self.pk, *map(str, IN_FORCE))
        if revision:
            revision.scheme = self
        return revision

    @property
    def revision_last_in_force(self) -> "Revision | None":
        """The revision in force, else the one that was opened last; None when none was ever open."""
        opened = [entry.facts.get("revision", 0) for entry in self.events.filter(event="open")]
        return self.revision_in_force or self.revisions.filter(number=max(opened, default=0)).first()

    @property
    def draft(self) -> "Revision | None":
        """The revision that is being prepared, if any."""
        return self.revisions.filter(state__in=BEFORE_LOCK).first()

    @property
    def state(self) -> str:
        """The state of the revision in force, else of the newest; `draft` before there is one."""
        revision = self.revision_in_force or self.revisions.order_by("-number").first()
        return str(revision.state) if revision else str(State.DRAFT)


class SchemeSite(models.Model):
    """Randomisation at one site: open, paused or closed (9.9), and its own ceiling. A site without a row is open."""

    never_delete = True
    guards: ClassVar[Guards] = (
        ("site", "UPDATE", changes("scheme_id", "site"), "The row of a site keeps its site"),
        ("state", "UPDATE", "OLD.state = 'closed' AND NEW.state <> 'closed'", "A closed site stays closed"),
    )

    class State(models.TextChoices):
        """Whether allocations are made at the site."""

        OPEN = "open", "Open"
        PAUSED = "paused", "Paused"
        CLOSED = "closed", "Closed"

    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="sites")
    site = models.CharField(max_length=32)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    ceiling = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scheme", "site"], name="one_row_per_scheme_and_site"),
            models.CheckConstraint(condition=Q(state__in=("open", "paused", "closed")), name="scheme_site_state_known"),
        ]

    def __str__(self) -> str:
        return f"{self.scheme} at {self.site}"


class Revision(models.Model):
    """The parameters of a scheme from draft to reveal; from the lock on with a secret and a data key of their own.

    Secret, contribution and full parameters are tokens; only the wrapped keys are replaced when the key
    list is rotated (6.2). A draft's parameters and documents lie under a key of their own, `draft_key_wrapped`.
    """

    never_delete = True
    guards: ClassVar[Guards] = (
        (
            "locked",
            "UPDATE",
            f"NOT {_UNLOCKED} AND ("
            + changes(
                "scheme_id",
                "number",
                "params_public",
                "params_sealed",
                "secret_sealed",
                "import_sealed",
                "commitment",
                "locked_at",
                "locked_by_id",
                "configured_by_id",
                "rows_per_stratum",
                "backup_rows",
            )
            + ")",
            "A locked revision never changes",
        ),
        (
            "contribution",
            "UPDATE",
            f"OLD.contribution_sealed <> '' AND ({changes('contribution_sealed')})",
            "A contribution is recorded once",
        ),
        (
            "state",
            "UPDATE",
            f"{rank('NEW')} < {rank('OLD')} AND NOT ({_UNLOCKED} AND NEW.state = 'draft')",
            "A revision never goes back",
        ),
        (
            "steps",
            "UPDATE",
            f"NEW.state <> OLD.state AND {rank('NEW')} > {rank('OLD')} + 1 AND NOT (OLD.state = 'locked' AND"
            " NEW.state = 'closed')",
            "A revision passes through every state of its life",
        ),
        (
            "configurer_insert",
            "INSERT",
            _HAS_ALLOCATED.format(person="NEW.configured_by_id"),
            "Whoever randomises people may not configure the scheme",
        ),
        (
            "configurer_update",
            "UPDATE",
            f"({changes('configured_by_id')}) AND {_HAS_ALLOCATED.format(person='NEW.configured_by_id')}",
            "Whoever randomises people may not configure the scheme",
        ),
    )

    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    params_public = models.JSONField(help_text="Everything but sizes and limits")
    params_sealed = models.TextField()
    rows_per_stratum = models.PositiveIntegerField(default=1)
    backup_rows = models.PositiveIntegerField(default=0)
    draft_key_wrapped = models.TextField()
    configured_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    configured_at = models.DateTimeField()
    reason = models.CharField(max_length=500, blank=True, help_text="Why a draw is never left to chance (p = 1)")
    secret_sealed = models.TextField(blank=True)
    import_sealed = models.TextField(blank=True, help_text="The imported list as its statistician sent it")
    contribution_sealed = models.TextField(blank=True, help_text="Blank until the contribution is known")
    data_key_wrapped = models.TextField(blank=True)
    commitment = models.CharField(max_length=64, blank=True)
    locked_at = models.DateTimeField(null=True)
    locked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scheme", "number"], name="revision_number_once_per_scheme"),
            models.UniqueConstraint(fields=["scheme"], condition=Q(state__in=IN_FORCE), name="one_revision_in_force"),
            models.UniqueConstraint(fields=["scheme"], condition=Q(state__in=BEFORE_LOCK), name="one_draft_per_scheme"),
            models.CheckConstraint(condition=Q(number__gte=1), name="revision_counts_from_one"),
            models.CheckConstraint(condition=Q(state__in=State.values), name="revision_state_known"),
            models.CheckConstraint(
                condition=~(Q(params_sealed="") | Q(draft_key_wrapped="")), name="revision_parameters_are_sealed"
            ),
            models.CheckConstraint(
                condition=Q(state__in=BEFORE_LOCK, secret_sealed="", commitment="")
                | ~Q(secret_sealed="")
                & ~Q(data_key_wrapped="")
                & ~Q(commitment="")
                & Q(locked_at__isnull=False, locked_by__isnull=False),
                name="revision_is_sealed",
            ),
            models.CheckConstraint(
                condition=Q(state__in=(*BEFORE_LOCK, State.LOCKED, *ENDED)) | ~Q(contribution_sealed=""),
                name="revision_in_use_has_its_lists",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scheme}, revision {self.number}"

    def __repr__(self) -> str:
        return f"<Revision {self.pk}>"

    @property
    def is_locked(self) -> bool:
        """Whether the secret has been drawn."""
        return self.state not in BEFORE_LOCK


class AddedLevel(models.Model):
    """A level appended to a factor's list after the lock, such as a new site (section 1)."""

    append_only = True

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="added_levels")
    factor = models.CharField(max_length=32)
    level = models.CharField(max_length=32)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["revision", "factor", "level"], name="level_added_once"),
        ]

    def __str__(self) -> str:
        return f"{self.factor}={self.level}"


class DraftDocument(models.Model):
    """A simulation or an acceptance test of a draft, sealed under the draft's key; what it found leads to the lock."""

    append_only = True

    class Kind(models.TextChoices):
        """What was run."""

        SIMULATION = "simulation", "Simulation"
        ACCEPTANCE = "acceptance", "Acceptance test"

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    document_sealed = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    software_version = models.CharField(max_length=40)
    n_passed = models.PositiveIntegerField(default=0)
    n_failed = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"


class AcceptanceSignature(models.Model):
    """The statistician's signature under an acceptance test that somebody else ran (section 10)."""

    append_only = True
    guards: ClassVar[Guards] = (
        (
            "other_person",
            "INSERT",
            "NEW.by_id IN (SELECT d.by_id FROM randomisation_draftdocument d WHERE d.id = NEW.document_id)",
            "An acceptance test is signed by somebody who did not run it",
        ),
        (
            "acceptance",
            "INSERT",
            "NOT EXISTS (SELECT 1 FROM randomisation_draftdocument d WHERE d.id = NEW.document_id"
            " AND d.kind = 'acceptance')",
            "Only an acceptance test is signed",
        ),
    )

    document = models.OneToOneField(DraftDocument, on_delete=models.PROTECT, related_name="signature")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    deviations = models.TextField(blank=True, help_text="Cases that failed, and the decision on each")

    def __str__(self) -> str:
        return f"Approval {self.pk}"


class ContributionPart(models.Model):
    """One of the two short texts that make a contribution, by two people after the commitment (3.2)."""

    append_only = True

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="contribution_parts")
    part = models.PositiveSmallIntegerField(help_text="1 the sponsor's representative, 2 the independent statistician")
    text_sealed = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["revision", "part"], name="contribution_part_once"),
            models.UniqueConstraint(fields=["revision", "by"], name="contribution_by_two_people"),
            models.CheckConstraint(condition=Q(part__in=(1, 2)), name="contribution_has_two_parts"),
        ]

    def __str__(self) -> str:
        return f"Contribution part {self.pk}"
