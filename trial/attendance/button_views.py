"""The other buttons of a register: risk check, visitor, cancelled, concern, a register kept on paper."""

from uuid import uuid4

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.activities import actions as activity_actions
from trial.activities import reads as activity_reads
from trial.attendance import actions, reads, whole
from trial.attendance.actions import Answer
from trial.attendance.forms import CancelForm, ConcernForm, PaperForm, RiskCheckForm, VisitorForm, key_of
from trial.attendance.models import Mark
from trial.attendance.views import card_url, marked_person, member_by_number, posted
from trial.base.errors import TrialError
from trial.participants.identity import first_names, show
from trial.participants.models import Participant
from trial.safety.actions import raise_concern


@requires(Action.TAKE_REGISTER)
@require_http_methods(["GET", "POST"])
def risk_check(request: StaffRequest, session: int) -> HttpResponse:
    """Confirm the risk check, or be led to cancelling (BR-43)."""
    found = reads.register_for(request.user, session)
    now = timezone.now()
    form = RiskCheckForm(posted(request), session=found, at=now)
    if form.is_valid():
        if not form.cleaned_data["safe"]:
            messages.warning(request, "Cancel the session, or ring the coordinator to move it.")
            return redirect("attendance:cancel", found.pk)
        try:
            checked_at = form.cleaned_data.get("clock") or now
            activity_actions.confirm_risk_check(session=found, checked_at=checked_at, by=request.user, at=now)
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            return redirect("attendance:register", found.pk)
    return render(request, "attendance/risk_check.html", {"form": form, "session": found})


@requires(Action.TAKE_REGISTER)
@require_http_methods(["GET", "POST"])
def visitor(request: StaffRequest, session: int) -> HttpResponse:
    """Somebody from a group of the other activity came (BR-41)."""
    found = reads.register_for(request.user, session)
    form = VisitorForm(posted(request), initial={"key": uuid4()})
    if form.is_valid():
        number = form.cleaned_data["study_id"]
        participant = Participant.objects.filter(study_id=number, referral__site=found.group.site).first()
        if participant is None:
            form.add_error("study_id", f"There is no participant {number} at this site. Check the number")
        else:
            now = timezone.now()
            result = actions.mark(
                key=key_of(form),
                session=found,
                participant=participant,
                status=Mark.Status.OTHER_ARM,
                by=request.user,
                captured_at=now,
                at=now,
            )
            if result.answer is not Answer.REJECTED:
                messages.success(request, f"{participant} added as a visitor. The coordinator is told.")
                return redirect(card_url(found, participant.pk))
            form.add_error(None, result.text)
    return render(request, "attendance/visitor.html", {"form": form, "session": found})


@requires(Action.TAKE_REGISTER)
@require_http_methods(["GET", "POST"])
def cancel(request: StaffRequest, session: int) -> HttpResponse:
    """Cancel a session; nobody was absent from it."""
    found = reads.register_for(request.user, session)
    form = CancelForm(posted(request))
    if form.is_valid():
        try:
            activity_actions.cancel_session(session=found, by=request.user, **form.cleaned_data)
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Session cancelled. Nobody counts as absent.")
            return redirect("attendance:register", found.pk)
    return render(request, "attendance/cancel.html", {"form": form, "session": found})


@requires(Action.TAKE_REGISTER)
@require_http_methods(["GET", "POST"])
def concern(request: StaffRequest, session: int) -> HttpResponse:
    """Tell the duty clinician about a worry; the telephone number comes first."""
    found = reads.register_for(request.user, session)
    members = activity_reads.expected_members(found)
    names = first_names([member.participant.referral.person for member in members])
    people = [
        (str(m.participant_id), f"{names.get(m.participant.referral.person_id, '')}, {m.participant}") for m in members
    ]
    form = ConcernForm(posted(request), people=people)
    if form.is_valid():
        raise_concern(
            participant=marked_person(found, int(form.cleaned_data["person"])),
            text=form.cleaned_data["text"],
            by=request.user,
            at=timezone.now(),
        )
        messages.success(request, "Concern sent. Ring the safeguarding lead if it cannot wait.")
        return redirect("attendance:register", found.pk)
    phone = found.group.venue.provider.safeguarding_phone or reads.spec_of(found).study.office_phone
    context = {"form": form, "session": found, "phone": phone, "tel": "".join(phone.split())}
    return render(request, "attendance/concern.html", context)


@requires(Action.TAKE_REGISTER)
@require_POST
def emergency(request: StaffRequest, session: int, number: str) -> HttpResponse:
    """The emergency contact of one member, asked for while online; each showing is logged (BR-40)."""
    found = reads.register_for(request.user, session)
    participant = member_by_number(found, number)
    data = show(
        referral=participant.referral, by=request.user, at=timezone.now(), reason="Emergency contact, from the register"
    )
    context = {"session": found, "participant": participant, "name": data.first_name, "contact": data.emergency_name}
    phone = data.emergency_phone
    shown = render(request, "attendance/emergency.html", {**context, "phone": phone, "tel": "".join(phone.split())})
    shown.headers["Cache-Control"] = "no-store"
    return shown


@requires(Action.TAKE_REGISTER)
@require_http_methods(["GET", "POST"])
def paper_entry(request: StaffRequest, session: int) -> HttpResponse:
    """Enter a register that was kept on paper, with who kept it and when."""
    found = reads.register_for(request.user, session)
    shown = reads.register(found, request.user)
    people = [(card.id, f"{card.name}, {card.study_id}") for card in shown.cards if not card.mark]
    form = PaperForm(posted(request), people=people, initial={"key": uuid4(), "captured_at": found.ends_at})
    if form.is_valid():
        results = whole.mark_from_paper(
            key=key_of(form),
            session=found,
            statuses=dict(form.marks()),
            paper_by=form.cleaned_data["paper_by"],
            captured_at=form.cleaned_data["captured_at"],
            by=request.user,
            at=timezone.now(),
        )
        refused = dict.fromkeys(result.text for result in results if result.answer is Answer.REJECTED)
        if not refused:
            return redirect("attendance:register", found.pk)
        for text in refused:
            form.add_error(None, text)
    return render(request, "attendance/paper_entry.html", {"form": form, "session": found, "people": people})
