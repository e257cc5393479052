"""verify_audit: every entry against its hash, or exit 1."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.factories import NOW, Trial
from trial.base import audit, triggers

pytestmark = pytest.mark.django_db


def test_a_trail_that_nobody_touched_fits(clock, capsys):
    Trial().consented()
    audit.seal(at=NOW)

    call_command("verify_audit")

    assert "fits its hashes and seals" in capsys.readouterr().out


def test_a_row_edited_in_the_database_is_named(clock):
    referral = Trial().refer()
    with triggers.lifted(connection), connection.cursor() as cursor:
        cursor.execute("UPDATE trial_historicalreferral SET sex = 'male' WHERE id = %s", [referral.pk])

    with pytest.raises(CommandError, match="trial_historicalreferral entry"):
        call_command("verify_audit")
