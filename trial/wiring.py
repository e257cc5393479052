"""Where lower features are given the functions of higher ones, and signals find their receivers."""

from typing import Any

from django.contrib.auth.models import update_last_login
from django.contrib.auth.signals import user_logged_in
from django.core.management import call_command
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_save
from simple_history.signals import post_create_historical_record, pre_create_historical_record

from trial.access import actions as access_actions
from trial.access import adapter
from trial.activities import reads as activity_reads
from trial.allocation import checks as allocation_checks
from trial.allocation import hooks as allocation_hooks
from trial.allocation import notices
from trial.allocation.exceptions import guesses
from trial.assessments import hooks as assessment_hooks
from trial.base import models, triggers
from trial.consent import choices
from trial.double_entry import actions as second_actions
from trial.double_entry import reads as second_reads
from trial.econsent import sending as consent_links
from trial.journey import reconsent, record_glance, steps, timeline, transitions
from trial.messages import invitations
from trial.messages import sending as outbox
from trial.paper import reads as paper_reads
from trial.participants.models import REFERRAL_LOCK_GUARDS, Referral
from trial.participation import actions as participation_actions
from trial.participation import reads as participation_reads
from trial.participation.models import Element
from trial.referrals import actions as messages_back
from trial.review import links, stops
from trial.rights import record as rights_record
from trial.rights import requests as data_requests
from trial.safety import reads as safety_reads
from trial.selfcompletion import sending as questionnaires


def connect() -> None:
    """Called once, when every app is loaded."""
    _add(access_actions.invite_by, invitations.write_invitation)
    _add(assessment_hooks.after_save, steps.form_saved)
    _add(assessment_hooks.after_save, reconsent.form_saved)
    _add(assessment_hooks.after_save, second_actions.ask_for_second)
    _add(assessment_hooks.kept_from, second_reads.elsewhere)
    _add(assessment_hooks.shown, second_actions.note_shown)
    _add(assessment_hooks.scan_panels, paper_reads.scan_panel)
    _add(assessment_hooks.form_links, second_reads.links)
    _add(assessment_hooks.form_links, links.beside_form)
    _add(assessment_hooks.further_facts, guesses.facts)
    _add(assessment_hooks.item_links, links.beside_item)
    _add(safety_reads.may_report_on, activity_reads.may_report_on)
    _add(allocation_checks.further_checks, stops.open_queries)
    _add(allocation_hooks.after_late_allocation, steps.after_late_allocation)
    _add(outbox.may_still_go, questionnaires.may_still_go)
    _add(outbox.may_still_go, participation_reads.may_still_go)
    _add(outbox.may_still_go, data_requests.may_still_go)
    _add(record_glance.further_facts, rights_record.restricted)
    _add(timeline.further, rights_record.events)
    participation_actions.MESSAGES_OF |= {Element.QUESTIONNAIRES_WEB: questionnaires.KINDS}
    _add(outbox.may_still_go, notices.may_still_go)
    _add(outbox.may_still_go, choices.may_still_go)
    _add(outbox.may_still_go, consent_links.may_still_go)
    outbox.body_of |= dict.fromkeys(questionnaires.KINDS, questionnaires.filled_in)
    outbox.body_of[messages_back.EMAIL] = messages_back.filled_in
    outbox.body_of |= dict.fromkeys(consent_links.KINDS, consent_links.filled_in)
    Referral.guards = REFERRAL_LOCK_GUARDS + transitions.trigger_guards()
    connection_created.connect(triggers.add_switch, dispatch_uid="trigger-switch")
    post_migrate.connect(triggers.install_after_migrate, dispatch_uid="install-triggers")
    post_migrate.connect(make_shared_cache, dispatch_uid="shared-cache")
    pre_save.connect(models.refuse_fixture, dispatch_uid="refuse-fixture")
    pre_create_historical_record.connect(models.add_role, dispatch_uid="history-role")
    post_create_historical_record.connect(models.add_leaf, dispatch_uid="history-leaf")
    user_logged_in.disconnect(update_last_login, dispatch_uid="update_last_login")
    adapter.connect()


def make_shared_cache(*, using: str, **kwargs: Any) -> None:
    """The table of the cache that all workers share; made once, left alone afterwards."""
    call_command("createcachetable", database=using, verbosity=0)


def _add(registered: list[Any], function: Any) -> None:
    if function not in registered:
        registered.append(function)
