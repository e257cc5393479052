"""What stands in the admin: configuration to change, clinical rows to look at, nothing about identity or arms."""

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone

from trial.access.models import Delegation, RoleAssignment, Site
from trial.access.policy import Action
from trial.activities.models import Provider, Session, Venue
from trial.assessments.models import Administration, InstrumentLicence
from trial.consent.models import Consent, DocumentUse, DocumentVersion
from trial.deviations.models import Deviation
from trial.operations.admin_base import ConfigurationSite, PolicyAdmin, ReadOnly, ReasonForm
from trial.participants.models import Participant, Referral
from trial.review.models import Query
from trial.safety.models import AdverseEvent, RiskAlert
from trial.schedule.models import Visit
from trial.screening.models import Eligibility

configuration = ConfigurationSite(name="admin")
OFFICE = (Action.VIEW_SETTINGS, Action.OPERATE_SCHEME)
"""The administrator and the trial manager."""


class SiteAdmin(PolicyAdmin[Site]):
    """Sites come from the protocol; here they pause and close."""

    view_actions = OFFICE
    change_actions = OFFICE
    list_display = ("code", "name", "opened_date", "recruitment_paused", "recruitment_closed_date", "target")
    fields = (
        "code",
        "name",
        "abbreviation",
        "opened_date",
        "target",
        "recruitment_paused",
        "recruitment_closed_date",
    )
    readonly_fields = ("code", "name", "opened_date", "target")


class ProviderAdmin(PolicyAdmin[Provider]):
    """Organisations that run activities. Not for blinded people: a venue tells an arm (BR-26)."""

    view_actions = change_actions = add_actions = (Action.PLAN_GROUPS,)
    list_display = ("name", "insurance_expires_date")
    search_fields = ("name",)
    fields = ("name", "insurance_expires_date", "safeguarding_phone")


class VenueAdmin(PolicyAdmin[Venue]):
    """Places where groups meet. Not for blinded people (BR-26)."""

    view_actions = change_actions = add_actions = (Action.PLAN_GROUPS,)
    list_display = ("name", "provider", "risk_assessment_version", "risk_assessment_reviewed_date")
    list_select_related = ("provider",)
    search_fields = ("name", "provider__name")
    fields = (
        "provider",
        "name",
        "access_notes",
        "risk_assessment_version",
        "risk_assessment_reviewed_date",
        "has_mobile_signal",
    )


class LicenceForm(ReasonForm):
    """The licence of an instrument, put right."""

    def clean_licence_date(self) -> Any:
        """A licence is recorded once it is given."""
        given = self.cleaned_data["licence_date"]
        if given and given > timezone.localdate():
            raise forms.ValidationError("Date of the licence must be today or in the past")
        return given


class LicenceAdmin(PolicyAdmin[InstrumentLicence]):
    """That the study may use an instrument. It is recorded on a page of its own, and put right here."""

    form = LicenceForm
    view_actions = change_actions = (Action.RECORD_LICENCE,)
    list_display = ("instrument", "reference", "holder", "licence_date")
    fields = ("instrument", "reference", "holder", "licence_date", "copyright_line")
    readonly_fields = ("instrument",)


class DocumentAdmin(ReadOnly[DocumentVersion]):
    """Approved documents never change; a new one comes with the protocol."""

    view_actions = (*OFFICE, Action.VIEW_DATA)
    list_display = ("code", "kind", "version", "language", "approved_date", "requires_reconsent")
    list_filter = ("kind",)
    fields = (
        "code",
        "kind",
        "title",
        "version",
        "language",
        "document_date",
        "rec_reference",
        "approved_date",
        "requires_reconsent",
        "statements",
        "content_sha256",
    )


class DocumentUseAdmin(ReadOnly[DocumentUse]):
    """From when to when a site uses a document."""

    view_actions = (*OFFICE, Action.VIEW_DATA)
    list_display = ("document", "site", "from_date", "to_date")
    list_select_related = ("document", "site")
    fields = ("document", "site", "from_date", "to_date")


