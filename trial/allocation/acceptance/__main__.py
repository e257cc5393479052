"""The acceptance test as a program of its own: parameters on standard input, outcomes on standard output.

It is started by `trial.allocation.acceptance.running` with a database, a folder and keys of its own. Each line of the
output is JSON: {"done", "total"} while it runs, at the end {"result": …}. Nothing of the draft's parameters, no arm
and no secret is written anywhere else.
"""

import json
import sys
from typing import Any

import django


def main() -> None:
    """Make the tables, run every case, print what became of each."""
    django.setup()
    given = json.loads(sys.stdin.buffer.read())
    _make_tables()
    _say({"result": _result(given)})


def _make_tables() -> None:
    """Tables and triggers straight from the models, which is quick."""
    from django.apps import apps
    from django.conf import settings
    from django.core.management import call_command

    settings.MIGRATION_MODULES = {config.label: None for config in apps.get_app_configs()}
    call_command("migrate", verbosity=0, run_syncdb=True)


def _result(given: dict[str, Any]) -> dict[str, Any]:
    from randomisation import vectors
    from trial.allocation.acceptance import cases  # noqa: F401 - they add themselves
    from trial.allocation.acceptance.case import cases_in_order, run
    from trial.allocation.acceptance.world import World

    world = World(given["parameters"], households=given["households"], corrections_count=given["corrections_count"])
    outcomes, scripts = [], cases_in_order()
    for number, one in enumerate(scripts, start=1):
        outcomes.append(run(one, world).as_json())
        _say({"done": number, "total": len(scripts)})
    checked = vectors.check_file(vectors.PUBLISHED)
    return {"cases": outcomes, "vectors": [{"id": one.id, "outcome": one.outcome} for one in checked]}


def _say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
