"""Who may do what: the one table of roles, actions and scopes (domain.md section 4, Roles).

Pages, commands and tests all read it; what it does not allow is denied.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from django.db import models


class Role(models.TextChoices):
    """Roles held per site, or for all sites, with dates."""

    COORDINATOR = "coordinator", "Coordinator"
    RANDOMISER = "randomiser", "Randomiser"
    ACTIVITY_LEADER = "activity_leader", "Activity leader"
    OUTCOME_ASSESSOR = "outcome_assessor", "Outcome assessor"
    PRINCIPAL_INVESTIGATOR = "principal_investigator", "Principal investigator"
    CHIEF_INVESTIGATOR = "chief_investigator", "Chief investigator"
    DUTY_CLINICIAN = "duty_clinician", "Duty clinician"
    SAFEGUARDING_LEAD = "safeguarding_lead", "Safeguarding lead"
    TRIAL_MANAGER = "trial_manager", "Trial manager"
    DATA_MANAGER = "data_manager", "Data manager"
    MONITOR = "monitor", "Monitor"
    SPONSOR_REVIEWER = "sponsor_reviewer", "Sponsor reviewer"
    TRIAL_STATISTICIAN = "trial_statistician", "Trial statistician"
    UNBLINDED_STATISTICIAN = "unblinded_statistician", "Unblinded statistician"
    SPONSOR_REPRESENTATIVE = "sponsor_representative", "Sponsor representative"
    DMEC = "dmec", "DMEC member"
    ADMINISTRATOR = "administrator", "Administrator"


class Action(StrEnum):
    """What can be asked of the system; each page names one of these."""

    # the participant's path
    VIEW_TASKS = "trial.view_tasks"
    VIEW_PEOPLE = "trial.view_people"
    VIEW_RECORD = "trial.view_record"
    ADD_REFERRAL = "trial.add_referral"
    IMPORT_REFERRALS = "trial.import_referrals"
    RECORD_CONTACT = "trial.record_contact"
    CLOSE_REFERRAL = "trial.close_referral"
    VIEW_REFERRAL = "trial.view_referral"
    VIEW_SCREENING_LOG = "trial.view_screening_log"
    VIEW_REFERRAL_REPORT = "trial.view_referral_report"
    HANDLE_INTEREST = "trial.handle_interest"
    MANAGE_SOURCES = "trial.manage_sources"
    SEND_MESSAGE_BACK = "trial.send_message_back"
    RECORD_CONSENT = "trial.record_consent"
    ASSESS_ELIGIBILITY = "trial.assess_eligibility"
    SIGN_ELIGIBILITY = "trial.sign_eligibility"
    RANDOMISE = "trial.randomise"
    VIEW_ARM = "trial.view_arm"
    REPORT_UNBLINDING = "trial.report_unblinding"
    CHANGE_PARTICIPATION = "trial.change_participation"
    ASK_REVERSAL = "trial.ask_reversal"
    APPROVE_REVERSAL = "trial.approve_reversal"
    CONFIRM_END = "trial.confirm_end"
    # identity
    VIEW_IDENTITY = "trial.view_identity"
    CHANGE_IDENTITY = "trial.change_identity"
    REDACT_TEXT = "trial.redact_text"
    # what people may ask, how long data are kept, breaches
    HANDLE_REQUEST = "trial.handle_request"
    DECIDE_REQUEST = "trial.decide_request"
    COPY_PERSON = "trial.copy_person"
    ASK_DISPOSAL = "trial.ask_disposal"
    AGREE_DISPOSAL = "trial.agree_disposal"
    MANAGE_BREACH = "trial.manage_breach"
    # vouchers and travel
    RECORD_CLAIM = "trial.record_claim"
    PAY_CLAIM = "trial.pay_claim"
    # questionnaires
    VIEW_ANSWERS = "trial.view_answers"
    ENTER_FORM = "trial.enter_form"
    CORRECT_FORM = "trial.correct_form"
    SEND_LINK = "trial.send_link"
    ADJUDICATE_ENTRY = "trial.adjudicate_entry"
    VIEW_SCAN = "trial.view_scan"
    # activities
    VIEW_SESSIONS = "trial.view_sessions"
    PLAN_GROUPS = "trial.plan_groups"
    TAKE_REGISTER = "trial.take_register"
    # safety
    VIEW_SAFETY = "trial.view_safety"
    REPORT_EVENT = "trial.report_event"
    ASSESS_ALERT = "trial.assess_alert"
    REVIEW_EVENT = "trial.review_event"
    VIEW_DEVIATIONS = "trial.view_deviations"
    RECORD_DEVIATION = "trial.record_deviation"
    REVIEW_DEVIATION = "trial.review_deviation"
    # data quality
    VIEW_DATA = "trial.view_data"
    VIEW_QUERIES = "trial.view_queries"
    RAISE_QUERY = "trial.raise_query"
    ANSWER_QUERY = "trial.answer_query"
    CLOSE_QUERY = "trial.close_query"
    VIEW_HISTORY = "trial.view_history"
    VIEW_AUDIT = "trial.view_audit"
    SIGN_OFF = "trial.sign_off"
    VIEW_LOCKS = "trial.view_locks"
    MAKE_CUT = "trial.make_cut"
    ASK_LOCK = "trial.ask_lock"
    AGREE_LOCK = "trial.agree_lock"
    # releases
    VIEW_RELEASES = "trial.view_releases"
    BUILD_RELEASE = "trial.build_release"
    DOWNLOAD_BLINDED = "trial.download_blinded"
    DOWNLOAD_MASKED = "trial.download_masked"
    DOWNLOAD_UNBLINDED = "trial.download_unblinded"
    AUTHORISE_UNBLINDING = "trial.authorise_unblinding"
    # homes and settings
    VIEW_OVERVIEW = "trial.view_overview"
    VIEW_MONITORING = "trial.view_monitoring"
    VIEW_PROTOCOL = "trial.view_protocol"
    VIEW_SETTINGS = "trial.view_settings"
    MANAGE_PEOPLE = "trial.manage_people"
    MANAGE_DELEGATION = "trial.manage_delegation"
    SIGN_DELEGATION = "trial.sign_delegation"
    RECORD_LICENCE = "trial.record_licence"
    # consent
    MANAGE_DOCUMENTS = "trial.manage_documents"
    VIEW_CONSENT_FORM = "trial.view_consent_form"
    SIGN_GREEN_LIGHT = "trial.sign_green_light"
    # randomisation (randomisation.md 6.1 and section 10): none implies another
    VIEW_SCHEME = "trial.view_scheme"
    CONFIGURE_SCHEME = "trial.configure_scheme"
    VIEW_RESTRICTED = "trial.view_restricted"
    TEST_SCHEME = "trial.test_scheme"
    APPROVE_LOCK = "trial.approve_lock"
    OPERATE_SCHEME = "trial.operate_scheme"
    PAUSE_SITE = "trial.pause_site"
    ASK_EXCEPTION = "trial.ask_exception"
    APPROVE_EXCEPTION = "trial.approve_exception"
    PRINT_ENVELOPES = "trial.print_envelopes"
    USE_BACKUP = "trial.use_backup"
    CODE_BREAK = "trial.code_break"
    VIEW_BALANCE = "trial.view_balance"
    VIEW_EXCEPTIONS = "trial.view_exceptions"
    VERIFY_REVEAL = "trial.verify_reveal"
    RECORD_GUESS = "trial.record_guess"


REVEALS_ARM = frozenset(
    {
        Action.VIEW_ARM,
        Action.RANDOMISE,
        Action.VIEW_SESSIONS,
        Action.PLAN_GROUPS,
        Action.TAKE_REGISTER,
        Action.DOWNLOAD_MASKED,
        Action.DOWNLOAD_UNBLINDED,
        Action.VIEW_BALANCE,
        Action.PRINT_ENVELOPES,
        Action.USE_BACKUP,
        Action.VIEW_RESTRICTED,
    }
)
"""Actions that show an arm or what reveals one (BR-26): refused to whoever holds a blinded role."""

ENTERS_DATA = frozenset(
    {
        Action.ADD_REFERRAL,
        Action.IMPORT_REFERRALS,
        Action.RECORD_CONSENT,
        Action.ENTER_FORM,
        Action.CORRECT_FORM,
        Action.ADJUDICATE_ENTRY,
        Action.TAKE_REGISTER,
        Action.RANDOMISE,
        Action.ASSESS_ALERT,
        Action.ASSESS_ELIGIBILITY,
        Action.SIGN_ELIGIBILITY,
        Action.RECORD_CONTACT,
        Action.CLOSE_REFERRAL,
        Action.HANDLE_INTEREST,
        Action.SEND_MESSAGE_BACK,
        Action.CHANGE_PARTICIPATION,
        Action.CHANGE_IDENTITY,
        Action.REDACT_TEXT,
        Action.RECORD_CLAIM,
        Action.REPORT_EVENT,
        Action.RECORD_DEVIATION,
        Action.ANSWER_QUERY,
        Action.PLAN_GROUPS,
    }
)
"""Actions that write what the trial collects: nobody who only reads may also hold one (R-13)."""


@dataclass(frozen=True)
class RoleSpec:
    """One row of the table.

    Attributes:
        per_site: held for one site at a time; otherwise for all sites.
        blinded: True or False for ever, or None where the trial configures it for each person.
        home: where the person starts.
        actions: what the role allows, at its sites.
        never_with: roles that the same person may not hold at the same time (R-13).
    """

    per_site: bool
    blinded: bool | None
    home: str
    actions: frozenset[Action]
    never_with: frozenset[Role] = frozenset()


def _actions(*groups: Iterable[Action] | Action) -> frozenset[Action]:
    return frozenset(a for group in groups for a in ([group] if isinstance(group, Action) else group))


A = Action
_RECORDS = (A.VIEW_PEOPLE, A.VIEW_RECORD, A.VIEW_ANSWERS, A.VIEW_HISTORY, A.VIEW_QUERIES, A.VIEW_PROTOCOL)
_SAFETY = (A.VIEW_SAFETY, A.REPORT_EVENT)

POLICY: dict[Role, RoleSpec] = {
    Role.COORDINATOR: RoleSpec(
        per_site=True,
        blinded=False,
        home="/",
        actions=_actions(
            A.VIEW_CONSENT_FORM,
            A.VIEW_REFERRAL,
            A.VIEW_SCREENING_LOG,
            A.VIEW_REFERRAL_REPORT,
            A.HANDLE_INTEREST,
            A.MANAGE_SOURCES,
            A.SEND_MESSAGE_BACK,
            A.VIEW_SCHEME,
            A.ASK_EXCEPTION,
            _RECORDS,
            _SAFETY,
            A.VIEW_TASKS,
            A.ADD_REFERRAL,
            A.IMPORT_REFERRALS,
            A.RECORD_CONTACT,
            A.CLOSE_REFERRAL,
            A.RECORD_CONSENT,
            A.ASSESS_ELIGIBILITY,
            A.VIEW_ARM,
            A.REPORT_UNBLINDING,
            A.CHANGE_PARTICIPATION,
            A.VIEW_IDENTITY,
            A.CHANGE_IDENTITY,
            A.HANDLE_REQUEST,
            A.COPY_PERSON,
            A.RECORD_CLAIM,
            A.PAY_CLAIM,
            A.ENTER_FORM,
            A.CORRECT_FORM,
            A.SEND_LINK,
            A.ADJUDICATE_ENTRY,
            A.VIEW_SCAN,
            A.VIEW_SESSIONS,
            A.PLAN_GROUPS,
            A.TAKE_REGISTER,
            A.VIEW_DEVIATIONS,
            A.RECORD_DEVIATION,
            A.RAISE_QUERY,
            A.ANSWER_QUERY,
        ),
        never_with=frozenset({Role.UNBLINDED_STATISTICIAN, Role.DMEC}),
    ),
    Role.RANDOMISER: RoleSpec(
        per_site=False,
        blinded=False,
        home="/",
        actions=_actions(
            A.VIEW_SCHEME,
            A.ASK_EXCEPTION,
            A.VIEW_TASKS,
            A.VIEW_PEOPLE,
            A.VIEW_RECORD,
            A.VIEW_PROTOCOL,
            A.RANDOMISE,
            A.VIEW_ARM,
            A.REPORT_UNBLINDING,
        ),
        never_with=frozenset({Role.UNBLINDED_STATISTICIAN, Role.DMEC, Role.OUTCOME_ASSESSOR}),
    ),
    Role.ACTIVITY_LEADER: RoleSpec(
        per_site=True,
        blinded=False,
        home="/register/",
        actions=_actions(A.TAKE_REGISTER, A.REPORT_EVENT),
        never_with=frozenset({Role.OUTCOME_ASSESSOR}),
    ),
    Role.OUTCOME_ASSESSOR: RoleSpec(
        per_site=True,
        blinded=True,
        home="/",
        actions=_actions(
            A.RECORD_GUESS,
            A.VIEW_TASKS,
            A.VIEW_PEOPLE,
            A.VIEW_RECORD,
            A.VIEW_ANSWERS,
            A.VIEW_HISTORY,
            A.VIEW_IDENTITY,
            A.ENTER_FORM,
            A.CORRECT_FORM,
            A.VIEW_SCAN,
            A.VIEW_QUERIES,
            A.ANSWER_QUERY,
            A.REPORT_UNBLINDING,
            A.VIEW_PROTOCOL,
        ),
    ),
    Role.PRINCIPAL_INVESTIGATOR: RoleSpec(
        per_site=True,
        blinded=None,
        home="/overview/",
        actions=_actions(
            A.VIEW_CONSENT_FORM,
            A.SIGN_GREEN_LIGHT,
            A.VIEW_REFERRAL,
            A.VIEW_SCREENING_LOG,
            A.VIEW_REFERRAL_REPORT,
            A.SEND_MESSAGE_BACK,
            A.VIEW_SCHEME,
            A.ASK_EXCEPTION,
            A.PAUSE_SITE,
            A.CODE_BREAK,
            _RECORDS,
            _SAFETY,
            A.VIEW_OVERVIEW,
            A.RECORD_CONSENT,
            A.ASSESS_ELIGIBILITY,
            A.SIGN_ELIGIBILITY,
            A.APPROVE_REVERSAL,
            A.CONFIRM_END,
            A.CHANGE_PARTICIPATION,
            A.VIEW_ARM,
            A.REPORT_UNBLINDING,
            A.VIEW_IDENTITY,
            A.REDACT_TEXT,
            A.HANDLE_REQUEST,
            A.DECIDE_REQUEST,
            A.COPY_PERSON,
            A.VIEW_SCAN,
            A.VIEW_SESSIONS,
            A.ASSESS_ALERT,
            A.REVIEW_EVENT,
            A.VIEW_DEVIATIONS,
            A.RECORD_DEVIATION,
            A.REVIEW_DEVIATION,
            A.RAISE_QUERY,
            A.ANSWER_QUERY,
            A.SIGN_OFF,
            A.VIEW_LOCKS,
            A.AGREE_LOCK,
            A.MANAGE_DELEGATION,
            A.SIGN_DELEGATION,
        ),
        never_with=frozenset({Role.DATA_MANAGER, Role.UNBLINDED_STATISTICIAN, Role.DMEC}),
    ),
    Role.CHIEF_INVESTIGATOR: RoleSpec(
        per_site=False,
        blinded=None,
        home="/overview/",
        actions=_actions(
            A.VIEW_SCREENING_LOG,
            A.VIEW_REFERRAL_REPORT,
            A.VIEW_SCHEME,
            A.ASK_EXCEPTION,
            A.APPROVE_EXCEPTION,
            A.CODE_BREAK,
            A.VIEW_EXCEPTIONS,
            _RECORDS,
            _SAFETY,
            A.VIEW_OVERVIEW,
            A.REPORT_UNBLINDING,
            A.ASSESS_ALERT,
            A.REVIEW_EVENT,
            A.VIEW_DEVIATIONS,
            A.REVIEW_DEVIATION,
            A.VIEW_LOCKS,
            A.AGREE_LOCK,
            A.AUTHORISE_UNBLINDING,
            A.AGREE_DISPOSAL,
            A.VIEW_RELEASES,
        ),
    ),
    Role.DUTY_CLINICIAN: RoleSpec(
        per_site=True,
        blinded=True,
        home="/safety/",
        actions=_actions(A.CODE_BREAK, A.VIEW_SAFETY, A.ASSESS_ALERT, A.REPORT_EVENT, A.VIEW_IDENTITY),
    ),
    Role.SAFEGUARDING_LEAD: RoleSpec(
        per_site=False, blinded=False, home="/safety/", actions=_actions(_SAFETY, A.VIEW_IDENTITY)
    ),
    Role.TRIAL_MANAGER: RoleSpec(
        per_site=False,
        blinded=None,
        home="/overview/",
        actions=_actions(
            A.MANAGE_DOCUMENTS,
            A.SIGN_GREEN_LIGHT,
            A.VIEW_SCREENING_LOG,
            A.VIEW_REFERRAL_REPORT,
            A.MANAGE_SOURCES,
            A.VIEW_SCHEME,
            A.TEST_SCHEME,
            A.ASK_EXCEPTION,
            A.APPROVE_EXCEPTION,
            A.USE_BACKUP,
            A.CODE_BREAK,
            A.VIEW_EXCEPTIONS,
            _RECORDS,
            _SAFETY,
            A.VIEW_OVERVIEW,
            A.REPORT_UNBLINDING,
            A.VIEW_SESSIONS,
            A.PLAN_GROUPS,
            A.VIEW_ARM,
            A.VIEW_DEVIATIONS,
            A.RECORD_DEVIATION,
            A.REVIEW_DEVIATION,
            A.RAISE_QUERY,
            A.VIEW_LOCKS,
            A.VIEW_RELEASES,
            A.AUTHORISE_UNBLINDING,
            A.RECORD_LICENCE,
            A.OPERATE_SCHEME,
            A.MANAGE_DELEGATION,
            A.HANDLE_REQUEST,
            A.DECIDE_REQUEST,
            A.ASK_DISPOSAL,
            A.AGREE_DISPOSAL,
            A.MANAGE_BREACH,
            A.PAY_CLAIM,
        ),
        never_with=frozenset({Role.TRIAL_STATISTICIAN, Role.UNBLINDED_STATISTICIAN, Role.DMEC}),
    ),
    Role.DATA_MANAGER: RoleSpec(
        per_site=False,
        blinded=True,
        home="/data/",
        actions=_actions(
            A.VIEW_SCREENING_LOG,
            A.VIEW_REFERRAL_REPORT,
            _RECORDS,
            A.VIEW_DATA,
            A.VIEW_AUDIT,
            A.ASK_REVERSAL,
            A.RAISE_QUERY,
            A.CLOSE_QUERY,
            A.CORRECT_FORM,
            A.ADJUDICATE_ENTRY,
            A.VIEW_SCAN,
            A.VIEW_LOCKS,
            A.MAKE_CUT,
            A.ASK_LOCK,
            A.VIEW_RELEASES,
            A.BUILD_RELEASE,
            A.VIEW_DEVIATIONS,
            A.RECORD_LICENCE,
            A.REPORT_UNBLINDING,
            A.ASK_DISPOSAL,
            A.AGREE_DISPOSAL,
            A.MANAGE_BREACH,
        ),
    ),
    Role.MONITOR: RoleSpec(
        per_site=True,
        blinded=None,
        home="/monitor/",
        actions=_actions(
            A.VIEW_CONSENT_FORM,
            A.VIEW_SCREENING_LOG,
            A.VIEW_SCHEME,
            A.VIEW_EXCEPTIONS,
            _RECORDS,
            A.VIEW_MONITORING,
            A.VIEW_SCAN,
            A.RAISE_QUERY,
            A.VIEW_AUDIT,
            A.VIEW_DEVIATIONS,
        ),
    ),
    Role.SPONSOR_REVIEWER: RoleSpec(
        per_site=False, blinded=False, home="/safety/", actions=_actions(A.VIEW_SAFETY, A.REVIEW_EVENT)
    ),
    Role.TRIAL_STATISTICIAN: RoleSpec(
        per_site=False,
        blinded=True,
        home="/releases/",
        actions=_actions(A.VIEW_RELEASES, A.BUILD_RELEASE, A.DOWNLOAD_BLINDED, A.VIEW_PROTOCOL, A.REPORT_UNBLINDING),
    ),
    Role.UNBLINDED_STATISTICIAN: RoleSpec(
        per_site=False,
        blinded=False,
        home="/releases/",
        actions=_actions(
            A.VIEW_REFERRAL_REPORT,
            A.VIEW_RELEASES,
            A.BUILD_RELEASE,
            A.DOWNLOAD_BLINDED,
            A.DOWNLOAD_MASKED,
            A.DOWNLOAD_UNBLINDED,
            A.VIEW_PROTOCOL,
            A.VIEW_SCHEME,
            A.CONFIGURE_SCHEME,
            A.VIEW_RESTRICTED,
            A.APPROVE_LOCK,
            A.APPROVE_EXCEPTION,
            A.PRINT_ENVELOPES,
            A.VIEW_BALANCE,
            A.VIEW_EXCEPTIONS,
            A.VERIFY_REVEAL,
        ),
    ),
    Role.SPONSOR_REPRESENTATIVE: RoleSpec(
        per_site=False,
        blinded=False,
        home="/randomisation/",
        actions=_actions(
            A.VIEW_SCHEME, A.APPROVE_LOCK, A.APPROVE_EXCEPTION, A.VIEW_EXCEPTIONS, A.VERIFY_REVEAL, A.VIEW_PROTOCOL
        ),
        never_with=frozenset({Role.COORDINATOR, Role.RANDOMISER, Role.PRINCIPAL_INVESTIGATOR, Role.TRIAL_MANAGER}),
    ),
    Role.DMEC: RoleSpec(
        per_site=False,
        blinded=False,
        home="/releases/",
        actions=_actions(
            A.VIEW_SCHEME,
            A.VIEW_RESTRICTED,
            A.VIEW_RELEASES,
            A.DOWNLOAD_BLINDED,
            A.DOWNLOAD_MASKED,
            A.DOWNLOAD_UNBLINDED,
            A.VIEW_PROTOCOL,
        ),
    ),
    Role.ADMINISTRATOR: RoleSpec(
        per_site=False,
        blinded=True,
        home="/settings/",
        actions=_actions(A.VIEW_SETTINGS, A.MANAGE_PEOPLE, A.VIEW_PROTOCOL),
        never_with=frozenset(set(Role) - {Role.ADMINISTRATOR}),
    ),
}

READ_ONLY = frozenset({Role.MONITOR, Role.SPONSOR_REVIEWER})


def incompatible(one: Role, other: Role) -> bool:
    """Whether nobody may hold both roles at once (R-13).

    Named in the table; or one reads only and the other enters data; or one is blinded for ever and the
    other is not: the pair would show a blinded person the arms.
    """
    if one == other:
        return False
    a, b = POLICY[one], POLICY[other]
    if other in a.never_with or one in b.never_with:
        return True
    if (one in READ_ONLY and b.actions & ENTERS_DATA) or (other in READ_ONLY and a.actions & ENTERS_DATA):
        return True
    return {a.blinded, b.blinded} == {True, False}


def incompatible_pairs() -> list[tuple[Role, Role]]:
    """Every pair that is refused, each once."""
    return [pair for pair in combinations(Role, 2) if incompatible(*pair)]
