"""Long jobs of the office. Safe to run twice; progress stands on its row, so that a page may be closed meanwhile."""

from django_tasks import task

from trial.access.models import User
from trial.allocation.models import SimulationRun
from trial.allocation.office import simulating


@task()
def run_simulation(run_id: int, user_id: int) -> None:
    """Simulate what was asked for."""
    simulating.run(row=SimulationRun.objects.get(pk=run_id), by=User.objects.get(pk=user_id))
