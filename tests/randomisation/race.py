"""The experiment of randomisation.md 8.5, run as a program on the database that DATABASE_URL names.

Every process tries every person, in an order of its own. Some attempts are killed by the exit of their
process after the allocation was inserted and before the counters are advanced; a new process repeats them. The
outcome is printed as one line of JSON.
"""

import argparse
import json
import os
import random
import sys
import traceback
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

KILLED = 9
FAILED = 8
AT = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
ARMS = ["zq7x", "kv4w"]


SITE = {"code": "site", "levels": ["01", "02"], "weight": 1}
DESIGNS = {
    "permuted_blocks": {"ratio": [1, 1], "block_sizes": [4, 6]},
    "minimisation": {
        "ratio": [2, 1],
        "imbalance": "range",
        "p": "4/5",
        "burn_in": 5,
        "overall_weight": 1,
        "unequal": "pseudo_arms",
    },
}


def prepare(n_people, method):
    """An empty database with an open scheme of two sites and so many people; key and study ID of each."""
    from django.apps import apps
    from django.conf import settings
    from django.core.management import call_command

    from randomisation.drafts import create_scheme
    from randomisation.states import open_scheme
    from tests.randomisation.life import lock_scheme
    from tests.randomisation.people import make_participant, make_user

    # Tables straight from the models, which is quick; every other test runs on the migrations.
    settings.MIGRATION_MODULES = {config.label: None for config in apps.get_app_configs()}
    call_command("migrate", verbosity=0, run_syncdb=True)
    user, one, other = make_user(), make_user(), make_user()
    scheme = create_scheme(code="main", name="Main randomisation")
    parameters = {"arms": ARMS, "method": method, "factors": [SITE], **DESIGNS[method]}
    lock_scheme(
        scheme=scheme,
        parameters=parameters,
        rows_per_stratum=n_people,
        approvers=(one, other),
        by=user,
        at=AT,
    )
    open_scheme(scheme=scheme, by=user, at=AT)
    people = [make_participant() for _ in range(n_people)]
    return [(person.pk, person.study_id) for person in people]


def work(number, tries, kill_percent, chance, results):
    """Try each of `tries` and write one line about each; die by chance between insert and counters."""
    from django.db.models.signals import post_save

    from randomisation.allocate import allocate
    from randomisation.errors import NotAllocated
    from randomisation.models import Allocation, Scheme
    from randomisation.requests import Member, UnitRequest
    from trial.access.models import User

    def die(**kwargs):
        if chance.random() * 100 < kill_percent:
            results.write("killed\n")
            results.flush()
            os._exit(KILLED)

    post_save.connect(die, sender=Allocation)
    scheme, user = Scheme.objects.get(), User.objects.first()
    for key, study_id in tries:
        site = f"0{1 + key % 2}"
        try:
            outcome = allocate(
                scheme=scheme,
                request=UnitRequest(
                    study_id, [Member(key, {"site": site})], f"request-{key}-{number}", user, site, AT, "race"
                ),
                check=lambda request: [],
            )
            result = "created" if outcome.created else "again"
        except NotAllocated as refused:
            result = refused.code
        results.write(f"{result}\n")
        results.flush()


def run(number, keys, kill_percent, folder):
    """Fork workers, one after another, until every person was tried; each repeats what killed the last."""
    order = random.Random(number).sample(keys, len(keys))
    path = folder / f"{number}.txt"
    while remaining := order[sum(line != "killed" for line in lines(path)) :]:
        chance = random.Random(f"{number}-{len(lines(path))}")
        pid = os.fork()
        if pid == 0:
            status = FAILED
            try:
                with path.open("a", encoding="utf-8") as results:
                    work(number, remaining, kill_percent, chance, results)
                status = 0
            except Exception:
                traceback.print_exc()
            finally:
                os._exit(status)
        if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) not in (0, KILLED):
            os._exit(FAILED)


def lines(path):
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def race(keys, n_processes, kill_percent, folder):
    """Run all processes to their end; how many attempts came out how."""
    from django.db import connections

    connections.close_all()
    pids = []
    for number in range(n_processes):
        pid = os.fork()
        if pid == 0:
            run(number, keys, kill_percent, folder)
            os._exit(0)
        pids.append(pid)
    statuses = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    if any(statuses):
        sys.exit(f"A process failed: {statuses}")
    return Counter(line for path in folder.glob("*.txt") for line in lines(path))


def state():
    """What the database holds at the end, as the test compares it."""
    from randomisation.arms import arms_for_export
    from randomisation.checking import verify_event_log, verify_list
    from randomisation.models import Allocation, AllocationMember, Scheme, StratumCursor
    from trial.access.models import User

    scheme = Scheme.objects.get()
    arms = arms_for_export(scheme=scheme, by=User.objects.first(), at=AT, reason="Race")
    return {
        "seqs": list(Allocation.objects.order_by("seq").values_list("seq", flat=True)),
        "positions": {
            key: list(Allocation.objects.filter(stratum_key=key).order_by("seq").values_list("position", flat=True))
            for key in ("site=01", "site=02")
        },
        "participants": AllocationMember.objects.values("participant").distinct().count(),
        "next_seq": scheme.next_seq,
        "next_positions": dict(StratumCursor.objects.values_list("key", "next_position")),
        "n_arms": len(arms),
        "list_differences": verify_list(scheme),
        "broken_event": verify_event_log(scheme),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, required=True)
    parser.add_argument("--method", choices=sorted(DESIGNS), required=True)
    parser.add_argument("--processes", type=int, required=True)
    parser.add_argument("--kill-percent", type=float, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    import django

    django.setup()
    keys = prepare(options.people, options.method)
    counts = race(keys, options.processes, options.kill_percent, options.folder)
    sys.stdout.write(json.dumps({"counts": counts, **state()}) + "\n")


if __name__ == "__main__":
    main()