class RoleAdmin(ReadOnly[RoleAssignment]):
    """Roles are given and ended on the page of the person."""

    view_actions = (Action.MANAGE_PEOPLE,)
    list_display = ("user", "role", "site", "from_date", "to_date", "blinded")
    list_select_related = ("user", "site")
    list_filter = ("role",)
    search_fields = ("user__name", "user__email")
    fields = ("user", "role", "site", "from_date", "to_date", "blinded", "training_date")


class DelegationAdmin(ReadOnly[Delegation]):
    """Duties are delegated in the delegation log."""

    view_actions = (Action.MANAGE_PEOPLE, Action.MANAGE_DELEGATION)
    site_path = ""
    list_display = ("user", "site", "duty", "from_date", "to_date", "training_date")
    list_select_related = ("user", "site")
    list_filter = ("duty",)
    search_fields = ("user__name",)
    fields = ("user", "site", "duty", "from_date", "to_date", "training_evidence", "training_date", "signed_by")


class ReferralAdmin(ReadOnly[Referral]):
    """Referrals without the words that were sealed."""

    view_actions = (Action.VIEW_RECORD,)
    site_path = "site"
    list_display = ("screening_number", "site", "status", "status_date", "received_date")
    list_select_related = ("site", "participant")
    list_filter = ("status",)
    search_fields = ("screening_number", "participant__study_id")
    fields = (
        "screening_number",
        "site",
        "status",
        "status_date",
        "source_type",
        "received_date",
        "contact_basis",
        "age_band",
        "sex",
        "close_reason",
        "further_reasons",
    )


class ParticipantAdmin(ReadOnly[Participant]):
    """Study numbers with their dates."""

    view_actions = (Action.VIEW_RECORD,)
    site_path = "referral__site"
    list_display = ("study_id", "consented_date", "randomised_date", "died_date")
    search_fields = ("study_id",)
    fields = ("study_id", "consented_date", "age_at_consent", "birth_year", "randomised_date", "died_date")


class ConsentAdmin(ReadOnly[Consent]):
    """Consents, statement by statement."""

    view_actions = (Action.VIEW_RECORD,)
    site_path = "participant__referral__site"
    list_display = ("participant", "form", "method", "signed_at", "state")
    list_select_related = ("participant", "form")
    search_fields = ("participant__study_id",)
    fields = ("participant", "form", "method", "statements", "signed_at", "taken_by", "language", "state")


class EligibilityAdmin(ReadOnly[Eligibility]):
    """Criteria with their answers; the strata stay out."""

    view_actions = (Action.VIEW_RECORD,)
    site_path = "participant__referral__site"
    list_display = ("participant", "outcome", "assessed_date", "assessed_by")
    list_select_related = ("participant", "assessed_by")
    search_fields = ("participant__study_id",)
    fields = ("participant", "outcome", "answers", "assessed_date", "assessed_by")


class VisitAdmin(ReadOnly[Visit]):
    """Visits with their windows."""

    view_actions = (Action.VIEW_RECORD,)
    site_path = "participant__referral__site"
    list_display = ("participant", "code", "opens_date", "target_date", "closes_date", "missed_reason")
    list_select_related = ("participant",)
    list_filter = ("code",)
    search_fields = ("participant__study_id",)
    fields = ("participant", "code", "opens_date", "target_date", "closes_date", "missed_reason")


class AdministrationAdmin(ReadOnly[Administration]):
    """Questionnaires as they are stored."""

    view_actions = (Action.VIEW_ANSWERS,)
    site_path = "participant__referral__site"
    list_display = ("participant", "visit_code", "instrument", "status", "completed_date", "n_answered", "n_expected")
    list_select_related = ("participant", "visit")
    list_filter = ("instrument", "status")
    search_fields = ("participant__study_id",)
    fields = (
        "participant",
        "visit",
        "instrument",
        "instrument_version",
        "status",
        "mode",
        "respondent",
        "completed_date",
        "answers",
        "missing",
        "reasons",
        "scores",
        "scoring_version",
        "revision",
    )

    def visit_code(self, row: Administration) -> str:
        """Code of the visit."""
        return row.visit.code


