"""The app `trial`: the study, and the site's wiring."""

from django.apps import AppConfig


class TrialConfig(AppConfig):
    """Registers start-up checks and the functions that lower features take from higher ones."""

    name = "trial"
    verbose_name = "Trial"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Wire the features together once all of them are loaded."""
        from trial import checks, wiring

        checks.register()
        wiring.connect()
