"""The lines of a list against the rules of a referral: the same form, the same action, line by line (R-42)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from import_export import resources
from import_export.instance_loaders import BaseInstanceLoader
from import_export.results import RowResult
from tablib import Dataset

from trial.access.models import Site, User
from trial.base.errors import TrialError
from trial.base.fields import ChoiceField, DateField
from trial.base.gathering import gathered
from trial.journey import actions
from trial.journey.import_reading import Kinds, Problem, Row, normalised
from trial.journey.referral_forms import SEVERAL, ReferralForm
from trial.locking.rules import DatasetLocked
from trial.participants import identity
from trial.participants.actions import ReferralData
from trial.participants.identity import IdentityData
from trial.participants.models import Person, Referral
from trial.protocol.models import ProtocolVersion
from trial.protocol.spec import ProtocolSpec
from trial.protocol.versions import version_in_force

LINE = "line"
PHONES = ("phone", "emergency_phone")
CHUNK = 500


@dataclass(frozen=True)
class Column:
    """One column of the list, as the page documents it."""

    name: str
    label: str
    is_required: bool
    accepts: str


@dataclass
class Candidate:
    """One line on its way to a referral."""

    line: int = 0
    site: Site | None = None
    data: ReferralData | None = None
    who: IdentityData | None = None
    referral: Referral | None = None
    version: ProtocolVersion | None = None


@dataclass
class Outcome:
    """What became of the lines: problems by line, and the candidates that have none."""

    problems: dict[int, list[Problem]] = field(default_factory=dict)
    candidates: dict[int, Candidate] = field(default_factory=dict)


class LineResult(RowResult):  # type: ignore[misc]
    """What became of one line, without the library's description of the record: nobody reads it, and it asks again."""

    def add_instance_info(self, instance: object) -> None:
        """Keep nothing."""


