"""The app `exports`: cuts and locks become releases."""

from django.apps import AppConfig


class ExportsConfig(AppConfig):
    """Datasets out of the database, writers, releases and their downloads."""

    name = "exports"
    verbose_name = "Exports"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Give the lock room its checks, and locks their keeper, once every app is loaded."""
        from exports import demonstration, readiness, tasks
        from trial.demo import story
        from trial.locking import actions

        readiness.register_all()
        if tasks.keep_data not in actions.keepers:
            actions.keepers.append(tasks.keep_data)
        if demonstration.release not in story.afterwards:
            story.afterwards.append(demonstration.release)
