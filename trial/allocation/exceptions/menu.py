"""What may be asked for about one person's randomisation, in the words of whoever noticed that something is wrong."""

from dataclasses import dataclass
from typing import Any

from randomisation.models import Allocation, CodeBreak, Proposal
from trial.access.models import User
from trial.access.policy import Action
from trial.allocation.exceptions import reads
from trial.allocation.exceptions.code_breaks import is_reader
from trial.allocation.kinds import texts_in_words
from trial.allocation.reads import allocation_of
from trial.base.parts import Link
from trial.base.words import date_and_time
from trial.participants.models import Participant

KEPT = (
    (
        "The person leaves the activity or the study",
        "Record it as a change of participation. The allocation stays on record, and its place is never used again:"
        " whoever is randomised next takes the next place.",
        "participation/",
        "Change participation",
        Action.CHANGE_PARTICIPATION,
    ),
    (
        "Something other than the allocated activity was delivered",
        "The person is analysed as allocated. Record what happened as a deviation from the protocol.",
        "deviation/",
        "Record a deviation",
        Action.RECORD_DEVIATION,
    ),
    (
        "Somebody who must not know has found out",
        "Nothing is shown to anybody. It is recorded who knows, since when and how.",
        "unblinding/",
        "Someone has found out by mistake",
        Action.REPORT_UNBLINDING,
    ),
)
"""What is no exception of the randomisation: what then happens, and where it is recorded (9.4, 9.5, 6.6)."""

EXPLAINED = (
    (
        "The person moved to another site",
        "The values used at randomisation keep the site that randomised. Visits and contacts go with the person.",
    ),
    (
        "The person wants their data erased",
        "Names and contact details lie apart and can be erased. The allocation under the study number stays: without"
        " it nobody could check the randomisation.",
    ),
)
"""What needs no request, and why (9.12, 9.13)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that can be wrong: what happens then, and the page for it."""

    title: str
    text: str
    link: Link | None = None


def overview(participant: Participant, user: User) -> dict[str, Any]:
    """What the page shows: the allocation without its arm, what was asked, and what can be."""
    made, spec = allocation_of(participant), participant.referral.protocol_version.spec
    number = participant.study_id
    return {
        "title": f"Randomisation of {number}",
        "participant": participant,
        "breadcrumbs": trail(participant, user)[:-1],
        "here": "Randomisation",
        "made": made,
        "facts": _facts(made) if made else [],
        "levels": reads.level_rows(made, spec) if made else [],
        "flags": list(made.flags.all()) if made else [],
        "requests": _requests(made, user) if made else [],
        "choices": _choices(participant, user) if made else [],
        "allocation": Link("Show the allocation", f"/people/{number}/allocation/")
        if made and user.access.may(Action.VIEW_ARM, participant.site)
        else None,
    }


def trail(participant: Participant, user: User) -> list[tuple[str, str]]:
    """The way back: through the record for those who may open it."""
    number, may = participant.study_id, user.access.may
    people = [("People", "/people/")] if may(Action.VIEW_PEOPLE) else []
    record = [(number, f"/people/{number}/")] if may(Action.VIEW_RECORD, participant.site) else []
    return [*people, *record, ("Randomisation", f"/people/{number}/randomisation/")]


def _facts(made: Allocation) -> list[tuple[str, str]]:
    return [
        ("Number of the allocation", str(made.seq)),
        ("Made", date_and_time(made.at)),
        ("How", made.get_source_display()),
        ("Site", made.site),
    ]


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One request about the allocation."""

    number: int
    what: str
    state: str
    asked: str
    texts: list[tuple[str, str]]
    show: Link | None


def _requests(made: Allocation, user: User) -> list[RequestRow]:
    found = made.proposals.select_related("asked_by")
    broken = {one.proposal_id: one for one in CodeBreak.objects.filter(allocation=made)}
    return [_request_row(one, broken.get(one.pk), user) for one in found]


def _request_row(one: Proposal, broken: CodeBreak | None, user: User) -> RequestRow:
    """Free text only for those who are not blinded: it may hint at an arm (6.3)."""
    show = Link("Open it", f"/randomisation/code-breaks/{broken.pk}/") if broken and is_reader(broken, user) else None
    return RequestRow(
        one.pk,
        reads.label_of(one),
        one.get_state_display(),
        f"{one.asked_by.name}, {date_and_time(one.asked_at)}",
        [] if user.access.blinded else texts_in_words(one),
        show,
    )


def _choices(participant: Participant, user: User) -> list[Choice]:
    base, site, may = f"/people/{participant.study_id}/", participant.site, user.access.may
    asked = [
        (
            Action.ASK_EXCEPTION,
            "The person was not eligible, or was randomised by mistake",
            "The allocation stands and is marked. The person stays in follow-up and in the analysis.",
            Link("Ask to mark it", f"{base}randomisation/flag/"),
        ),
        (
            Action.ASK_EXCEPTION,
            "The same person was randomised twice",
            "The first allocation stands. The second no longer counts in the balance. Open the record of the second.",
            Link("Ask to leave this one out", f"{base}randomisation/twice/"),
        ),
        (
            Action.ASK_EXCEPTION,
            "Wrong values were used",
            "The allocation and the values used stay. The true values are kept beside them.",
            Link("Give the true values", f"{base}randomisation/values/"),
        ),
        (
            Action.CODE_BREAK,
            "Somebody must know the group now",
            "For an emergency or a safety report. Another person authorises it, and each showing is logged.",
            Link("Break the code", f"{base}randomisation/code-break/"),
        ),
    ]
    found = [Choice(title, text, link) for action, title, text, link in asked if may(action, site)]
    for title, text, where, label, action in KEPT:
        found.append(Choice(title, text, Link(label, f"{base}{where}") if may(action, site) else None))
    return [*found, *[Choice(title, text) for title, text in EXPLAINED]]
