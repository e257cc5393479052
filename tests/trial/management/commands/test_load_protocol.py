"""manage.py load_protocol."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.trial.protocol.conftest import DATA, FILES, changed
from trial.access.models import Site, User
from trial.consent.models import DocumentVersion
from trial.protocol.models import ProtocolVersion

pytestmark = pytest.mark.django_db


def run(*arguments):
    out = StringIO()
    call_command("load_protocol", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_a_file_is_stored_as_a_draft():
    assert run(FILES["greenrx"]) == "Version 1.0 of GREENRXF is draft.\n"
    assert not Site.objects.exists()


def test_a_person_activates_a_file_and_may_do_so_again():
    User.objects.create_user("leah@example.org", "Leah Brook")

    first = run(FILES["northbank"], "--activate", "--email", "Leah@Example.org")
    again = run(FILES["northbank"], "--activate", "--email", "leah@example.org")

    assert first == again == "Version 2.0 of NORTHBANK is active.\n"
    assert ProtocolVersion.objects.get().activated_by.name == "Leah Brook"
    assert set(DocumentVersion.objects.values_list("code", flat=True)) == {"INFO", "AGREE"}


def test_wrong_keys_are_named_and_end_in_failure(tmp_path):
    file = tmp_path / "wrong.json"
    file.write_text(json.dumps(changed(DATA["greenrx"], "visits.2.days_before", "seven")))

    with pytest.raises(CommandError, match=r"visits\.2\.days_before: must be a whole number") as refused:
        run(file)

    assert refused.value.returncode == 1
    assert not ProtocolVersion.objects.exists()


def test_activation_needs_a_person():
    with pytest.raises(CommandError, match="Say with --email"):
        run(FILES["greenrx"], "--activate")
    with pytest.raises(CommandError, match="no active account with the address"):
        run(FILES["greenrx"], "--activate", "--email", "nobody@example.org")

    assert not ProtocolVersion.objects.exists()
