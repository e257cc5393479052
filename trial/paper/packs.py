"""What is printed for one visit: which questionnaires, in which words, with which names of variables."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import instruments
from instruments import Instrument
from trial.assessments import rules
from trial.assessments.models import Administration
from trial.assessments.wording import LicenceMissing, Wording, wording_of
from trial.protocol import rules as protocol_rules
from trial.protocol.spec import ExpectedForm, ProtocolSpec, VisitSpec

PAPER = Administration.Mode.SELF_PAPER.value


@dataclass(frozen=True)
class Annotation:
    """Names in the dataset of one questionnaire's fields, given by whoever makes the dataset.

    Attributes:
        items: name of the variable, by item code.
        date, mode: names of the variables of the day and the manner.
        missing: code in the dataset of each reason for no answer, by its code at entry.
    """

    items: Mapping[str, str]
    date: str
    mode: str
    missing: Mapping[str, int]


@dataclass(frozen=True)
class Section:
    """One questionnaire of a pack. `wording` is None where the study has not recorded its licence."""

    instrument: Instrument
    label: str
    wording: Wording | None
    annotation: Annotation | None = None

    @property
    def is_printed(self) -> bool:
        """Whether a participant gets the questions: never short names, which mean something else to each reader."""
        return self.wording is not None and not self.wording.is_withheld

    @property
    def has_support(self) -> bool:
        """Whether an answer can raise an urgent alert: the support contacts follow at once (BR-50)."""
        return any(alert.severity == "urgent" and alert.item for alert in self.instrument.alerts)


@dataclass(frozen=True)
class Pack:
    """One printable file. Without `study_id` the number is written by hand; nothing in it knows an arm.

    Attributes:
        visit: None for one copy of every questionnaire of the protocol.
    """

    spec: ProtocolSpec
    visit: VisitSpec | None
    study_id: str
    sections: tuple[Section, ...]
    language: str = "en-GB"
    is_annotated: bool = field(default=False)

    @property
    def title(self) -> str:
        """Title of the file: "GREENRX-F V3 week 12, GRX-01-042-1"."""
        what = self.visit.name if self.visit else "all questionnaires"
        kind = "annotated case report form" if self.is_annotated else self.study_id or "blank"
        return f"{self.spec.study.code} {what}, {kind}"


def forms_on_paper(visit: VisitSpec) -> list[ExpectedForm]:
    """Questionnaires of a visit that may be answered on paper."""
    return [one for one in visit.forms if rules.is_instrument(one) and PAPER in one.modes]


def visits_on_paper(spec: ProtocolSpec) -> list[VisitSpec]:
    """Visits at which something may be answered on paper."""
    return [visit for visit in spec.visits if forms_on_paper(visit)]


def pack(
    spec: ProtocolSpec,
    visit: VisitSpec | None = None,
    *,
    study_id: str = "",
    only: Collection[str] | None = None,
    annotations: Mapping[str, Annotation] | None = None,
) -> Pack:
    """The pack of a visit, or of the whole protocol.

    Args:
        only: codes of the questionnaires that a person is asked at this visit; None for all.
        annotations: names of variables by questionnaire; given, the pack is the annotated case report form.
    """
    codes = [one.form for one in (forms_on_paper(visit) if visit else _all_forms(spec))]
    wanted = [code for code in dict.fromkeys(codes) if only is None or code in only]
    found = tuple(_section(spec, code, (annotations or {}).get(code)) for code in wanted)
    return Pack(spec, visit, study_id, found, is_annotated=annotations is not None)


def _all_forms(spec: ProtocolSpec) -> list[ExpectedForm]:
    return [one for visit in spec.visits for one in visit.forms if rules.is_instrument(one)]


def _section(spec: ProtocolSpec, code: str, annotation: Annotation | None) -> Section:
    use = protocol_rules.instrument(spec, code)
    definition = instruments.get(code, use.version)
    wording: Wording | None
    try:
        wording = wording_of(definition)
    except LicenceMissing:
        wording = None
    return Section(definition, use.label, wording, annotation)
