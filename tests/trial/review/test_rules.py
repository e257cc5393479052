"""What a sign-off covers (BR-64)."""

from datetime import date
from types import SimpleNamespace

from trial.access.signing import content_hash
from trial.review.rules import signed_content


def form(**changes):
    given = {
        "instrument": "phq9",
        "instrument_version": "1.0.0",
        "status": "complete",
        "completed_date": date(2026, 7, 9),
        "answers": {"phq9_1": 1, "phq9_2": None},
        "missing": {"phq9_2": "RF"},
        "not_done_reason": "",
        "scores": {"phq9_total": {"value": 1}},
        "entered_at": "whenever",
    }
    return SimpleNamespace(**given | changes)


def hash_of(*forms):
    return content_hash(signed_content(forms))


def test_forms_stand_in_the_order_of_visit_and_instrument():
    rows = signed_content([("V1", form()), ("V0", form(instrument="who5")), ("V0", form(instrument="gad7"))])

    assert [(row["visit"], row["instrument"]) for row in rows] == [("V0", "gad7"), ("V0", "who5"), ("V1", "phq9")]


def test_whatever_was_entered_is_covered():
    signed = hash_of(("V0", form()))
    changes = [
        {"answers": {"phq9_1": 2, "phq9_2": None}},
        {"missing": {"phq9_2": "NK"}},
        {"completed_date": date(2026, 7, 8)},
        {"status": "in_progress"},
        {"instrument_version": "1.1.0"},
        {"not_done_reason": "REFUSED"},
    ]

    hashes = {hash_of(("V0", form(**change))) for change in changes}

    assert len(hashes) == len(changes)
    assert signed not in hashes
    assert signed != hash_of(("V1", form()))
    assert signed != hash_of(("V0", form()), ("V1", form()))


def test_what_the_system_derives_or_keeps_beside_it_is_not():
    assert hash_of(("V0", form())) == hash_of(("V0", form(scores={}, entered_at="later")))


def test_the_order_in_which_forms_are_read_does_not_matter():
    one, other = ("V0", form()), ("V1", form(instrument="gad7"))

    assert hash_of(one, other) == hash_of(other, one)
