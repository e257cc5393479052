"""The short lists of a referral. They follow the blocks of the PRSB social prescribing standard; none names an arm."""

from django.db import models


class SourceType(models.TextChoices):
    """Who refers."""

    GP_PRACTICE = "gp_practice", "GP practice"
    LINK_WORKER = "link_worker", "Link worker"
    MENTAL_HEALTH_TEAM = "mental_health_team", "Mental health team"
    SELF = "self", "Self-referral"
    VOLUNTARY = "voluntary", "Voluntary organisation"


class ReferralModel(models.TextChoices):
    """How a person comes to an activity (domain.md section 1, social prescribing)."""

    SIGNPOSTING = "signposting", "Signposting: told about it"
    DIRECT = "direct", "Direct referral: from the referrer straight to us"
    LINK_WORKER = "link_worker", "Link worker: explores needs, connects, follows up"
    HOLISTIC = "holistic", "Holistic: a link worker with open-ended support"


class ReferralChannel(models.TextChoices):
    """How the referral reached the team."""

    LETTER = "letter", "Letter"
    EMAIL = "email", "E-mail"
    PHONE = "phone", "Telephone"
    IN_PERSON = "in_person", "In person"
    FORM = "form", "Form on paper"
    LIST = "list", "List from a practice or service"
    INTEREST = "interest", "Our public page"


class ContactBasis(models.TextChoices):
    """Why the team may contact the person (BR-01)."""

    PERMISSION = "permission", "The person allowed the referrer to pass on their details"
    SELF_REFERRAL = "self_referral", "The person referred themselves"


class Need(models.TextChoices):
    """What the person would like to change."""

    LOW_MOOD = "low_mood", "Low mood or stress"
    LONELINESS = "loneliness", "Loneliness, or few people around"
    INACTIVITY = "inactivity", "Moving more"
    ROUTINE = "routine", "Routine, something to do"
    CONFIDENCE = "confidence", "Confidence"
    HEALTH_CONDITION = "health_condition", "Living with a health condition"
    CARING = "caring", "Caring for somebody"
    BEREAVEMENT = "bereavement", "Bereavement"
    WORK_MONEY_HOUSING = "work_money_housing", "Work, money or housing"
    OTHER = "other", "Something else"


class Concern(models.TextChoices):
    """What the person worries about when they think of taking part."""

    MEETING_PEOPLE = "meeting_people", "Meeting people they do not know"
    TRAVEL = "travel", "Getting there"
    HEALTH = "health", "Health or fitness"
    TIME = "time", "Time"
    COST = "cost", "Cost"
    PAPERWORK = "paperwork", "Questionnaires and forms"
    OTHER = "other", "Something else"


class ActivityPreference(models.TextChoices):
    """What suits the person, whatever the activity: none of these tells an arm."""

    SMALL_GROUP = "small_group", "A small group"
    MORNING = "morning", "Mornings"
    AFTERNOON = "afternoon", "Afternoons"
    EVENING = "evening", "Evenings or weekends"
    NEAR_HOME = "near_home", "Near home"
    WITH_SOMEBODY = "with_somebody", "Coming with somebody they know"
    GENTLE = "gentle", "A gentle pace"
    HANDS_ON = "hands_on", "Something to do with the hands"


class AccessNeed(models.TextChoices):
    """What getting there and taking part asks for."""

    NO_CAR = "no_car", "No car"
    NO_BUS = "no_bus", "No bus or train nearby"
    LIFT = "lift", "A lift"
    FARE = "fare", "Fares paid"
    STEP_FREE = "step_free", "Step-free, or a wheelchair"
    SHORT_WALK = "short_walk", "Short walks only"
    SEEING = "seeing", "Help with seeing or large print"
    HEARING = "hearing", "Help with hearing"
    READING = "reading", "Help with reading or writing"
    COMPANION = "companion", "A companion or carer comes along"
    OTHER = "other", "Something else"


class Language(models.TextChoices):
    """In which language to speak with the person; the codes are BCP 47."""

    ENGLISH = "en", "English"
    WELSH = "cy", "Welsh"
    BSL = "bfi", "British Sign Language"
    ARABIC = "ar", "Arabic"
    BENGALI = "bn", "Bengali"
    CHINESE = "zh", "Chinese"
    FARSI = "fa", "Farsi"
    GUJARATI = "gu", "Gujarati"
    POLISH = "pl", "Polish"
    PORTUGUESE = "pt", "Portuguese"
    PUNJABI = "pa", "Punjabi"
    ROMANIAN = "ro", "Romanian"
    SOMALI = "so", "Somali"
    UKRAINIAN = "uk", "Ukrainian"
    URDU = "ur", "Urdu"
    OTHER = "und", "Another language"