class AlertAdmin(ReadOnly[RiskAlert]):
    """Risk alerts without what was written about them."""

    view_actions = (Action.VIEW_SAFETY,)
    site_path = "participant__referral__site"
    list_display = ("participant", "trigger", "severity", "raised_at", "level", "closed_at")
    list_select_related = ("participant",)
    search_fields = ("participant__study_id",)
    fields = ("participant", "trigger", "severity", "raised_at", "acknowledged_at", "level", "assessed_at", "closed_at")


class EventAdmin(ReadOnly[AdverseEvent]):
    """Adverse events without their description, which may tell an arm (BR-26)."""

    view_actions = (Action.VIEW_SAFETY,)
    site_path = "participant__referral__site"
    list_display = ("participant", "sequence", "onset_date", "severity", "expected", "outcome")
    list_select_related = ("participant",)
    search_fields = ("participant__study_id",)
    fields = (
        "participant",
        "sequence",
        "onset_date",
        "aware_date",
        "severity",
        "seriousness",
        "expected",
        "outcome",
        "resolved_date",
    )


class SessionAdmin(ReadOnly[Session]):
    """Sessions, for those who may know which groups there are."""

    view_actions = (Action.VIEW_SESSIONS,)
    site_path = "group__site"
    list_display = ("group", "number", "starts_at", "status", "completed_at")
    list_select_related = ("group",)
    list_filter = ("status",)
    fields = ("group", "number", "starts_at", "ends_at", "status", "cancel_reason", "completed_at", "is_late_entry")


class QueryAdmin(ReadOnly[Query]):
    """Data queries and their state."""

    view_actions = (Action.VIEW_QUERIES,)
    site_path = "participant__referral__site"
    list_display = ("participant", "field", "rule", "state", "raised_at", "closed_at")
    list_select_related = ("participant",)
    list_filter = ("state",)
    search_fields = ("participant__study_id",)
    fields = ("participant", "field", "rule", "state", "raised_at", "raised_by", "closed_at")


class DeviationAdmin(ReadOnly[Deviation]):
    """Deviations without their text; those that reveal an arm not at all for blinded people."""

    view_actions = (Action.VIEW_DEVIATIONS,)
    site_path = "site"
    list_display = ("site", "sequence", "occurred_date", "kind", "severity", "reviewed_at")
    list_select_related = ("site",)
    fields = ("site", "sequence", "occurred_date", "kind", "severity", "recorded_at", "reviewed_at")

    def get_queryset(self, request: HttpRequest) -> Any:
        """Nothing that reveals an arm for a blinded person (BR-26)."""
        rows = super().get_queryset(request)
        is_blinded = getattr(request.user, "access", None) is None or request.user.access.blinded  # type: ignore[union-attr]
        return rows.filter(reveals_arm=False) if is_blinded else rows


for model, admin_class in (
    (Site, SiteAdmin),
    (Provider, ProviderAdmin),
    (Venue, VenueAdmin),
    (InstrumentLicence, LicenceAdmin),
    (DocumentVersion, DocumentAdmin),
    (DocumentUse, DocumentUseAdmin),
    (RoleAssignment, RoleAdmin),
    (Delegation, DelegationAdmin),
    (Referral, ReferralAdmin),
    (Participant, ParticipantAdmin),
    (Consent, ConsentAdmin),
    (Eligibility, EligibilityAdmin),
    (Visit, VisitAdmin),
    (Administration, AdministrationAdmin),
    (RiskAlert, AlertAdmin),
    (AdverseEvent, EventAdmin),
    (Session, SessionAdmin),
    (Query, QueryAdmin),
    (Deviation, DeviationAdmin),
):
    configuration.register(model, admin_class)  # type: ignore[misc]
