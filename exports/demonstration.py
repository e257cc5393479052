"""The release that the demonstration comes with: the blinded data of its cut, fetched once."""

from exports import actions
from trial.demo.stage import Stage
from trial.locking.models import DatasetLock

PURPOSE = "Tables for the trial steering committee"


def release(stage: Stage) -> None:
    """Build the blinded release of the demonstration's data cut, as its data manager asks for it."""
    cut = DatasetLock.objects.filter(kind=DatasetLock.Kind.CUT).latest("asked_at")
    by = stage.staff("data")
    made = actions.request_release(lock=cut, variant="blinded", purpose=PURPOSE, by=by, at=stage.now)
    made = actions.build_release(release=made, by=by)
    actions.download(release=made, purpose=PURPOSE, by=stage.staff("statistician"), at=stage.now)
