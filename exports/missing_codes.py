"""The study's one list of missing codes, contiguous so that a single SPSS range holds it (dataset_release.md 7)."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class MissingReason:
    """One line of the study's one list of missing codes (dataset_release.md section 7).

    `how` says where the code comes from when nobody entered it.
    """

    code: int
    stata: str
    sas: str
    at_entry: str
    label: str
    how: str = ""


MISSING: tuple[MissingReason, ...] = (
    MissingReason(-91, ".i", ".I", "IL", "illegible or ambiguous answer (paper)"),
    MissingReason(-92, ".r", ".R", "RF", "participant declined this question"),
    MissingReason(
        -93,
        ".w",
        ".W",
        "",
        "not collected: participant had withdrawn from this element",
        "All questionnaires had been stopped by the last day of the visit's window, and the form was not answered.",
    ),
    MissingReason(
        -94,
        ".m",
        ".M",
        "ND",
        "not done: visit missed or form not administered",
        "The form was recorded as not done, or the visit's window closed without it.",
    ),
    MissingReason(
        -95,
        ".t",
        ".T",
        "",
        "technical or measurement failure",
        "The form was recorded as not done for a technical reason, or a score had a faulty answer.",
    ),
    MissingReason(
        -96, ".n", ".N", "NA", "not applicable (skip logic)", "No earlier answer made this question necessary."
    ),
    MissingReason(
        -97,
        ".q",
        ".Q",
        "",
        "not asked (form version, protocol)",
        "The version of the form lacks the question, or the protocol did not ask for the form then.",
    ),
    MissingReason(-98, ".k", ".K", "NK", 'asked, answer not known ("don\'t know")'),
    MissingReason(
        -99,
        ".u",
        ".U",
        "BL",
        "left blank, no reason recorded",
        "The form was sent or its visit is over, and nothing says why the question has no answer.",
    ),
)
MISSING_CODES = frozenset(reason.code for reason in MISSING)
AT_ENTRY: Mapping[str, int] = {reason.at_entry: reason.code for reason in MISSING if reason.at_entry}

DECLINED, WITHDRAWN, NOT_DONE, TECHNICAL, NOT_APPLICABLE, NOT_ASKED, LEFT_BLANK = -92, -93, -94, -95, -96, -97, -99
