"""What a referral says, under the block names of the PRSB standard, and putting it right."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import TextChoices
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache

from trial.access.models import AccessEvent, User
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.base import keys
from trial.base.errors import TrialError
from trial.base.words import long_date
from trial.journey.pages import GET_POST, page, posted
from trial.journey.record_views import ReasonForm
from trial.journey.referral_forms import DetailsChangeForm
from trial.messages import actions as tasks
from trial.participants import actions as people
from trial.participants import choices
from trial.participants.actions import ReferralData
from trial.participants.models import Referral
from trial.participants.reads import referral_for
from trial.protocol import rules as protocol_rules


@dataclass(frozen=True)
class Block:
    """One block of the standard: a heading, and terms with their values."""

    heading: str
    rows: list[tuple[str, str]]


def labels(codes: Iterable[str], listed: type[TextChoices]) -> str:
    """ "Low mood or stress; Confidence"."""
    words = dict(listed.choices)
    return "; ".join(str(words.get(code, code)) for code in codes)


def _block(heading: str, *rows: tuple[str, str]) -> Block:
    return Block(heading, [(term, value) for term, value in rows if value])


def _date(day: Any) -> str:
    return long_date(day) if day else ""


def blocks_of(referral: Referral) -> list[Block]:
    """Everything of a referral that is not sealed."""
    wishes = dict(protocol_rules.preference_choices(referral.protocol_version.spec))
    events = referral.status_events.order_by("at", "id")
    return [
        _block(
            "Referral",
            ("Source", referral.origin),
            ("Referral model", referral.get_referral_model_display()),
            ("ODS code", referral.referrer_ods),
            ("Received", _date(referral.received_date)),
            ("Came by", referral.get_channel_display()),
            ("Basis for contact", referral.get_contact_basis_display()),
            ("Permission given", _date(referral.permission_date)),
            ("Follows", referral.earlier_referral.screening_number if referral.earlier_referral else ""),
        ),
        _block(
            "Person",
            ("Age band", referral.age_band),
            ("Sex", referral.get_sex_display()),
            ("Language", referral.get_language_display()),
            ("Interpreter", "Needed" if referral.needs_interpreter else ""),
        ),
        _block(
            "Needs and concerns",
            ("Would like to change", labels(referral.needs, choices.Need)),
            ("Worries about", labels(referral.concerns, choices.Concern)),
            ("Risk information", "Passed on by the referrer. Show it below" if referral.risk_sealed else ""),
        ),
        _block(
            "Support offered",
            ("What would suit", labels(referral.activity_preferences, choices.ActivityPreference)),
            ("Would rather have", wishes.get(referral.arm_preference, "")),
            ("Getting there and taking part", labels(referral.access_needs, choices.AccessNeed)),
            *((f"Contact on {_date(one.at.date())}", _contact_words(one)) for one in _contacts(referral)),
        ),
        _block("Outcomes", *((_date(event.effective_date), event.get_to_status_display()) for event in events)),
    ]


def _contacts(referral: Referral) -> Any:
    return referral.contact_attempts.order_by("at", "id")


def _contact_words(attempt: Any) -> str:
    minutes = f"{attempt.duration_min} minutes" if attempt.duration_min else ""
    parts = (attempt.get_channel_display(), attempt.get_outcome_display(), minutes)
    return ", ".join(part for part in parts if part)


def _sealed_rows(data: ReferralData) -> list[tuple[str, str]]:
    rows = [
        ("Needs and worries, in their own words", data.notes),
        ("What they hope for", data.goals),
        ("Getting there and taking part", data.access),
        ("Risk information from the referrer", data.risk),
    ]
    return [(term, value) for term, value in rows if value]


@requires(Action.VIEW_REFERRAL)
@never_cache
@GET_POST
def referral(request: StaffRequest, number: str) -> HttpResponse:
    """The referral; its sealed words are shown after a reason was given, in this response only, and logged (R-34)."""
    found = referral_for(request.user, number, Action.VIEW_REFERRAL)
    form = ReasonForm(posted(request))
    rows: list[tuple[str, str]] | None = None
    if form.is_valid():
        try:
            rows = _sealed_rows(_shown(found, request.user, form.reason))
        except keys.SealBroken as error:
            form.add_error(None, str(error))
    has_words = any(getattr(found, f"{name}_sealed") for name in people.SEALED)
    context = {
        "title": f"Referral of {found.number}",
        "breadcrumbs": [("People", "/people/"), (found.number, f"/people/{found.number}/")],
        "here": "Referral",
        "blocks": [block for block in blocks_of(found) if block.rows],
        "form": form,
        "rows": rows,
        "has_words": has_words,
        "referral": found,
        "may_tell": getattr(found, "participant", None) is not None
        and request.user.access.may(Action.SEND_MESSAGE_BACK, found.site),
        "may_change": request.user.access.may(Action.ADD_REFERRAL, found.site),
    }
    return render(request, "journey/referral.html", context)


def _shown(referral: Referral, user: User, reason: str) -> ReferralData:
    """The opened words of a referral; that they were looked at is logged, and risk information counts as read."""
    now = timezone.now()
    data = people.details_of(referral)
    AccessEvent(
        user=user,
        role=user.role_code,
        kind=AccessEvent.Kind.IDENTITY_VIEWED,
        record=referral.screening_number,
        detail=f"Referral: {reason}"[:300],
        at=now,
    ).save()
    if data.risk and user.access.may(Action.RECORD_CONTACT, referral.site):
        tasks.close_task(key=f"risk-information:{referral.pk}", by=user, at=now)
    return data


@requires(Action.ADD_REFERRAL)
@never_cache
@GET_POST
def change_referral(request: StaffRequest, number: str) -> HttpResponse:
    """Put right what a referral says; showing it here is logged."""
    found = referral_for(request.user, number, Action.ADD_REFERRAL)
    current = _shown(found, request.user, "Change the referral")
    form = DetailsChangeForm(found, current, posted(request))
    if form.is_valid():
        try:
            people.change_details(
                referral=found, data=form.referral(), reason=form.cleaned_data["reason"], by=request.user
            )
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Referral saved.")
            return redirect("journey:referral", found.number)
    return page(
        request,
        form,
        title="Change the referral",
        subject=found,
        here="Referral",
        button="Save",
        template="journey/refer.html",
    )
