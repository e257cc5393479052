"""Replay of whole logs (randomisation.md 8.6, 13.10): honest ones agree, and every change is found."""

import copy
import hashlib
import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from randomisation.engine.package import read_package
from randomisation.engine.replay import replay, verify
from randomisation.errors import PackageError
from tests.randomisation.packages import AGE, BLOCKS, MINIMISED, OLD, SITE, YOUNG, Revision, Scheme, people, relinked


def a_trial_of_lists():
    """Blocks with a household of two, an envelope, an extension, a new site and a recovered allocation."""
    scheme = Scheme()
    first = scheme.lock(Revision(1, contribution="beacon 4242 – süß", **BLOCKS))
    for person in people(12):
        scheme.allocate(first, person)
    scheme.allocate(first, OLD, YOUNG)
    scheme.allocate(first, YOUNG, source="backup")
    scheme.extend(first, 30)
    scheme.add_level(first, "site", "03")
    scheme.allocate(first, {"site": "03", "age": "u65"})
    scheme.allocate(first, YOUNG, source="recovered")
    scheme.log("flag", {"category": "ineligible"}, 3)
    scheme.exclude(2)
    return scheme


def a_trial_of_minimisation():
    """Lists first, then minimisation 2:1 by pseudo-arms: everything that changes its margins happens."""
    scheme = Scheme()
    first = scheme.lock(Revision(1, **BLOCKS))
    for person in people(7):
        scheme.allocate(first, person)
    scheme.exclude(3)
    second = scheme.lock_later(Revision(2, ratio=(2, 1), **MINIMISED))
    for person in people(9):
        scheme.allocate(second, person)
    scheme.allocate(second, OLD, YOUNG, OLD)
    scheme.allocate(second, OLD, source="backup")
    scheme.correct(17, YOUNG, YOUNG, OLD)
    scheme.exclude(9)
    scheme.add_level(second, "site", "03")
    for person in [*people(4), {"site": "03", "age": "65p"}]:
        scheme.allocate(second, person)
    scheme.exclude(17)
    scheme.allocate(second, YOUNG, source="recovered")
    return scheme


LISTS, MINIMISATION = a_trial_of_lists().package(), a_trial_of_minimisation().package()
BOTH = pytest.mark.parametrize("document", [LISTS, MINIMISATION], ids=["lists", "minimisation"])


def texts(document):
    return [str(difference) for difference in verify(document).differences]


@BOTH
def test_an_honest_package_agrees_to_the_last_allocation(document):
    report = verify(json.loads(json.dumps(document)))

    assert report.differences == ()
    assert report.n_commitments == report.n_revisions == len(document["revisions"])
    assert report.n_allocations == len(document["allocations"])
    assert report.n_events == len(document["events"])
    assert report.digest_head == document["events"][-1]["digest"]


@pytest.mark.parametrize("own", [{"method": "simple"}, {"method": "big_stick", "mti": 2}])
def test_the_other_list_methods_are_replayed(own):
    scheme = Scheme()
    revision = scheme.lock(Revision(1, factors=[], **own))
    for _ in range(5):
        scheme.allocate(revision, {})

    assert texts(scheme.package()) == []


def an_import():
    strata = [f"site={site};age={age}" for site in ("01", "02") for age in ("u65", "65p")]
    arms = ["nature", "indoor", "indoor", "nature", "nature", "indoor"]
    lines = [f"{key},{place},{arm}" for key in strata for place, arm in enumerate(arms, start=1)]
    text = "\r\n".join(["# salt: " + "ab" * 32, "stratum_key,position,arm", *lines, ""])
    scheme = Scheme()
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    revision = scheme.lock(Revision(1, method="import", file_sha256=digest, backup_block_sizes=[2], import_file=text))
    for person in people(6):
        scheme.allocate(revision, person)
    scheme.allocate(revision, OLD, source="backup")
    return scheme.package()


def test_an_imported_list_is_replayed_from_its_file():
    assert texts(an_import()) == []


def test_an_imported_file_changed_by_one_arm_is_found():
    document = an_import()
    document["revisions"][0]["import_file"] = document["revisions"][0]["import_file"].replace("1,nature", "1,indoor")

    found = texts(document)

    assert "Revision 1: the imported list is not the file whose SHA-256 the parameters name." in found
    assert any("its arm is stated as nature, and secret and log give indoor" in text for text in found)


