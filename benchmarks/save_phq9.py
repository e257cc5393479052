"""Saving a PHQ-9 with score, alert check, history and leaf hash, beside a plain insert of the same row."""

from django.db import connection, transaction

from benchmarks.figures import Figure, median_ms
from tests.factories import Trial, answers_with_total
from trial.assessments.models import Administration

REPEATS = 60


def measure() -> list[Figure]:
    """Milliseconds a save, each in a transaction of its own."""
    trial = Trial()
    people = iter([trial.consented() for _ in range(REPEATS + 1)])
    answers = answers_with_total("phq9", 8)
    saved = median_ms(lambda: trial.save_form(next(people), "V0", "phq9", answers), repeats=REPEATS)
    return [Figure("save a PHQ-9", saved, "plain insert", _plain_insert(), "ms")]


def _plain_insert() -> float:
    row = Administration.objects.first()
    assert row is not None
    fields = [field for field in row._meta.concrete_fields if field.column != "id"]
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE bench_plain AS SELECT {columns} FROM trial_administration WHERE 1 = 0")
    sql = f"INSERT INTO bench_plain ({columns}) VALUES ({', '.join(['%s'] * len(fields))})"

    def insert() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, values)

    return median_ms(insert, repeats=REPEATS)
