"""Where the demonstration may be loaded, started and started over."""

import socket

import pytest
from django.core.management import CommandError, call_command

from tests.factories import make_user
from trial.demo import machine
from trial.demo.machine import DemoRefused, Holding


def test_a_taken_port_is_refused_in_one_line_with_another_to_try():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(DemoRefused, match=f"Port {port} is taken .* make demo PORT={port + 1}") as refused:
            machine.require_port(port)

    assert "\n" not in str(refused.value)
    machine.require_port(port)


def test_a_port_that_cannot_be_is_refused():
    with pytest.raises(DemoRefused):
        machine.require_port(70000)


def test_an_installation_for_real_data_refuses(settings):
    settings.TRAINING = False

    with pytest.raises(CommandError, match="real data"):
        call_command("demo", "--no-server")


@pytest.mark.django_db
def test_an_empty_database_holds_nothing():
    assert machine.holding() == Holding.NOTHING


@pytest.mark.django_db
def test_a_database_with_the_demonstrations_accounts_holds_the_demonstration():
    make_user(email="coordinator@demo.example")
    make_user(email="somebody@example.org")

    assert machine.holding() == Holding.DEMONSTRATION


@pytest.mark.django_db
def test_a_database_with_other_people_is_neither_filled_nor_deleted():
    make_user(email="somebody@example.org")

    with pytest.raises(CommandError, match=r"other data|does not hold|own tools"):
        call_command("demo", "--no-server", "--reset")
    with pytest.raises(CommandError, match="holds other data"):
        call_command("demo", "--no-server")

    assert machine.holding() == Holding.SOMETHING_ELSE


def test_an_interrupted_load_leaves_a_note(settings, tmp_path):
    settings.VAR_DIR = tmp_path

    with pytest.raises(KeyboardInterrupt), machine.loading():
        raise KeyboardInterrupt
    left = machine.is_unfinished()
    with machine.loading():
        pass

    assert left
    assert not machine.is_unfinished()


def test_static_files_are_collected_once_for_each_change(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path / "gathered"
    settings.STATICFILES_DIRS = [tmp_path / "static"]
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "one.css").write_text("a{}")
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}
    }

    machine.collect_static()
    manifest = settings.STATIC_ROOT / "staticfiles.json"
    first = manifest.stat().st_mtime_ns
    machine.collect_static()

    assert manifest.stat().st_mtime_ns == first
