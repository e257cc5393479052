"""What the tables are made from: every version of the protocol in use, and its instruments. No participant data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from string import ascii_uppercase

import instruments
from exports.dataset import Study
from exports.model import Code, CodeList, VisitSuffix
from instruments import Instrument
from trial.protocol import rules as protocol_rules
from trial.protocol.models import ProtocolVersion
from trial.protocol.spec import ELIGIBILITY, ExpectedForm, InstrumentUse, ProtocolSpec, VisitSpec


@dataclass(frozen=True)
class Definition:
    """Protocol versions by primary key, oldest first; data point to the version they arose under (R-28)."""

    specs: Mapping[int, ProtocolSpec]

    @property
    def spec(self) -> ProtocolSpec:
        """The newest version."""
        return list(self.specs.values())[-1]

    @property
    def study(self) -> Study:
        """How the release names the study."""
        study = self.spec.study
        return Study(
            code=study.code,
            title=study.title,
            sponsor=study.sponsor,
            registration=study.registration,
            protocol_version=self.spec.protocol.version,
            contact=study.office_email,
        )

    @cached_property
    def instruments(self) -> Mapping[str, tuple[Instrument, ...]]:
        """Every version in use of every questionnaire of a visit, oldest first, by code."""
        used = {form.form for spec in self.specs.values() for visit in spec.visits for form in visit.forms}
        versions: dict[str, list[Instrument]] = {}
        for spec in self.specs.values():
            for use in spec.instruments:
                if use.code in used:
                    versions.setdefault(use.code, []).append(instruments.get(use.code, use.version))
        return {
            code: tuple({one.version_key: one for one in sorted(found, key=lambda i: i.version_key)}.values())
            for code, found in sorted(versions.items())
        }

    @cached_property
    def visits(self) -> Mapping[str, VisitSpec]:
        """Visits of all versions by code, in their order; the newest version of each."""
        found = {visit.code: visit for spec in self.specs.values() for visit in spec.visits}
        return dict(sorted(found.items(), key=lambda pair: (pair[1].visitnum, pair[0])))

    def use(self, version: int, instrument: str) -> InstrumentUse:
        """How one version of the protocol uses an instrument."""
        return protocol_rules.instrument(self.specs[version], instrument)

    def form(self, version: int, visit: str, instrument: str) -> ExpectedForm | None:
        """The form as one version of the protocol expects it at a visit; None where it does not."""
        spec = self.specs[version]
        found = next((one for one in spec.visits if one.code == visit), None)
        return next((one for one in found.forms if one.form == instrument), None) if found else None

    def visits_with(self, instrument: str) -> tuple[str, ...]:
        """Codes of the visits at which any version asks for an instrument."""
        return tuple(
            code
            for code in self.visits
            if any(self.form(version, code, instrument) is not None for version in self.specs)
        )

    @cached_property
    def revealing_items(self) -> frozenset[str]:
        """Items whose answers show delivery by arm, because a criterion that reveals the arm is judged by them."""
        return frozenset(
            criterion.estimate.item
            for spec in self.specs.values()
            for criterion in spec.progression.criteria
            if criterion.reveals_arm and criterion.estimate.item
        )

    @property
    def arms(self) -> CodeList:
        """Arm codes with their labels."""
        pairs = {arm.code: arm.label for spec in self.specs.values() for arm in spec.arms}
        return CodeList("arm", tuple(Code(value, label) for value, label in pairs.items()))

    @property
    def letters(self) -> CodeList:
        """The letters that stand for arms, as many as there are."""
        n_arms = max(len(spec.arms) for spec in self.specs.values())
        return CodeList("masked_arm", tuple(Code(letter, f"Arm {letter}") for letter in ascii_uppercase[:n_arms]))

    @property
    def preferences(self) -> CodeList:
        """A stated preference by the arm's place in the protocol, in words that name no arm."""
        n_arms = max(len(spec.arms) for spec in self.specs.values())
        arms = tuple(Code(n, f"Arm {n} in the order of the protocol") for n in range(1, n_arms + 1))
        return CodeList("preference", (Code(0, "No preference"), *arms))

    @property
    def visit_suffixes(self) -> tuple[VisitSuffix, ...]:
        """The visits with the suffixes of the wide table."""
        return tuple(
            VisitSuffix(v.visitnum, v.code, v.label, v.suffix, v.target_day, v.days_before, v.days_after)
            for v in self.visits.values()
        )

    @property
    def visitnums(self) -> CodeList:
        """Visit numbers with their labels."""
        labels = {visit.visitnum: visit.name for visit in self.visits.values()}
        return CodeList("visitnum", tuple(Code(number, label) for number, label in labels.items()))

    @property
    def instrument_versions(self) -> dict[str, str]:
        """Newest version in use of each instrument, by code."""
        return {code: versions[-1].version for code, versions in self.instruments.items()}


def definition_from(versions: Iterable[ProtocolVersion]) -> Definition:
    """The definition of versions of the protocol, in the order of their dates; drafts are left out."""
    ordered = sorted(versions, key=lambda version: (version.protocol_date, version.pk))
    return Definition({v.pk: v.spec for v in ordered if v.status != ProtocolVersion.Status.DRAFT})


def current_definition(using: str = "default") -> Definition:
    """The definition of what the database holds now."""
    return definition_from(ProtocolVersion.objects.using(using).all())


def questionnaires(visit: VisitSpec) -> tuple[ExpectedForm, ...]:
    """Forms of a visit that are questionnaires."""
    return tuple(form for form in visit.forms if form.form != ELIGIBILITY)
