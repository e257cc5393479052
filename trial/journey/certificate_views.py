"""The certificate of an allocation as a file to print or keep."""

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_safe

from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.allocation import certificate
from trial.allocation.errors import AllocationRefused
from trial.allocation.reads import allocation_of
from trial.journey.pages import blocked
from trial.participants.reads import participant_for


@requires(Action.VIEW_ARM, Action.VIEW_SCHEME)
@never_cache
@require_safe
@sensitive_variables()
def allocation_certificate(request: StaffRequest, number: str) -> HttpResponse:
    """One person's certificate; the arm stands on it only for a reader who may see it."""
    participant = participant_for(request.user, number)
    made = allocation_of(participant)
    if made is None:
        problem = [("This person has not been randomised.", f"/people/{participant.study_id}/")]
        return blocked(request, participant.referral, "Allocation certificate", problem)
    try:
        shown = certificate.certificate_for(
            participant=participant, allocation=made, by=request.user, at=timezone.now()
        )
    except AllocationRefused as error:
        return blocked(request, participant.referral, "Allocation certificate", [(str(error), "")])
    response = HttpResponse(certificate.draw(shown), content_type="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="allocation-{participant.study_id}.pdf"'
    return response
