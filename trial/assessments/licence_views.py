"""Pages on which the study records its licences for questionnaires."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

import instruments
from instruments import Instrument
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.assessments import licence_actions
from trial.assessments.errors import AnswersRefused
from trial.assessments.models import InstrumentLicence, StudyWording
from trial.assessments.reason_forms import LicenceForm
from trial.assessments.wording import is_withheld, needs_licence
from trial.base.errors import TrialError
from trial.protocol.versions import current


@dataclass(frozen=True)
class LicenceRow:
    """One questionnaire of the protocol that needs a licence, with what is recorded.

    Attributes:
        is_withheld: whether its wording is missing unless the study uploads it.
        has_wording: whether the study did.
    """

    instrument: Instrument
    licence: InstrumentLicence | None
    is_withheld: bool
    has_wording: bool

    @property
    def needs_licence(self) -> bool:
        """Whether the holder asks for registration."""
        return needs_licence(self.instrument)


def _rows() -> list[LicenceRow]:
    recorded = {one.instrument: one for one in InstrumentLicence.objects.all()}
    own = set(StudyWording.objects.values_list("instrument", "version"))
    used = (instruments.get(one.code, one.version) for one in current().spec.instruments)
    return [
        LicenceRow(one, recorded.get(one.code), is_withheld(one), (one.code, one.version) in own)
        for one in used
        if needs_licence(one) or is_withheld(one)
    ]


def licence_row(code: str) -> LicenceRow:
    """The questionnaire of the protocol that an address names.

    Raises:
        Http404: the protocol has none of this code that needs a licence, or whose wording is withheld.
    """
    row = next((one for one in _rows() if one.instrument.code == code), None)
    if row is None:
        raise Http404
    return row


@requires(Action.RECORD_LICENCE)
@require_GET
def licences(request: StaffRequest) -> HttpResponse:
    """Questionnaires whose holders ask for registration, and what the study has recorded."""
    return render(request, "assessments/licences.html", {"rows": _rows()})


@requires(Action.RECORD_LICENCE)
@require_http_methods(["GET", "POST"])
def record(request: StaffRequest, code: str) -> HttpResponse:
    """Record the licence for one questionnaire."""
    row = licence_row(code)
    initial = {"copyright_line": row.instrument.copyright[:300]}
    form = LicenceForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        try:
            licence_actions.record_licence(
                instrument=row.instrument, by=request.user, at=timezone.now(), **form.cleaned_data
            )
        except AnswersRefused as refused:
            for name, text in refused.problems.items():
                form.add_error(name, text)
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"Licence for {row.instrument.short_title} recorded")
            return redirect("assessments:licences")
    context = {
        "form": form,
        "row": row,
        "breadcrumbs": [("Licences", "/licences/")],
        "here": row.instrument.short_title,
    }
    return render(request, "assessments/licence.html", context)
