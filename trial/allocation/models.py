"""Blinding events and guesses, households, simulations on their way, first checks. Arms lie in `randomisation`."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from trial.access.models import Site
from trial.base.models import AuditedModel
from trial.participants.models import Participant


class BlindingEvent(AuditedModel):
    """A blinded person learned, or may have learned, an arm (BR-27). The arm itself is never written here."""

    class Kind(models.TextChoices):
        PLANNED = "planned", "Planned"
        ACCIDENTAL = "accidental", "By accident"
        EMERGENCY = "emergency", "In an emergency"

    stops_at_lock = False

    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="blinding_events")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    route = models.CharField(max_length=200)
    happened_date = models.DateField()
    recorded_at = models.DateTimeField()
    impact = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-recorded_at", "-id"]

    def __str__(self) -> str:
        return f"Blinding event {self.pk}"


class BlindingGuess(AuditedModel):
    """What an outcome assessor believes about one participant's arm, sealed; read at the end only (BR-27).

    Neither this row nor its history holds the guess in the clear: the token has the same length whatever was guessed.
    """

    class Basis(models.TextChoices):
        """Where the belief comes from."""

        TOLD = "told", "The participant or somebody else said so"
        SEEN = "seen", "I saw or read something"
        HUNCH = "hunch", "It is only a guess"

    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="blinding_guesses")
    assessor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    visit = models.CharField(max_length=10, blank=True, help_text="Code of the visit it was asked at, if at one")
    guess_sealed = models.CharField(max_length=255, help_text="With the seal of the participant's allocation")
    certainty = models.PositiveSmallIntegerField(help_text="From 1, not sure at all, to 5, certain")
    basis = models.CharField(max_length=10, choices=Basis.choices)
    guessed_at = models.DateTimeField()

    class Meta:
        ordering = ["guessed_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["participant", "assessor", "visit"], name="one_guess_per_visit"),
            models.CheckConstraint(condition=Q(certainty__gte=1, certainty__lte=5), name="certainty_from_1_to_5"),
            models.CheckConstraint(condition=~Q(guess_sealed=""), name="guess_is_sealed"),
        ]

    def __str__(self) -> str:
        return f"Guess {self.pk}"


class Household(AuditedModel):
    """People who live together: kept for the analysis, however they are randomised (randomisation.md 5)."""

    code = models.CharField(max_length=20, unique=True)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="households")
    sequence = models.PositiveIntegerField()
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["site", "sequence"], name="household_sequence_once_per_site"),
        ]

    def __str__(self) -> str:
        return self.code


class HouseholdMember(AuditedModel):
    """One person of a household; nobody lives in two."""

    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="members")
    participant = models.OneToOneField(Participant, on_delete=models.PROTECT, related_name="household_link")

    class Meta:
        ordering = ["household", "participant__study_id"]

    def __str__(self) -> str:
        return f"{self.household}: {self.participant}"


class SimulationRun(models.Model):
    """A simulation on its way, so that its page may be closed. Not a record of the trial: the result is (section 11).

    What was asked for names designs with their restricted parameters: it is sealed with the draft's own key, and is of
    no use once the draft is configured again.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    scheme = models.CharField(max_length=32, help_text="Code, which never changes")
    revision = models.PositiveIntegerField()
    asked_sealed = models.TextField()
    n_trials = models.PositiveIntegerField()
    n_done = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    error = models.CharField(max_length=500, blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    document = models.PositiveBigIntegerField(null=True, help_text="Key of what was found, kept by `randomisation`")

    class Meta:
        ordering = ["-asked_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="done", document__isnull=False) | ~Q(state="done") & Q(document__isnull=True),
                name="simulation_done_has_a_result",
            )
        ]

    def __str__(self) -> str:
        return f"Simulation {self.pk}"


class FirstCheck(AuditedModel):
    """The first allocations of a scheme, or of one site, replayed from the log and looked at (section 10)."""

    stops_at_lock = False

    scheme = models.CharField(max_length=32, help_text="Code, which never changes")
    site = models.CharField(max_length=32, blank=True, help_text="Blank for the whole scheme")
    n_checked = models.PositiveIntegerField(help_text="Allocations there were")
    n_differences = models.PositiveIntegerField(help_text="That the replay did not give again")
    plausible = models.BooleanField(help_text="Whether the factors look as expected")
    note = models.CharField(max_length=500, blank=True)
    checked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    checked_at = models.DateTimeField()

    class Meta:
        ordering = ["-checked_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(n_checked__gte=1), name="first_check_saw_someone"),
            models.CheckConstraint(
                condition=Q(plausible=True, n_differences=0) | ~Q(note=""), name="first_check_explains_trouble"
            ),
        ]

    def __str__(self) -> str:
        return f"First check {self.pk}"
