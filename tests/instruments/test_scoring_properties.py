"""What must hold of every method, whatever the answers."""

import json

from hypothesis import given
from hypothesis import strategies as st

from instruments import Status, all_instruments, score
from tests.instruments.builders import instrument, item, score_of

CODES = [f"demo_{number}" for number in range(1, 6)]
ITEMS = [item(code) for code in CODES]
REVERSED = [item(code, reverse=True) for code in CODES]
PERSON_MEAN = {"max_missing": 4, "method": "person_mean", "rounding": "half_up_2dp", "source": "made up"}
AVERAGE = PERSON_MEAN | {"method": "mean_of_answered"}
DIGIT = {"max_missing": 5, "method": "missing_digit", "rounding": "none", "source": "made up"}

answers = st.integers(0, 4)
complete = st.fixed_dictionaries(dict.fromkeys(CODES, answers))
some = st.fixed_dictionaries({"demo_1": answers}, optional=dict.fromkeys(CODES[1:], answers))
anything = st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text() | st.lists(st.integers())


def made(*scores, items=ITEMS):
    return instrument(items=items, scores=list(scores), alerts=[])


def sum_of(**changes):
    return score_of("sum", CODES, range=[0, 20], **changes)


SUM = made(sum_of())
PRORATED = made(sum_of(missing_rule=PERSON_MEAN, precision=2))
MEAN = made(score_of("mean", CODES, range=[0, 4], precision=2, missing_rule=AVERAGE))
THRESHOLDS = dict(zip(CODES, [1, 2, 3, 4, 0], strict=True))
COUNT = made(score_of("count_at_least", CODES, range=[0, 5], thresholds=THRESHOLDS))
PROFILE = {"range": None, "precision": None, "missing_rule": DIGIT, "missing_digit": "9"}


def value(definition, given_answers):
    [result] = score(definition, given_answers).scores.values()
    return result.value


def last(definition, given_answers):
    return list(score(definition, given_answers).scores.values())[-1]


@given(complete)
def test_sum_is_the_sum_and_stays_in_its_range(form):
    assert value(SUM, form) == sum(form.values())
    assert 0 <= value(SUM, form) <= 20


@given(complete, st.permutations(CODES))
def test_the_order_of_the_answers_does_not_matter(form, order):
    assert score(PRORATED, {code: form[code] for code in order}) == score(PRORATED, form)


@given(some)
def test_a_prorated_sum_stays_between_all_lowest_and_all_highest_answers(form):
    assert 5 * min(form.values()) <= value(PRORATED, form) <= 5 * max(form.values())


@given(some)
def test_a_prorated_sum_is_the_mean_times_the_items(form):
    assert abs(value(PRORATED, form) - 5 * value(MEAN, form)) <= 0.03


@given(complete, st.sampled_from(CODES))
def test_a_higher_answer_never_lowers_a_sum_mean_or_count(form, code):
    higher = form | {code: min(4, form[code] + 1)}

    for definition in (SUM, PRORATED, MEAN, COUNT):
        assert value(definition, higher) >= value(definition, form)


@given(complete)
def test_reversing_every_item_mirrors_the_sum_and_twice_restores_it(form):
    mirrored = {code: 4 - answer for code, answer in form.items()}
    reverse = made(sum_of(), items=REVERSED)

    assert value(reverse, form) == 20 - value(SUM, form)
    assert value(reverse, mirrored) == value(SUM, form)


@given(some)
def test_mean_lies_among_the_answers(form):
    assert min(form.values()) <= value(MEAN, form) <= max(form.values())


@given(answers)
def test_item_gives_the_answer_itself(answer):
    single = made(score_of("item", ["demo_1"], range=[0, 4]))

    assert value(single, {"demo_1": answer}) == answer


@given(answers, answers)
def test_difference_changes_its_sign_with_the_order(first, second):
    form = {"demo_1": first, "demo_2": second}
    forwards = made(score_of("difference", ["demo_1", "demo_2"], range=[-4, 4]))
    backwards = made(score_of("difference", ["demo_2", "demo_1"], range=[-4, 4]))

    assert value(forwards, form) == -value(backwards, form) == first - second


@given(complete, st.integers(-5, 5), st.integers(-5, 5))
def test_linear_can_be_undone(form, multiplier, offset):
    linear = score_of("linear", [], of="demo_sum", multiplier=multiplier, offset=offset, range=[-105, 105])

    result = last(made(sum_of(), linear), form)

    assert result.value - offset == multiplier * sum(form.values())


@given(complete)
def test_lookup_gives_what_its_table_says(form):
    table = [{"raw": raw, "value": raw * raw} for raw in range(0, 21, 2)]
    definition = made(sum_of(), score_of("lookup", [], of="demo_sum", table=table, range=[0, 400]))
    total = sum(form.values())

    result = last(definition, form)

    assert (result.value, result.status) == (
        (None, Status.NOT_SCORED) if total % 2 else (total * total, Status.COMPLETE)
    )


@given(complete)
def test_count_at_least_counts_items_at_or_above_their_thresholds(form):
    assert value(COUNT, form) == sum(form[code] >= THRESHOLDS[code] for code in CODES)


@given(some)
def test_concat_has_one_digit_for_each_item(form):
    result = last(made(score_of("concat", CODES, **PROFILE)), form)

    assert list(result.value) == [str(form.get(code, 9)) for code in CODES]
    assert result.status is (Status.COMPLETE if len(form) == 5 else Status.PARTIAL)


@given(st.dictionaries(st.sampled_from(CODES), anything))
def test_external_scores_are_never_worked_out_here(form):
    for method in ("external_value_set", "external_algorithm"):
        assert last(made(score_of(method, CODES, range=None)), form) == (None, Status.EXTERNAL, None, None)


@given(st.data())
def test_any_answers_to_any_instrument_give_a_whole_result(data):
    definition = data.draw(st.sampled_from(all_instruments()))
    codes = st.sampled_from([item.code for item in definition.items]) | st.text()
    form = data.draw(st.dictionaries(codes, anything | st.integers(0, 5)))

    result = score(definition, form)

    faulty = {error.item for error in result.errors}
    assert json.loads(json.dumps(result.as_dict())) == result.as_dict()
    assert set(result.scores) == set(definition.scores_by_code)
    assert not faulty & {warning.item for warning in result.warnings}
    assert all(
        result.scores[each.code].status in (Status.INVALID, Status.EXTERNAL)
        for each in definition.scores
        if faulty & set(each.items)
    )


@given(st.dictionaries(st.sampled_from([f"phq9_{number}" for number in range(1, 11)]), st.integers(0, 3)))
def test_a_draft_raises_the_alerts_of_the_submitted_form_but_for_missing_items(form):
    [phq9] = [each for each in all_instruments() if each.code == "phq9"]

    draft, submitted = score(phq9, form, submitted=False), score(phq9, form)

    assert set(submitted.alerts) - set(draft.alerts) <= {"phq9_item9_missing"}
    assert set(draft.alerts) <= set(submitted.alerts)
    assert draft.scores == submitted.scores
