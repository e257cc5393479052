"""An expression of interest becomes a referral: the same form, filled in with what the person left."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache

from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.base.errors import TrialError
from trial.base.words import local_day
from trial.interest import actions as interest
from trial.interest.actions import Left
from trial.interest.models import Interest
from trial.interest.views import entry_for
from trial.journey import actions
from trial.journey.pages import GET_POST, page, posted
from trial.journey.referral_forms import ReferralForm
from trial.participants.choices import ContactBasis, ReferralChannel
from trial.participants.models import Referral
from trial.protocol.versions import current


@requires(Action.HANDLE_INTEREST)
@never_cache
@GET_POST
def refer_interest(request: StaffRequest, pk: int) -> HttpResponse:
    """Make a referral of an entry (T01); what the person left is in the form, and nowhere else afterwards."""
    entry = entry_for(request.user, pk)
    left = interest.show(entry=entry, by=request.user, at=timezone.now())
    if left is None:
        return redirect("interest:entry", entry.pk)
    form = ReferralForm([entry.source.site], current().spec, posted(request), initial=_initial(entry, left))
    if form.is_valid():
        try:
            referral = _refer(request, entry, form)
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{referral.screening_number} recorded.")
            return redirect("journey:record", referral.screening_number)
    return page(
        request,
        form,
        title="Make a referral of an entry",
        subject=None,
        here="New person",
        button="Save referral",
        template="journey/refer.html",
    )


@transaction.atomic
def _refer(request: StaffRequest, entry: Interest, form: ReferralForm) -> Referral:
    now = timezone.now()
    referral = actions.refer(site=entry.source.site, data=form.referral(), who=form.identity(), by=request.user, at=now)
    interest.became(entry=entry, referral=referral, by=request.user, at=now)
    return referral


def _initial(entry: Interest, left: Left) -> dict[str, Any]:
    """The boxes that are known: the last word of a name goes into the box of last names."""
    first, _, last = left.name.rpartition(" ")
    day = local_day(entry.received_at)
    return {
        "first_name": first or last,
        "last_name": last if first else "",
        "phone": left.phone,
        "email": left.email,
        "source_type": entry.source.source_type,
        "referral_model": entry.source.referral_model,
        "received_date": day,
        "permission_date": day,
        "channel": ReferralChannel.INTEREST,
        "contact_basis": ContactBasis.SELF_REFERRAL,
    }
