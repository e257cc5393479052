"""What the protocol says about instruments, against the definitions of the library."""

from collections.abc import Iterator

import instruments
from instruments.model import Instrument, Score
from trial.protocol.errors import Problem
from trial.protocol.spec import ELIGIBILITY, ProtocolSpec


class Library:
    """The definitions of the instruments that a protocol lists, and where their forms are expected."""

    def __init__(self, spec: ProtocolSpec) -> None:
        self.spec = spec
        self.definitions = {use.code: _definition(use.code, use.version) for use in spec.instruments}
        self._expected = {visit.code: {form.form for form in visit.forms} for visit in spec.visits}

    def problems(self) -> Iterator[Problem]:
        """Instruments that the library lacks, forms of no instrument, instruments at no visit."""
        for index, use in enumerate(self.spec.instruments):
            if self.definitions[use.code] is None:
                yield Problem(
                    f"instruments.{index}.code",
                    f"the library holds no instrument {use.code} in version {use.version}",
                )
            if not any(use.code in forms for forms in self._expected.values()):
                yield Problem(f"instruments.{index}.code", f"{use.code} is expected at no visit")
        for index, visit in enumerate(self.spec.visits):
            for number, form in enumerate(visit.forms):
                if form.form != ELIGIBILITY and form.form not in self.definitions:
                    yield Problem(f"visits.{index}.forms.{number}.form", f'"{form.form}" is not among the instruments')

    def is_expected(self, visit: str, instrument: str) -> bool:
        """Whether the instrument is a form of the visit."""
        return instrument in self._expected.get(visit, ())

    def has_alerts(self, instrument: str) -> bool:
        """Whether the instrument can raise an alert; true where its definition is missing."""
        definition = self.definitions.get(instrument)
        return definition is None or bool(definition.alerts)

    def item_exists(self, instrument: str, item: str) -> bool:
        """Whether the instrument has the item; true where its definition is missing."""
        definition = self.definitions.get(instrument)
        return definition is None or item in definition.items_by_code

    def score(self, instrument: str, score: str) -> Score | None:
        """A score of an instrument, None where there is none."""
        definition = self.definitions.get(instrument)
        return definition.scores_by_code.get(score) if definition else None

    def measure_problems(self, key: str, visit: str, instrument: str, score: str) -> Iterator[Problem]:
        """Whether a score can be had at a visit; names the first of the three keys that is wrong."""
        if visit not in self._expected:
            yield Problem(f"{key}.visit", f'"{visit}" is no visit')
        elif not self.is_expected(visit, instrument):
            yield Problem(f"{key}.instrument", f'"{instrument}" is no form of visit {visit}')
        elif self.definitions.get(instrument) and self.score(instrument, score) is None:
            yield Problem(f"{key}.score", f'"{score}" is no score of {instrument}')


def _definition(code: str, version: str) -> Instrument | None:
    try:
        return instruments.get(code, version)
    except LookupError:
        return None