class ReferralResource(resources.Resource):  # type: ignore[misc]
    """Reads a line with the form of a new referral, and saves it with the action behind that form."""

    class Meta:
        import_id_fields = ()
        instance_loader_class = BaseInstanceLoader
        using_db = "default"
        use_transactions = False
        skip_diff = True
        force_init_instance = True
        store_instance = True
        clean_model_instances = False

    def __init__(self, *, sites: Sequence[Site], spec: ProtocolSpec, by: User, at: datetime) -> None:
        super().__init__()
        self.sites = {str(site.pk): site for site in sites}
        self.by, self.at = by, at
        self._in_force: dict[tuple[int, date], ProtocolVersion | str] = {}
        self.referral_form = ReferralForm(sites, spec, {})
        self.site_words = _site_words(sites)
        self.choices = {
            name: _words(one.choices)  # type: ignore[attr-defined]
            for name, one in self.referral_form.fields.items()
            if (isinstance(one, ChoiceField) and name != "site") or name in SEVERAL
        }
        self.dates = [name for name, one in self.referral_form.fields.items() if isinstance(one, DateField)]

    # -- what the file may hold

    def columns(self) -> list[Column]:
        """Columns in the order of the form; the site first."""
        fields = {name: one for name, one in self.referral_form.fields.items() if name != "site"}
        site = Column("site", "Site", len(self.sites) > 1, " or ".join(f"{s.code}" for s in self.sites.values()))
        return [site, *(Column(n, str(f.label), f.required, self._accepts(n)) for n, f in fields.items())]

    def _accepts(self, name: str) -> str:
        if name in self.choices:
            listed = ", ".join(dict.fromkeys(self.choices[name].values()))
            return f"{listed}. Several with ; between them" if name in SEVERAL else listed
        if name in self.dates:
            return "A date, like 31/3/2026"
        if name in PHONES:
            return "Text, like 01632 960 001"
        return "10 digits, like 999 000 0018" if name == "nhs_number" else "Text"

    def headings(self) -> dict[str, str]:
        """Name of the column by every heading that stands for it."""
        known = {normalised(column.label): column.name for column in self.columns()}
        return known | {column.name: column.name for column in self.columns()}

    def required(self) -> list[str]:
        """Columns that must be there."""
        return [column.name for column in self.columns() if column.is_required]

    def kinds(self) -> Kinds:
        """Columns that spreadsheets damage."""
        return Kinds(dates=self.dates, phones=PHONES, numbers=("nhs_number", *PHONES))

    # -- one line, as django-import-export walks it

    @classmethod
    def get_row_result_class(cls) -> type[RowResult]:
        """Ours."""
        return LineResult

    def init_instance(self, row: Mapping[str, str] | None = None) -> Candidate:
        """An empty candidate."""
        return Candidate()

    def import_instance(self, instance: Candidate, row: Mapping[str, str], **kwargs: Any) -> None:
        """Read one line with the form.

        Raises:
            ValidationError: by column, what to do.
        """
        instance.line = int(row[LINE])
        form = self.referral_form
        form.data, form._errors = self._posted(row), None  # type: ignore[attr-defined]
        if form.is_valid():
            instance.site, instance.data, instance.who = form.site(), form.referral(), form.identity()
            return
        errors = form.errors.get_json_data()
        raise ValidationError({name: [self._say(name, m["message"]) for m in errors[name]] for name in errors})

    def _posted(self, row: Mapping[str, str]) -> dict[str, Any]:
        """A line as the form would be posted."""
        posted: dict[str, Any] = {name: value for name, value in row.items() if name not in (LINE, "site")}
        for name, words in self.choices.items():
            typed = posted.get(name, "")
            if name in SEVERAL:
                posted[name] = [words.get(p.strip().casefold(), p.strip()) for p in typed.split(";") if p.strip()]
            else:
                posted[name] = words.get(typed.strip().casefold(), typed)
        for name in self.dates:
            posted |= _date_boxes(name, posted.pop(name, ""))
        posted["site"] = self.site_words.get(row.get("site", "").strip().casefold(), "unknown")
        return posted

    def _say(self, name: str, message: str) -> str:
        if name in self.choices:
            return f"Write {'some' if name in SEVERAL else 'one'} of: {self._accepts(name)}"
        if name == "site":
            return f"Write one of: {' or '.join(site.code for site in self.sites.values())}"
        return message

    def before_save_instance(self, instance: Candidate, row: Mapping[str, str], **kwargs: Any) -> None:
        """In a dry run: whether a protocol was in force there on that day.

        Raises:
            ValidationError: none was.
        """
        typed = row.get("site", "").strip()
        if typed and typed.casefold() not in self.site_words:
            raise ValidationError({"site": self._say("site", "")})
        if not (kwargs.get("dry_run") and instance.site and instance.data):
            return
        found = self._protocol(instance.site, instance.data.received_date)
        if isinstance(found, str):
            raise ValidationError({"received_date": found})

    def _protocol(self, site: Site, on: date) -> ProtocolVersion | str:
        """The protocol there that day, or why there is none; asked once for each site and day of the list."""
        if (site.pk, on) not in self._in_force:
            try:
                self._in_force[site.pk, on] = version_in_force(site=site, on=on)
            except TrialError as error:
                self._in_force[site.pk, on] = str(error)
        return self._in_force[site.pk, on]

    def do_instance_save(self, instance: Candidate, is_create: bool) -> None:
        """Refer the person.

        Raises:
            ValidationError: the action refuses, as for somebody referred already (BR-04).
        """
        if instance.site and instance.data:
            found = self._protocol(instance.site, instance.data.received_date)
            instance.version = None if isinstance(found, str) else found
        with gathered():
            instance.referral = refer(instance, self.by, self.at)

    # -- many lines

    def run(self, rows: Iterable[Row], *, dry_run: bool) -> Outcome:
        """Check the lines, or save those without problems; each line by itself.

        Without a transaction around it: a check of 5,000 lines would keep every other writer waiting.
        """
        lines = list(rows)
        names = [column.name for column in self.columns()]
        dataset = Dataset(headers=[LINE, *names])
        for one in lines:
            dataset.append([str(one.line), *(one.cells.get(name, "") for name in names)])
        result = self.import_data_inner(dataset, dry_run, False, False, False)
        for _number, errors in result.row_errors():
            raise errors[0].error
        outcome = Outcome()
        for one, row_result in zip(lines, result.rows, strict=True):
            self._place(one, row_result, outcome)
        return outcome

    def _place(self, row: Row, row_result: RowResult, outcome: Outcome) -> None:
        """A line's problems, those of reading it first, or its candidate."""
        found = list(row.problems)
        if row_result.validation_error is not None:
            unread = {name for name, _ in row.problems}
            by_column = row_result.validation_error.message_dict
            found += [
                ("" if name == NON_FIELD_ERRORS else name, text)
                for name, texts in by_column.items()
                if name not in unread
                for text in texts
            ]
        if found:
            outcome.problems[row.line] = found
        else:
            outcome.candidates[row.line] = row_result.instance