def test_an_imported_file_that_breaks_a_rule_is_named_by_line():
    document = an_import()
    document["revisions"][0]["import_file"] = document["revisions"][0]["import_file"].replace(",2,", ",9,", 1)

    assert any("the imported list, line 4: Positions must run" in text for text in texts(document))


def test_a_package_of_an_imported_list_must_hold_its_file():
    document = an_import()
    document["revisions"][0]["import_file"] = None

    with pytest.raises(PackageError, match=r"revisions\[0\].import_file"):
        verify(document)


# --- every change is found -------------------------------------------------------------------------------


def flipped(digits, place=0):
    return digits[:place] + ("1" if digits[place] == "0" else "0") + digits[place + 1 :]


@BOTH
def test_one_arm_changed_is_one_difference_that_names_the_allocation(document):
    changed = copy.deepcopy(document)
    arm = changed["allocations"][4]["arm"]
    changed["allocations"][4]["arm"] = "indoor" if arm == "nature" else "nature"

    (text,) = texts(changed)

    assert text.startswith("Allocation 5: its arm is stated as ")
    assert arm in text


@BOTH
@pytest.mark.parametrize("field", ["secret", "commitment"])
def test_a_digit_of_secret_or_commitment_is_found(document, field):
    changed = copy.deepcopy(document)
    changed["revisions"][-1][field] = flipped(changed["revisions"][-1][field], 9)

    assert any("commitment" in text for text in texts(changed))


def test_a_byte_of_the_contribution_is_found():
    changed = copy.deepcopy(LISTS)
    changed["revisions"][0]["contribution"] += " "

    assert any("another fingerprint" in text for text in texts(changed))


def test_a_contribution_that_the_parameters_exclude_is_found():
    changed = copy.deepcopy(MINIMISATION)
    changed["revisions"][1]["contribution"] = "x"

    assert any("there is a contribution" in text for text in texts(changed))


@BOTH
@pytest.mark.parametrize("name", ["arms", "ratio", "contribution_source", "scheme", "factors"])
def test_changed_parameters_are_found(document, name):
    other = {
        "arms": ["indoor", "nature"],
        "ratio": [3, 3],
        "contribution_source": "elsewhere",
        "scheme": "other",
        "factors": [AGE, SITE],
    }
    changed = copy.deepcopy(document)
    changed["revisions"][0]["params"][name] = other[name]

    assert any("the commitment does not open" in text for text in texts(changed))


@BOTH
def test_a_digit_of_any_digest_is_found(document):
    for place in range(len(document["events"])):
        changed = copy.deepcopy(document)
        changed["events"][place]["digest"] = flipped(changed["events"][place]["digest"], place)

        assert any(text.startswith(f"Log entry {place + 1}: its digest") for text in texts(changed))


def set_factor(entry):
    member = entry["facts"]["members"][0]
    member["age"] = "u65" if member["age"] == "65p" else "65p"


@BOTH
def test_a_factor_changed_in_the_log_is_found_though_every_digest_was_made_to_fit(document):
    places = [i for i, e in enumerate(document["events"]) if '"event":"allocate"' in e["entry"]]
    n_found = 0

    for place in places:
        changed = relinked(document, place, set_factor)
        assert changed["events"][-1]["digest"] != document["events"][-1]["digest"]
        n_found += bool(texts(changed))

    # In a list the stratum tells at once. A minimised arm may stand by chance; the last digest never does.
    assert n_found == len(places) if document is LISTS else n_found > len(places) // 2


@BOTH
def test_a_factor_changed_in_one_entry_breaks_the_chain(document):
    place = next(i for i, e in enumerate(document["events"]) if '"event":"allocate"' in e["entry"])
    changed = {**document, "events": [dict(event) for event in document["events"]]}
    changed["events"][place]["entry"] = relinked(document, place, set_factor)["events"][place]["entry"]

    assert any("one of them was altered" in text for text in texts(changed))


def without(event):
    """The place of the first event of a kind, and the document without it."""
    place = next(i for i, e in enumerate(MINIMISATION["events"]) if f'"event":"{event}"' in e["entry"])
    kept = {**MINIMISATION, "events": MINIMISATION["events"][:place] + MINIMISATION["events"][place + 1 :]}
    return relinked(kept, 0, lambda entry: None)


