"""The app `randomisation`: it is handed stratum values and never reads the trial's tables."""

from django.apps import AppConfig


class RandomisationConfig(AppConfig):
    """Tables of sealed lists and allocations. Its only caller is the trial's allocation feature."""

    name = "randomisation"
    verbose_name = "Randomisation"
    default_auto_field = "django.db.models.BigAutoField"
