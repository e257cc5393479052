"""Long jobs of the journey. Each is safe to run twice; progress stands on its rows, so a page may be closed."""

from django.conf import settings
from django.utils import timezone
from django_tasks import task

from trial.journey import importing
from trial.journey.models import ReferralImport

RUNS_AT_ONCE = "django_tasks.backends.immediate.ImmediateBackend"


@task()
def save_list(import_id: int) -> None:
    """Save what a confirmed list of referrals still holds."""
    importing.go_on(made=ReferralImport.objects.get(pk=import_id), at=timezone.now())


def go_on_later(made: ReferralImport) -> None:
    """Leave the rest of a list to a worker; without one, to `tick` and to the button on the page.

    A backend that runs jobs at once would keep the person's request waiting for the whole list.
    """
    if settings.TASKS["default"]["BACKEND"] != RUNS_AT_ONCE:
        save_list.enqueue(made.pk)