@pytest.mark.parametrize("event", ["exclude", "correct", "add_level", "backup", "open", "lock"])
def test_an_event_left_out_is_found(event):
    assert any("its number should be" in text for text in texts(without(event)))


@pytest.mark.parametrize(
    ("document", "event", "change", "words"),
    [
        (LISTS, "allocate", {"position": 7}, "position 7 was not the next one"),
        (LISTS, "allocate", {"position": 99}, "no row 99"),
        (LISTS, "allocate", {"stratum": "site=02;age=u65"}, "first person's levels make"),
        (LISTS, "allocate", {"purpose": "backup"}, "not of a purpose"),
        (LISTS, "allocate", {"purpose": "min"}, "does not minimise"),
        (LISTS, "allocate", {"revision": 2}, "was not locked"),
        (LISTS, "allocate", {"members": [{"site": "01"}]}, "its levels are none"),
        (LISTS, "allocate", {"members": [{"site": "03", "age": "u65"}]}, "its levels are none"),
        (LISTS, "backup", {"stratum": "site=01"}, "first person's levels make"),
        (LISTS, "lock", {"commitment": "00" * 32}, "commitment it shows"),
        (LISTS, "lock", {"fingerprints": {"site=01;age=u65": "0" * 16}}, "fingerprint it shows"),
        (LISTS, "extend", {"fingerprints": {"all": "0" * 16}}, "fingerprint it shows"),
        (LISTS, "extend", {"revision": 3}, "does not have"),
        (LISTS, "add_level", {"level": "02"}, "was there already"),
        (LISTS, "add_level", {"factor": "sex"}, "of no factor"),
        (MINIMISATION, "correct", {"members": [OLD]}, "another number of people"),
    ],
)
def test_a_fact_that_cannot_be_is_named(document, event, change, words):
    place = next(i for i, e in enumerate(document["events"]) if f'"event":"{event}"' in e["entry"])

    found = texts(relinked(document, place, lambda entry: entry["facts"].update(change)))

    assert any(words in text for text in found)


@pytest.mark.parametrize(("event", "seq"), [("allocate", 5), ("exclude", 99)])
def test_a_sequence_number_out_of_order_is_named(event, seq):
    place = next(i for i, e in enumerate(LISTS["events"]) if f'"event":"{event}"' in e["entry"])

    assert texts(relinked(LISTS, place, lambda entry: entry.update(seq=seq)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d["allocations"].pop(), "its arm is not stated"),
        (lambda d: d["allocations"].append({"seq": 99, "arm": "nature"}), "no such allocation"),
        (lambda d: d["allocations"].append({"seq": 1, "arm": "nature"}), "no such allocation"),
        (lambda d: d["revisions"][0]["lists"][0].update(n_rows=11), "should have"),
        (lambda d: d["revisions"][0]["lists"][0].update(fingerprint="0" * 64), "another fingerprint"),
        (lambda d: d["revisions"][0]["lists"][0].update(key="site=09;age=u65"), "no stratum has"),
        (lambda d: d.update(scheme="sub"), "another scheme"),
        (lambda d: d["events"].clear(), "no such allocation"),
    ],
)
def test_what_the_package_states_beside_the_log_is_checked(change, words):
    changed = copy.deepcopy(LISTS)
    change(changed)

    assert any(words in text for text in texts(changed))


