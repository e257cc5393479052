"""The log: JSON lines without values (R-34, BR-26)."""

import json
import logging
import sys

from trial.base.logs import JsonFormatter, request_id


def line_of(message, *args, exc_info=None):
    record = logging.LogRecord("trial.test", logging.ERROR, __file__, 1, message, args, exc_info)
    return JsonFormatter().format(record)


def failing():
    secret = "kestrel"
    raise ValueError(f"Carol Tester is in {secret}")


def test_a_line_is_one_json_object():
    token = request_id.set("7F3KAB12")

    line = line_of("Two\nlines and %s", "é")
    request_id.reset(token)

    entry = json.loads(line)
    assert "\n" not in line
    assert set(entry) == {"time", "level", "logger", "request", "message"}
    assert (entry["level"], entry["logger"], entry["request"]) == ("ERROR", "trial.test", "7F3KAB12")
    assert entry["time"].endswith("+00:00")


def test_a_questionnaire_link_never_reaches_the_log():
    entry = json.loads(line_of("Forbidden (Origin checking failed): %s", "/q/kwrhX9FvjMaleT6gvBUa3ktcgvSo0WV0/"))

    assert entry["message"] == "Forbidden (Origin checking failed): /q/…/"


def test_an_exception_is_logged_by_class_and_place_without_values():
    try:
        failing()
    except ValueError:
        line = line_of("It failed", exc_info=sys.exc_info())

    entry = json.loads(line)
    assert entry["error"] == "ValueError"
    assert entry["at"][-1].endswith(" failing")
    assert "Carol" not in line
    assert "kestrel" not in line


def test_the_exception_inside_a_message_is_not_logged_either(caplog):
    """Libraries pass the exception's own text only where they format it themselves; ours never do."""
    logger = logging.getLogger("trial.test")
    logger.addHandler(caplog.handler)
    caplog.handler.setFormatter(JsonFormatter())
    try:
        failing()
    except ValueError:
        logger.exception("It failed")
    finally:
        logger.removeHandler(caplog.handler)

    assert "Carol" not in caplog.text
