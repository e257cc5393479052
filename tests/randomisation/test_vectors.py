import copy
import json
from pathlib import Path

import pytest

from randomisation.engine.source import Stream
from randomisation.vectors import NOT_SUPPORTED, PASS, VectorsError, check, check_file

FILE = Path(__file__).with_name("randomisation_vectors.json")
DOCUMENT = json.loads(FILE.read_text(encoding="utf-8"))
RESULTS = {result.id: result for result in check_file(FILE)}
PUBLISHED = [f"R{n:02}" for n in range(1, 34)]


def with_change(vector_id, **changes):
    """The vectors file cut down to one vector, changed; a change to None leaves the field out."""
    vector = copy.deepcopy(next(v for v in DOCUMENT["vectors"] if v["id"] == vector_id))
    vector.update(changes)
    return {**DOCUMENT, "vectors": [{k: v for k, v in vector.items() if v is not None}]}


@pytest.mark.parametrize("vector_id", PUBLISHED)
def test_the_published_vectors_pass(vector_id):
    # randomisation.md section 14
    assert RESULTS[vector_id].outcome == PASS


def test_no_published_vector_is_left_out():
    assert list(RESULTS) == PUBLISHED


@pytest.mark.parametrize(
    ("vector_id", "changes"),
    [
        ("R05", {"kind": "urn"}),
        ("R08", {"method": "urn"}),
        ("R08", {"method": "minimisation"}),
        ("R01", {"params": {**DOCUMENT["vectors"][0]["params"], "method": "urn"}}),
    ],
)
def test_a_kind_or_method_that_is_not_known_is_reported_as_not_supported(vector_id, changes):
    (result,) = check(with_change(vector_id, **changes))

    assert result.outcome == NOT_SUPPORTED
    assert not result.failed


@pytest.mark.parametrize(
    ("vector_id", "field", "wrong"),
    [
        ("R01", "seed", "00" * 32),
        ("R01", "params_canonical", "{}"),
        ("R01", "params_sha256", "00" * 32),
        ("R01", "commitment", "00" * 32),
        ("R03", "label", "trial-randomisation/1|main|1|list|ALL"),
        ("R03", "stream_key", "00" * 32),
        ("R03", "T0", "00" * 32),
        ("R03", "T1", "00" * 32),
        ("R03", "words", [1, 2, 3]),
        ("R04", "values", [0]),
        ("R04", "words_used", [0]),
        ("R05", "output", [0, 1, 2]),
        ("R09", "length", 24),
        ("R09", "allocations", "ABBABAABBABAABBAABBAABBAAB"),
        ("R09", "blocks", [4, 6]),
        ("R09", "words_used", 25),
        ("R29", "labels", {"nature": "B", "indoor": "A"}),
        ("R32", "order", []),
        ("R33", "fingerprint", "00" * 32),
    ],
)
def test_the_first_field_that_differs_is_named(vector_id, field, wrong):
    (result,) = check(with_change(vector_id, **{field: wrong}))

    assert result.outcome == field
    assert result.failed


def test_ratio_and_sizes_of_a_vector_are_put_in_canonical_form_first():
    (result,) = check(with_change("R09", ratio=[3, 3], block_sizes=[6, 4, 6]))

    assert result.outcome == PASS


def test_parameters_of_a_seed_vector_are_put_in_canonical_form_first():
    params = {**DOCUMENT["vectors"][0]["params"], "ratio": [2, 2], "block_sizes": [6, 4]}

    (result,) = check(with_change("R01", params=params))

    assert result.outcome == PASS


def test_a_seed_vector_without_parameters_is_checked_for_its_seed():
    (result,) = check(with_change("R01", params=None))

    assert result.outcome == PASS


def test_a_stream_vector_may_leave_fields_out_and_ask_for_later_blocks():
    t5 = Stream(bytes.fromhex(DOCUMENT["vectors"][2]["seed"]), scheme="main", revision=1, purpose="list", key="all")

    (result,) = check(with_change("R03", words=None, T0=None, T5=t5.block(5).hex()))

    assert result.outcome == PASS


def test_allocations_may_be_a_list_of_codes():
    (result,) = check(with_change("R08", allocations=list("BABAAABBABABABABBAABBAAB")))

    assert result.outcome == PASS


