"""Statements written out say what the ORM says, on both databases."""

from datetime import UTC, date, datetime

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.signals import post_save

from randomisation import statements
from randomisation.models import Allocation, AllocationMember, EventLog, Revision, Scheme, SchemeSite, StratumCursor
from tests.randomisation.life import Study
from tests.randomisation.test_methods import PEOPLE, design

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    study = Study()
    study.start(design("permuted_blocks", block_sizes=[4]))
    study.give_many(3, PEOPLE)
    return study


def values_of(row):
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


@pytest.mark.parametrize("model", [Scheme, Revision, StratumCursor, Allocation, EventLog])
def test_a_row_reads_as_the_orm_reads_it(study, model):
    for expected in model.objects.all():
        found = statements.first(model, "id = %s", expected.pk)

        assert found == expected
        assert values_of(found) == values_of(expected)
        assert not found._state.adding


def test_a_row_is_inserted_as_save_does_it():
    given = {"name": "Scheme", "opens_date": date(2026, 3, 2), "ceiling": 60, "corrections_count": False}

    row = statements.insert(Scheme(code="written", **given))

    assert values_of(Scheme.objects.get(pk=row.pk)) == values_of(row)
    assert values_of(Scheme.objects.create(code="saved", **given)) == {
        **values_of(row),
        "id": row.pk + 1,
        "code": "saved",
    }


def test_json_and_moments_survive_the_round_trip(study):
    at = datetime(2026, 3, 2, 10, 30, 0, 123456, tzinfo=UTC)
    last = study.scheme.allocations.latest("seq")
    again = {**values_of(last), "id": None, "seq": 4, "unit": "X", "request_key": "X", "position": 99}

    row = statements.insert(Allocation(**{**again, "at": at, "factors": {"site": "01", "name": "Ŷ'%s"}}))

    read = Allocation.objects.get(pk=row.pk)
    assert (read.at, read.factors) == (at, {"site": "01", "name": "Ŷ'%s"})


def test_an_insert_tells_those_who_listen():
    heard = []
    listener = lambda instance, created, **_: heard.append((instance.code, created))  # noqa: E731
    post_save.connect(listener, sender=Scheme, weak=False)
    try:
        statements.insert(Scheme(code="heard", name="Scheme"))
    finally:
        post_save.disconnect(listener, sender=Scheme)

    assert heard == [("heard", True)]


def test_what_the_database_refuses_is_refused():
    with pytest.raises(IntegrityError), transaction.atomic():
        statements.insert(Scheme(code="x", name="x", next_seq=0))
    scheme = statements.insert(Scheme(code="y", name="y", next_seq=5))
    with pytest.raises(IntegrityError), transaction.atomic():
        statements.update(Scheme, "next_seq = %s", "id = %s", 4, scheme.pk)


def test_an_update_says_how_many_rows_it_changed(study):
    SchemeSite.objects.create(scheme=study.scheme, site="01")

    n_changed = statements.update(SchemeSite, "ceiling = %s", "scheme_id = %s", 7, study.scheme.pk)

    assert (n_changed, SchemeSite.objects.get().ceiling) == (1, 7)
    assert statements.update(SchemeSite, "ceiling = %s", "site = %s", 9, "02") == 0


def test_a_locked_read_waits_for_nobody_where_the_database_has_no_row_locks(study):
    asked = []

    def note(execute, sql, *others):
        asked.append(sql)
        return execute(sql, *others)

    with connection.execute_wrapper(note):
        statements.first(Scheme, "id = %s", study.scheme.pk, lock=True)

    assert [sql.endswith("FOR UPDATE") for sql in asked] == [connection.features.has_select_for_update]


@pytest.mark.only_postgresql
def test_postgresql_plans_a_statement_once(study):
    for _ in range(4):
        statements.is_there(Scheme, "code = %s", "main")

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%randomisation_scheme%code =%'"
        )
        assert cursor.fetchone() == (1,)


@pytest.mark.only_postgresql
def test_the_orm_prepares_nothing(study):
    for _ in range(4):
        Scheme.objects.filter(name="not prepared").exists()

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%not prepared%'")
        assert cursor.fetchone() == (0,)


def test_what_is_refused_among_statements_sent_together_is_told_as_it_is(study):
    member = study.scheme.allocations.first().members.get()
    again = AllocationMember(allocation=study.scheme.allocations.last(), scheme=study.scheme, place=2)
    again.participant_id = member.participant_id

    def send():
        with statements.together():
            statements.insert(again, returning=False)
            statements.update(Scheme, "ceiling = %s", "id = %s", 99, study.scheme.pk)
            statements.insert(Scheme(code="last", name="Last"))

    with pytest.raises(IntegrityError, match="participant"), transaction.atomic():
        send()

    assert study.scheme.allocations.count() == 3
    assert not Scheme.objects.filter(code="last").exists()


def test_the_last_of_statements_sent_together_may_be_the_one_refused(study):
    def send():
        with statements.together():
            statements.update(Scheme, "ceiling = %s", "id = %s", 99, study.scheme.pk)
            statements.update(Scheme, "next_seq = %s", "id = %s", 1, study.scheme.pk)

    with pytest.raises(IntegrityError), transaction.atomic():
        send()

    assert Scheme.objects.get(pk=study.scheme.pk).ceiling is None