def refer(candidate: Candidate, by: User, at: datetime) -> Referral:
    """Refer the person of one line.

    Raises:
        ValidationError: the action refuses; the text names no other site (BR-04).
        DatasetLocked: a final lock is in force: that refuses the list, not the line.
    """
    if candidate.site is None or candidate.data is None or candidate.who is None:
        raise ValidationError({NON_FIELD_ERRORS: "This line was not read"})
    try:
        return actions.refer(
            site=candidate.site, data=candidate.data, who=candidate.who, by=by, at=at, version=candidate.version
        )
    except DatasetLocked:
        raise
    except TrialError as error:
        raise ValidationError({NON_FIELD_ERRORS: str(error)}) from error


def add_repeats(outcome: Outcome, *, by: User, at: datetime) -> None:
    """Move lines about somebody who is known already, or who stands in the list twice, to the problems (BR-04).

    Somebody known is referred for a moment and taken back again: the answer is that of the action itself.
    """
    seen: dict[str, int] = {}
    hashes = {line: identity.hashes(one.who) for line, one in outcome.candidates.items() if one.who}
    known = _known({h for pair in hashes.values() for h in pair if h})
    for line, pair in hashes.items():
        keys = [h for h in pair if h]
        first = next((seen[h] for h in keys if h in seen), None)
        if first is not None:
            problem: Problem | None = ("", f"The same person as line {first}. Keep one of the two lines")
        else:
            problem = _would_refuse(outcome.candidates[line], by, at) if known & set(keys) else None
        for h in keys:
            seen.setdefault(h, line)
        if problem:
            outcome.problems[line] = [problem]
            del outcome.candidates[line]


def _known(hashes: set[str]) -> set[str]:
    """Which hashes belong to somebody stored, in few lookups."""
    wanted, found = sorted(hashes), set[str]()
    for start in range(0, len(wanted), CHUNK):
        some = wanted[start : start + CHUNK]
        for column in ("nhs_number_hash", "name_birth_hash"):
            found |= set(Person.objects.filter(**{f"{column}__in": some}).values_list(column, flat=True))
    return found


def _would_refuse(candidate: Candidate, by: User, at: datetime) -> Problem | None:
    try:
        with transaction.atomic():
            refer(candidate, by, at)
            transaction.set_rollback(True)
    except ValidationError as error:
        return "", " ".join(error.messages)
    return None


def _date_boxes(name: str, text: str) -> dict[str, str]:
    """A date as the three boxes of a form: 2026-03-31, 31/3/2026, 31 March 2026."""
    parts = [part for part in re.split(r"[\s/.,-]+", text.strip()) if part]
    if len(parts) == 3 and len(parts[0]) == 4:
        parts.reverse()
    if len(parts) > 3:
        parts = [text.strip(), "", ""]
    return {f"{name}_{place}": part for place, part in enumerate(parts)}


def _words(choices: Any) -> dict[str, str]:
    """Code by every word that stands for an answer."""
    pairs = [(str(code), str(label)) for code, label in choices if str(code)]
    return {label.casefold(): code for code, label in pairs} | {code.casefold(): code for code, _ in pairs}


def _site_words(sites: Sequence[Site]) -> dict[str, str]:
    """Key of a site by its number, name and abbreviation; the only site also by nothing."""
    words = {}
    for site in sites:
        for word in (site.code, site.code.lstrip("0"), site.name, site.abbreviation):
            words[word.casefold()] = str(site.pk)
    words.pop("", None)
    return words | ({"": str(sites[0].pk)} if len(sites) == 1 else {})