@pytest.mark.parametrize(
    ("vector_id", "changes", "field"),
    [
        ("R08", {"block_sizes": [5]}, "block_sizes"),
        ("R08", {"ratio": [0, 1]}, "ratio"),
        ("R03", {"scheme": "MAIN"}, "scheme"),
        ("R01", {"contribution": "x" * 513}, "contribution"),
        ("R29", {"dataset": "a|b"}, "dataset"),
        ("R32", {"units": ["a", "a"]}, "units"),
    ],
)
def test_a_parameter_the_method_refuses_counts_as_the_field_that_differs(vector_id, changes, field):
    (result,) = check(with_change(vector_id, **changes))

    assert result.outcome == field


@pytest.mark.parametrize(
    ("vector_id", "changes", "words"),
    [
        ("R01", {"id": None}, "Vector number 1: id is missing"),
        ("R01", {"kind": 4}, "Vector R01: kind must be text"),
        ("R01", {"secret": "20"}, "secret must be 64 hexadecimal digits"),
        ("R01", {"secret": "zz" * 32}, "secret must be 64 hexadecimal digits"),
        ("R01", {"params": []}, "params must be an object"),
        ("R03", {"seed": None}, "seed is missing"),
        ("R03", {"revision": 0}, "revision must be 1 to"),
        ("R03", {"revision": "1"}, "revision must be a whole number"),
        ("R03", {"words": "x"}, "words must be a list"),
        ("R04", {"n": [0]}, "n must hold numbers from 1"),
        ("R04", {"n": [2**32 + 1]}, "n must hold numbers from 1"),
        ("R04", {"n": [1.5]}, "n must be a list of a whole number each"),
        ("R05", {"input": None}, "input is missing"),
        ("R05", {"output": None}, "no result to compare, such as output"),
        ("R08", {"requested": -1}, "requested must be 0 to"),
        ("R08", {"requested": 10**9}, "requested must be 0 to"),
        ("R08", {"ratio": [1, 1, 1]}, "ratio must have one number for each arm"),
        ("R08", {"block_sizes": None}, "block_sizes is missing"),
        ("R08", {"method": None}, "method is missing"),
        ("R33", {"rows": [1]}, "rows must be a list of text each"),
    ],
)
def test_a_malformed_vector_is_named_with_its_field(vector_id, changes, words):
    with pytest.raises(VectorsError, match=words):
        check(with_change(vector_id, **changes))


def test_parameters_with_a_float_are_malformed():
    params = {**DOCUMENT["vectors"][0]["params"], "revision": 1.0}

    with pytest.raises(VectorsError, match=r"R01: params: .*integers"):
        check(with_change("R01", params=params))


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([], "format"),
        ({"format": "other"}, "format"),
        ({**DOCUMENT, "version": "trial-randomisation/2"}, "version"),
        ({**DOCUMENT, "vectors": {}}, "a list of objects"),
        ({**DOCUMENT, "vectors": ["R01"]}, "a list of objects"),
        ({**DOCUMENT, "vectors": DOCUMENT["vectors"][:1] * 2}, "R01 appears more than once"),
    ],
)
def test_a_document_of_another_shape_is_refused(document, words):
    with pytest.raises(VectorsError, match=words):
        check(document)


def test_a_file_that_is_not_json_is_refused(tmp_path):
    broken, binary = tmp_path / "broken.json", tmp_path / "binary.json"
    broken.write_text("{", encoding="utf-8")
    binary.write_bytes(b"\xff\xfe")

    for path in (broken, binary):
        with pytest.raises(VectorsError, match="is not JSON"):
            check_file(path)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(VectorsError, match="could not be read: No such file"):
        check_file(tmp_path / "absent.json")


# --- traces of a minimisation ----------------------------------------------------------------------------


def with_entry(vector_id, place, **changes):
    """The same with one entry of the trace or log changed."""
    vector = next(v for v in DOCUMENT["vectors"] if v["id"] == vector_id)
    name = "log" if "log" in vector else "trace"
    entries = copy.deepcopy(vector[name])
    entries[place] = {k: v for k, v in {**entries[place], **changes}.items() if v is not None}
    return with_change(vector_id, **{name: entries})


