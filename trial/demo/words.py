"""What people say and write in the demonstration."""

import random
from typing import Any

from trial.consent.models import Consent
from trial.demo import names
from trial.participants.choices import AccessNeed, ActivityPreference, Concern, Need

SOURCES = (
    ("gp_practice", "link_worker", "mental_health_team", "self", "voluntary"),
    (44, 33, 9, 10, 4),
)
CONSENT_METHODS = (
    (
        Consent.Method.ECONSENT_IN_PERSON,
        Consent.Method.PAPER,
        Consent.Method.TELEPHONE_WITNESSED,
        Consent.Method.ECONSENT_REMOTE,
    ),
    (44, 30, 16, 10),
)
NOTES = (
    "",
    "",
    "Low in mood since being made redundant. Would like to be around people again.",
    "Lives alone since bereavement. Finds mornings hard, would manage a short bus journey.",
    "Used to enjoy gardening. Knee pain, walks up to a mile.",
    "Anxious about meeting new people. May bring her sister to the first session.",
    "Carer for her mother, free on weekday mornings only.",
    "Has tried talking therapy. Wants something practical to do each week.",
    "Off work with stress. Worried about the cost of travel.",
    "New to the area and has no friends nearby. Open to either activity.",
    "Sleeps badly, low energy. GP thinks a routine would help.",
    "Retired last year and misses the company. Uses a hearing aid.",
)
MODELS = {
    "gp_practice": ("direct", "direct", "link_worker"),
    "link_worker": ("link_worker", "link_worker", "holistic"),
    "mental_health_team": ("direct", "signposting"),
    "self": ("signposting",),
    "voluntary": ("holistic", "signposting"),
}
"""Referral models that each source uses; people take them in turn."""
GOALS = ("", "To see people again.", "To sleep better and get out of the house.", "To have one fixed thing each week.")


def referral_details(kind: str, number: int) -> dict[str, Any]:
    """What the referral of one person says besides the notes, drawn by the person's own number."""
    rng = random.Random(number)
    models = MODELS[kind]
    return {
        "referral_model": models[number % len(models)],
        "channel": {"self": "interest", "gp_practice": "letter"}.get(kind, "email"),
        "needs": rng.sample([need.value for need in Need][:6], rng.randint(1, 3)),
        "concerns": rng.sample([one.value for one in Concern][:5], rng.randint(0, 2)),
        "activity_preferences": rng.sample([one.value for one in ActivityPreference], rng.randint(0, 2)),
        "access_needs": rng.sample([one.value for one in AccessNeed][:6], rng.choice((0, 0, 1, 2))),
        "language": "en",
        "goals": rng.choice(GOALS),
    }


CONTACT_NOTES = (
    "Interested. Asked how far the group would be.",
    "Wants to think it over and talk to the family.",
    "Asked what happens if the group does not suit.",
    "Glad to be rung. Prefers calls after lunch.",
    "Asked for the information sheet in large print.",
    "",
)
CLOSED_ALERT = (
    "Rang the same afternoon. Passing thoughts, no plan, no intent, has support at home. Talked through the safety plan"
    " and the numbers to ring. GP informed by letter."
)
CONCERN = "Very quiet today and left in tears before the end. Said things at home are hard."
HOSPITAL = "Admitted overnight with abdominal pain; gallstones found. Surgery planned. No link with the sessions."
EVENTS = (
    ("BLISTER", "Blister on the heel after a session. Plaster given.", "possible", 5),
    ("MINOR_FALL", "Slipped on a wet step, grazed hand. Cleaned and dressed.", "probable", 9),
    ("MUSCLE_SORENESS", "Sore back the day after a session, gone in two days.", "possible", 3),
    ("HAY_FEVER", "Hay fever during a session, took own tablets.", "possible", 12),
    ("STING", "Wasp sting on the arm. Cold pack, no reaction.", "definite", 2),
    ("ANSWERING_DISTRESS", "Upset while answering by telephone; call ended early, fine the next day.", "possible", 1),
    ("COLD_WET", "Cold and wet after a shower, home early.", "probable", 1),
)
"""Category, what happened, relation to the activity, days until it was over."""
TICK_BITE = "Tick on the lower leg after a session, removed whole. Advice leaflet given."
DEVIATIONS = {
    "late_form": "Week 12 questionnaires were posted to an old address and came back late.",
    "copy_missing": "At a check of the site file, the copy of the signed consent form was missing.",
}
QUESTIONS = (
    "The form says it was answered by the participant, and the contact log has a call on that day. Which is right?",
    "The answers differ a lot from the visit before. Was the source checked?",
    "The date of completion is a day before the form was sent. When was it answered?",
    "The paper form has two marks at one question. Which one was entered?",
)
CANCELLED = ("weather", "weather", "leader_absent", "venue")
STOPPING = {
    "stopped_activity": ("NOT_HELPING", "DISLIKES_GROUP", "TRAVEL", "NO_TIME"),
    "stopped_forms": ("DISLIKES_FORMS",),
    "fewer_forms": ("DISLIKES_FORMS", "NO_TIME"),
    "stopped_all": ("HEALTH_WORSE", "MOVED"),
    "died_later": ("HEALTH_WORSE",),
}


def referrer(kind: str, practice: str) -> str:
    """Who refers."""
    return practice if kind == "gp_practice" else names.ORGANISATIONS[kind]