# --- malformed packages ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda d: d.update(format="x"), "package.format"),
        (lambda d: d.update(version="trial-randomisation/2"), "package.version"),
        (lambda d: d.pop("events"), "package.events: is missing"),
        (lambda d: d.update(revisions={}), "package.revisions: must be a list"),
        (lambda d: d["revisions"].clear(), "package.revisions"),
        (lambda d: d["revisions"].append(d["revisions"][0]), "package.revisions"),
        (lambda d: d["revisions"][0].update(secret="00"), "revisions[0].secret"),
        (lambda d: d["revisions"][0].update(number=True), "revisions[0].number"),
        (lambda d: d["revisions"][0].update(contribution="\ud800"), "revisions[0]"),
        (lambda d: d["revisions"][0]["params"].pop("arms"), "revisions[0]: arms"),
        (lambda d: d["revisions"][0]["params"].update(revision=1.0), "revisions[0]: "),
        (lambda d: d["revisions"][0]["lists"][0].update(n_rows=-1), "revisions[0].lists[0].n_rows"),
        (lambda d: d["revisions"][0]["lists"][0].update(n_rows=10**9), "rows or fewer"),
        (lambda d: d["revisions"][0]["lists"][0].update(purpose="min"), "revisions[0].lists[0].purpose"),
        (lambda d: d["revisions"][0]["lists"][0].update(key="a|b"), "revisions[0].lists[0].key"),
        (lambda d: d["events"].append("x"), "must be an object"),
        (lambda d: d["events"][2].update(entry="{"), "events[2].entry"),
        (lambda d: d["events"][2].update(entry="[" * 100_000), "events[2].entry"),
        (lambda d: d["events"][2].update(entry='{"n": 3}'), "events[2].entry: must be JSON in canonical form"),
        (lambda d: d["events"][2].update(entry='{"n":1.5}'), "events[2].entry"),
        (lambda d: d["events"][2].update(digest="zz"), "events[2].digest"),
        (lambda d: d["allocations"][0].update(seq="1"), "allocations[0].seq"),
    ],
)
def test_a_malformed_package_is_named_by_its_place(change, place):
    changed = copy.deepcopy(LISTS)
    change(changed)

    with pytest.raises(PackageError) as refused:
        verify(changed)

    assert place in str(refused.value)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"members": []}, "events[3].entry.facts.members: must hold"),
        ({"members": [{"site": 1}]}, "events[3].entry.facts.members[0]"),
        ({"members": None}, "events[3].entry.facts.members"),
        ({"position": "1"}, "events[3].entry.facts.position"),
        ({"revision": None}, "events[3].entry.facts.revision"),
    ],
)
def test_a_malformed_entry_is_named_by_its_place(change, place):
    changed = relinked(LISTS, 3, lambda entry: entry["facts"].update(change))

    with pytest.raises(PackageError) as refused:
        verify(changed)

    assert place in str(refused.value)


@pytest.mark.parametrize("document", [None, [], "x", {}, 1.5])
def test_a_document_of_another_kind_is_no_package(document):
    with pytest.raises(PackageError):
        verify(document)


@given(st.data())
@settings(max_examples=60)
def test_whatever_one_value_is_replaced_by_there_is_a_report_or_a_named_place(data):
    changed = copy.deepcopy(MINIMISATION)
    at = changed
    for _ in range(data.draw(st.integers(1, 5))):
        key = data.draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
        if not isinstance(at[key], dict | list) or not at[key]:
            break
        parent, at = at, at[key]
    else:
        at = parent
    at[key] = data.draw(st.none() | st.integers() | st.text(max_size=3) | st.just([]) | st.just({}) | st.just([None]))

    with suppress(PackageError):
        verify(changed)


# --- inside the system -----------------------------------------------------------------------------------


def test_replay_gives_arms_and_pseudo_arms_without_the_arms_stated():
    found = replay(read_package({**MINIMISATION, "allocations": []}))

    assert found.differences == []
    assert [found.arms[a["seq"]] for a in MINIMISATION["allocations"]] == [
        a["arm"] for a in MINIMISATION["allocations"]
    ]
    assert set(found.working_arms.values()) <= {0, 1, 2}
    assert repr(found) == "<Replay>"


@given(st.lists(st.sampled_from(["person", "household", "backup", "exclude", "correct"]), max_size=25))
@settings(max_examples=25)
def test_any_log_reproduces_every_arm(happenings):
    # 13.10
    scheme = Scheme()
    revision = scheme.lock(Revision(1, ratio=(2, 1), **MINIMISED))
    persons = people(len(happenings))
    for person, happening in zip(persons, happenings, strict=True):
        made = scheme.allocations[-1] if scheme.allocations else None
        if happening == "exclude" and made:
            scheme.exclude(made["seq"])
        elif happening == "correct" and made:
            scheme.correct(made["seq"], *([person] * len(made["members"])))
        elif happening == "household":
            scheme.allocate(revision, person, OLD)
        elif happening == "backup" and revision.next["backup", f"site={person['site']}"] <= 6:
            scheme.allocate(revision, person, source="backup")
        else:
            scheme.allocate(revision, person)

    assert texts(scheme.package()) == []