@pytest.mark.parametrize(
    ("vector_id", "place", "changes", "outcome"),
    [
        ("R22", 3, {"scores": [4, 5]}, "trace[3].scores"),
        ("R22", 3, {"tied": ["A"]}, "trace[3].tied"),
        ("R22", 3, {"preferred": "A"}, "trace[3].preferred"),
        ("R22", 3, {"arm": "A"}, "trace[3].arm"),
        ("R22", 3, {"words": 1}, "trace[3].words"),
        ("R23", 3, {"step": "minimise"}, "trace[3].step"),
        ("R25", 0, {"working_arm": 1}, "trace[0].working_arm"),
        ("R28", 4, {"seq": 2}, "log[5].scores"),
        ("R28", 7, {"levels": {"site": "01", "age": "u65", "gad": "high"}}, "log[8].scores"),
    ],
)
def test_the_first_entry_that_differs_is_named(vector_id, place, changes, outcome):
    (result,) = check(with_entry(vector_id, place, **changes))

    assert result.outcome == outcome


def test_entries_may_leave_results_out():
    (result,) = check(with_entry("R22", 0, scores=None, tied=None, preferred=None, words=None, step=None))

    assert result.outcome == PASS


def test_p_may_be_written_as_a_decimal_and_the_ratio_unreduced():
    assert check(with_change("R22", p="0.8", ratio=[3, 3]))[0].outcome == PASS
    assert check(with_change("R25", p="0.80", ratio=[4, 2]))[0].outcome == PASS


def test_weights_may_be_left_out_of_factors():
    factors = [{k: v for k, v in f.items() if k != "weight"} for f in DOCUMENT["vectors"][21]["factors"]]

    (result,) = check(with_change("R22", factors=factors))

    assert result.outcome == "trace[0].scores"


def test_a_backup_entry_counts_on_the_pseudo_arm_with_fewest_people():
    # R25 begins with pseudo-arm 0 of A; the envelope, of A too, goes to pseudo-arm 1.
    first = next(v for v in DOCUMENT["vectors"] if v["id"] == "R25")["trace"][0]
    backup = {"event": "backup", "seq": 2, "unit": first["unit"], "arm": "A", "working_arm": 1}

    (result,) = check(with_change("R25", trace=[first, backup]))

    assert result.outcome == PASS


def test_a_household_is_corrected_and_excluded_as_a_whole():
    trace = copy.deepcopy(next(v for v in DOCUMENT["vectors"] if v["id"] == "R27")["trace"])[:6]
    correct = {"event": "correct", "seq": 6, "levels": [{"site": "01", "age": "u65", "gad": "mod"}] * 2}
    last = {"seq": 7, "unit": {"site": "01", "age": "u65", "gad": "mod"}}
    # Without the household: site 01 A1 B2, u65 A1 B1, mod A1 B1. A: 0 + 1 + 1; B: 4 + 1 + 1.
    excluded = [*trace, correct, {"event": "exclude", "seq": 6}, {**last, "scores": [2, 6]}]
    # With it on B: site 01 A1 B4, u65 A1 B3, mod A1 B3. A: 4 + 1 + 1; B: 8 + 3 + 3.
    corrected = [*trace, correct, {**last, "scores": [6, 14]}]

    assert check(with_change("R27", trace=excluded))[0].outcome == PASS
    assert check(with_change("R27", trace=corrected))[0].outcome == PASS


@pytest.mark.parametrize(
    ("place", "changes", "words"),
    [
        (0, {"seq": None}, r"trace\[0\] must have a seq"),
        (0, {"unit": None}, r"trace\[0\] must have a unit"),
        (0, {"unit": []}, r"trace\[0\] must have a unit"),
        (0, {"unit": {"site": "01"}}, "must have a level of age"),
        (0, {"unit": {"site": "03", "age": "u65", "gad": "low"}}, "must have a level of site"),
        (0, {"event": "add_level"}, "must have a factor and a level"),
    ],
)
def test_a_malformed_entry_is_named(place, changes, words):
    with pytest.raises(VectorsError, match=words):
        check(with_entry("R22", place, **changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"trace": [1]}, "must be an object"),
        ({"trace": []}, "no result to compare"),
        ({"factors": [{"levels": []}]}, "have a code"),
        ({"factors": [{"code": "site", "levels": [1]}]}, "a list of text"),
        ({"factors": [{"code": "site", "levels": ["01"], "weight": 0}]}, "1 to 100"),
        ({"ratio": [1]}, "one number for each"),
        ({"burn_in": None}, "burn_in is missing"),
    ],
)
def test_a_malformed_minimisation_is_named(changes, words):
    with pytest.raises(VectorsError, match=words):
        check(with_change("R22", **changes))


def test_a_parameter_minimisation_refuses_counts_as_the_field_that_differs():
    assert check(with_change("R22", p="1/3"))[0].outcome == "p"
