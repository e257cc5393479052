"""Every shared component on sample pages, modelled on the reference pictures; rendered without a database."""

from datetime import UTC, date, datetime, time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from django import forms
from django.conf import settings
from django.template.backends.django import DjangoTemplates

from trial.base import statuses
from trial.base.charts import Interval, ProgressBar, StepChart
from trial.base.fields import (
    ChoiceField,
    DateField,
    DateTimeField,
    DayMonthField,
    NumberField,
    TextField,
    YesNoField,
)
from trial.base.flow import Flow, FlowStep, FlowText
from trial.base.parts import (
    CheckCell,
    CheckRow,
    Event,
    Fact,
    HistoryEntry,
    Link,
    Pages,
    PersonCard,
    Said,
    Task,
    TaskGroup,
    VisitCell,
    VisitColumn,
    VisitRow,
    fast_row,
)
from trial.base.widgets import CheckBoxes, Radios

PHQ9 = [
    "Little interest or pleasure in doing things",
    "Feeling down, depressed, or hopeless",
    "Trouble falling or staying asleep, or sleeping too much",
    "Feeling tired or having little energy",
    "Poor appetite or overeating",
    "Feeling bad about yourself — or that you are a failure or have let yourself or your family down",
    "Trouble concentrating on things, such as reading the newspaper or watching television",
    "Moving or speaking so slowly that other people could have noticed? Or the opposite — being so fidgety or"
    " restless that you have been moving around a lot more than usual",
    "Thoughts that you would be better off dead or of hurting yourself in some way",
]
OFTEN = [("0", "Not at all"), ("1", "Several days"), ("2", "More than half the days"), ("3", "Nearly every day")]
MISSING = [("BL", "Left blank"), ("RF", "Declined"), ("IL", "Cannot be read")]
PAIRS = [
    ("Consent", "Version 2.1, signed 29 June 2026"),
    ("Eligibility", "Signed by Dr Helen Okafor, 1 July 2026"),
    ("Baseline", "10 of 10 forms complete, 8 July 2026"),
    ("Site", "01 Tamar Vale"),
    ("PHQ-9 band", "10 to 14, from the eligibility score"),
]
LINKS = [Link("Record a contact", "#1"), Link("Report an adverse event", "#2"), Link("Change participation", "#3")]


def _page(current: str = "My tasks", **changes: Any) -> SimpleNamespace:
    places = [
        SimpleNamespace(label=label, url=f"/{label.lower()}/", current=label == current)
        for label in ("My tasks", "People", "Sessions", "Queries", "Safety")
    ]
    values = {
        "study_name": "GREENRX-F",
        "training": True,
        "places": places,
        "user_name": "Priya Nair",
        "user_role_line": "Coordinator, Tamar Vale",
        "version": "1.4.2",
        "protocol": "2.1",
        "search_url": "/people/",
    }
    return SimpleNamespace(**{**values, **changes})


class Note(str):
    """A message as django.contrib.messages gives it."""

    def __new__(cls, tag: str, text: str) -> "Note":
        note = super().__new__(cls, text)
        note.level_tag = tag  # type: ignore[attr-defined]
        return note


class ConsentForm(forms.Form):
    consent_date = DateField(label="Date of consent", quick=True)
    read = YesNoField(label="1. I have read information sheet version 2.1 and asked my questions.", what="statement 1")
    gp = YesNoField(label="3. My GP may be told that I am taking part.", what="statement 3")
    interview = YesNoField(label="4. You may invite me to an interview.", what="statement 4", required=False)


class QuestionForm(forms.Form):
    item = ChoiceField(
        label="Feeling tired or having little energy",
        choices=[*OFTEN, ("RF", "Prefer not to answer")],
        widget=Radios(or_before={"RF"}),
    )


class BornForm(forms.Form):
    born = DayMonthField(label="Date of birth", what="day and month you were born")


class PasswordForm(forms.Form):
    password = forms.CharField(label="Your password", widget=forms.PasswordInput(attrs={"autocomplete": "off"}))


class FastForm(forms.Form):
    completed_on = DateField(label="Completed on", compact=True, quick=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number, text in enumerate(PHQ9, start=1):
            self.fields[f"phq9_{number}"] = ChoiceField(label=text, choices=[*OFTEN, *MISSING], required=False)
        self.fields["phq9_10"] = ChoiceField(
            label="If you checked off any problems, how difficult have these problems made it for you to do your work,"
            " take care of things at home, or get along with other people?",
            choices=[
                ("0", "Not difficult at all"),
                ("1", "Somewhat difficult"),
                ("2", "Very difficult"),
                ("3", "Extremely difficult"),
                *MISSING,
            ],
            required=False,
        )


class EveryForm(forms.Form):
    name = TextField(label="Full name", what="your full name", help_text="As on their passport")
    weight = NumberField(
        label="Weight", unit="kg", unit_words="kilograms", min_value=30, max_value=300, places=1, required=False
    )
    signed_at = DateTimeField(label="When was it signed?", what="time of signing", quick=True)
    source = ChoiceField(
        label="Referral source",
        choices=[("lw", "Link worker"), ("gp", "GP practice"), ("self", "Self")],
        widget=Radios(hints={"gp": "With its ODS code"}),
    )
    modes = forms.MultipleChoiceField(
        label="How may we reach you?", choices=[("t", "Text"), ("e", "E-mail")], widget=CheckBoxes
    )
    month = ChoiceField(label="Month", choices=[(str(n), f"Month {n}") for n in range(1, 13)])
    notes = TextField(label="Notes", rows=4, required=False)
    letter = forms.FileField(label="Letter", required=False)
    sure = forms.BooleanField(label="I have told the participant")
    password = forms.CharField(label="Your password", widget=forms.PasswordInput)


def _visit_rows() -> list[VisitRow]:
    locked, due, later = (
        VisitCell("locked", "14 Apr", "#l"),
        VisitCell("due", "by 23 Jul", "#d"),
        VisitCell("not_due", "from 24 Sep"),
    )
    return [
        VisitRow("Eligibility", [VisitCell("locked", "31 Mar", "#e"), None, None, None, None]),
        VisitRow(
            "PHQ-9", [VisitCell("locked", "31 Mar", "#e"), locked, VisitCell("query_open", "21 May", "#q"), due, later]
        ),
        VisitRow("Demographics", [None, locked, None, None, None]),
        VisitRow(
            "WEMWBS",
            [None, locked, VisitCell("complete", "21 May", "#c"), VisitCell("in_progress", "9 of 14", "#i"), later],
        ),
        VisitRow("Nature contact", [None, locked, VisitCell("overdue", "28 May", "#o"), due, later]),
        VisitRow("Service use", [None, VisitCell("not_done", "Declined", "#n"), None, due, later]),
    ]


def _tasks() -> list[TaskGroup]:
    def task(day: int, label: str, detail: str, number: str) -> Task:
        return Task(date(2026, 7, day), label, "#t", detail, number)

    return [
        TaskGroup(
            "overdue",
            [
                task(
                    7,
                    "Make first contact",
                    "Referred by Tavyside Surgery on 30 June. 5 working days have passed",
                    "S-01-0061",
                ),
                task(
                    7,
                    "Ring for week 5 questionnaires",
                    "No answer to 3 messages. Window closes 10 July",
                    "GRX-01-031-4",
                ),
            ],
        ),
        TaskGroup(
            "due_today", [task(9, "Randomise", "Baseline complete. Baseline window closes 16 July", "GRX-01-042-1")]
        ),
        TaskGroup(
            "next_7_days",
            [
                task(
                    13, "Tick bite: 30-day check", "Bitten 13 June. Ask about rash, fever and tiredness", "GRX-01-026-4"
                )
            ],
        ),
    ]


def _people(state: str) -> list[PersonCard]:
    return [
        PersonCard("p1", "Aisha", "GRX-01-023-1", "here", unsent=state == "unsent", more_url="#more"),
        PersonCard(
            "p2",
            "Brian",
            "GRX-01-028-0",
            "here" if state == "check" else "absent",
            note="" if state == "check" else "Told us they would not come",
            conflict="Jo marked Absent at 10:42am. You marked Here at 10:45am. The coordinator will check."
            if state == "check"
            else "",
            more_url="#more",
        ),
        PersonCard("p3", "Carol", "GRX-01-031-4", more_url="#more"),
    ]


def _recruitment() -> StepChart:
    days = [date(2026, 1, 12), *(date(2026, month, day) for month in range(2, 9) for day in (1, 15)), date(2026, 8, 31)]
    return StepChart(
        steps=[(day, min(96, 6 * place)) for place, day in enumerate(days)],
        plan=[(date(2026, 1, 12), 0), (date(2026, 8, 31), 96)],
        openings=[
            (date(2026, 1, 12), "Tamar Vale opens"),
            (date(2026, 2, 2), "Exe Coast opens"),
            (date(2026, 3, 16), "Moorside opens"),
        ],
    )


def consort_flow(arms: tuple[str, ...] = ("Nature", "Indoor")) -> Flow:
    return Flow(
        steps=[
            FlowStep(FlowText("Referred (n=260)"), FlowText("Not contactable (n=46)")),
            FlowStep(
                FlowText("Contacted (n=214)"),
                FlowText("Pre-screened out (n=31)", "Crisis care 9, out of area 8, other reasons 14"),
            ),
            FlowStep(
                FlowText("Invited to consent (n=183)"),
                FlowText(
                    "Declined (n=45)",
                    "No time 14, wanted a particular activity 9, travel 8, not interested 8, no reason given 6",
                ),
            ),
            FlowStep(
                FlowText("Consented and assessed (n=138)"),
                FlowText("Screening failed (n=30)", "PHQ-9 above 14: 15, PHQ-9 below 5: 8, other reasons 7"),
            ),
            FlowStep(
                FlowText("Eligible (n=108)"),
                FlowText("Left before randomisation (n=12)", "Changed their mind 6, other reasons 6"),
            ),
            FlowStep(FlowText("Randomised (n=96)")),
        ],
        arms=[
            [
                FlowText(f"{arm} (n=48)", "Came to at least 1 session 43\nNever came 5"),
                FlowText("Week 5: answered 42 of 48", "Not answered 6"),
                FlowText("Week 12: answered 40 of 48", "Not answered by close of window 8"),
            ]
            for arm in arms
        ],
        stages=["Allocation", "Follow-up", "Follow-up"],
        description="260 referred, 96 randomised.",
    )


def _criteria() -> list[tuple[Any, ...]]:
    return [
        (
            "PC1",
            "Consented",
            "of those contacted and not pre-screened out",
            "green",
            "Green",
            "",
            "138 of 183, 75.4%",
            "68.7% to 81.1%",
            Interval(68.7, 75.4, 81.1, (30, 50)),
        ),
        (
            "PC6",
            "Observed sessions faithful",
            "of sessions observed",
            "amber",
            "Amber, nearer red",
            "below 74.7%",
            "22 of 30, 73.3%",
            "55.6% to 85.8%",
            Interval(55.6, 73.3, 85.8, (60, 80)),
        ),
        (
            "PC7",
            "Went to a nature group",
            "of the indoor arm. Lower is better",
            "red",
            "Red",
            "",
            "5 of 48, 10.4%",
            "4.5% to 22.2%",
            Interval(4.5, 10.4, 22.2, (10, 25), lower_is_better=True),
        ),
        (
            "PC8",
            "Related serious adverse events",
            "of those randomised",
            "none",
            "Committee decides",
            "",
            "0 of 96",
            "0% to 3.8%, exact",
            None,
        ),
    ]


def _history() -> list[HistoryEntry]:
    return [
        HistoryEntry(
            "Dr Helen Okafor",
            [Said("signed this form: “I have reviewed these data.”")],
            datetime(2026, 5, 28, 15, 2, tzinfo=UTC),
            "Principal investigator",
        ),
        HistoryEntry(
            "Priya Nair",
            [
                Said("changed the answer from "),
                Said("Several days (1)", "old"),
                Said(" to "),
                Said("More than half the days (2)", "new"),
                Said(". Reason: typing mistake. “Paper shows 2.”"),
            ],
            datetime(2026, 5, 25, 13, 14, tzinfo=UTC),
            "Coordinator",
            changed=True,
        ),
    ]


def contexts() -> dict[str, tuple[str, dict[str, Any]]]:
    """Name of each sample page: its template and what it is given."""
    fast = FastForm({"phq9_1": "1", "phq9_2": "2", "phq9_3": "BL", "phq9_6": "1", "completed_on": "2026-07-06"})
    back = Link("Go back and check", "#back")
    columns = [
        VisitColumn("V0 screening", "31 Mar 2026"),
        VisitColumn("V1 baseline", "14 Apr 2026"),
        VisitColumn("V2 week 5", "14 to 28 May"),
        VisitColumn("V3 week 12", "2 to 23 Jul", now=True),
        VisitColumn("V4 week 26", "24 Sep to 5 Nov"),
    ]
    participant = {
        "study_title": "Green prescription study",
        "languages": [("Cymraeg", "?lang=cy", "cy")],
        "back_url": "#back",
    }
    crumbs = {"breadcrumbs": [("People", "/people/"), ("GRX-01-042-1", "/people/1/")], "page": _page("People")}
    facts = [
        Fact("Status", ", week 12", strong="In activity"),
        Fact("Consent", "Version 2.0.", link=Link("2.1 is due", "#c")),
        Fact("Participation", "Full"),
        Fact("Allocation", "16 Apr 2026.", link=Link("Show", "#a")),
        Fact("Contact details", link=Link("Show", "#s"), detail="Logged each time"),
    ]
    check = [
        CheckRow(
            "Expected forms",
            "Present, or not done with a reason",
            [
                CheckCell(True, "1,098 of 1,098", "#1"),
                CheckCell(True, "878 of 878", "#2"),
                CheckCell(False, "4 to explain", "#3"),
            ],
        ),
        CheckRow(
            "Open queries",
            "Every query closed",
            [CheckCell(True, "0 open", "#4"), CheckCell(False, "2 open", "#5"), CheckCell(False, "1 open", "#6")],
        ),
        CheckRow(
            "Scores",
            "Worked out again, equal to the stored score",
            overall=CheckCell(True, "3,214 of 3,214 equal. Ran 13 April 2027, 3:10am"),
        ),
    ]
    return {
        "tasks": (
            "tasks.html",
            {
                "title": "My tasks",
                "groups": _tasks(),
                "screen": Link("Screen a new person", "/people/new/"),
                "bar": ProgressBar(27, 29, 38),
            },
        ),
        "record": (
            "record.html",
            {
                "title": "GRX-01-017-3",
                "links": [*LINKS, Link("History", "#h")],
                "facts": facts,
                "next": Link("Start consent", "#n"),
                "columns": columns,
                "rows": _visit_rows(),
                "key": statuses.FORM.values(),
                "events": [
                    Event(strong="Week 12 questionnaires started", detail="6 Jul 2026, 7:52pm. By web link"),
                    Event(" on PHQ-9 week 5", "3 Jul 2026, 4:10pm. Tom Ellery", strong="Query raised"),
                    Event("Message sent: week 12 questionnaires", "2 Jul 2026, 9am. Text, delivered"),
                    Event("Referred by link worker", "24 Mar 2026. Tavyside Surgery"),
                ],
                "more": Link("All 41 events", "#all"),
                "breadcrumbs": [("People", "/people/")],
                "here": "Tamar Vale",
                "page": _page("People"),
            },
        ),
        "interruption": (
            "interruption.html",
            {"title": "Randomise", "pairs": PAIRS, "back": back, **crumbs, "here": "Randomise"},
        ),
        "sign": ("sign.html", {"title": "Lock", "form": PasswordForm({}), "back": back}),
        "certificate": (
            "certificate.html",
            {
                "title": "Allocation",
                "pairs": [
                    ("Time", "Thursday 9 July 2026, 11:08am"),
                    ("Randomised by", "Priya Nair, coordinator"),
                    ("Site", "01 Tamar Vale"),
                ],
                "next": Link("Plan visits and sessions", "#n"),
                "second": Link("Print allocation notice", "#p"),
                **crumbs,
                "here": "Allocation",
            },
        ),
        "register-sent": (
            "register.html",
            {
                "state": "sent",
                "strong": "All sent at 10:06am",
                "text": "",
                "count": "3 of 8 marked",
                "people": _people("sent"),
            },
        ),
        "register-unsent": (
            "register.html",
            {
                "state": "unsent",
                "strong": "3 not sent yet.",
                "text": "They are saved on this phone.",
                "count": "3 of 8 marked",
                "people": _people("unsent"),
            },
        ),
        "register-conflict": (
            "register.html",
            {
                "state": "check",
                "strong": "1 mark needs checking.",
                "text": "Everything else sent at 10:47am.",
                "count": "8 of 8 marked",
                "people": _people("check"),
            },
        ),
        "sessions": ("sessions.html", {}),
        "question": ("question.html", {"form": QuestionForm(initial={"item": "1"}), **participant}),
        "question-prompt": ("question.html", {"form": QuestionForm(), "prompt": True, **participant}),
        "born": ("born.html", {"form": BornForm({"born_0": "14", "born_1": "23"}), **participant}),
        "support": ("support.html", {**participant, "back_url": ""}),
        "fast": (
            "fast.html",
            {
                "title": "PHQ-9, week 5",
                "form": fast,
                "rows": [fast_row(fast[f"phq9_{n}"], number=str(n), labelled=n == 10) for n in range(1, 11)],
                "answers": [
                    ("Not at all", "0"),
                    ("Several days", "1"),
                    ("More than half the days", "2"),
                    ("Nearly every day", "3"),
                ],
                "about": [("Completed by", "Participant"), ("Form", "PHQ-9 English 1.0.0")],
                "saved": time(14, 41),
                **crumbs,
                "here": "Week 5",
            },
        ),
        "lock": (
            "lock.html",
            {
                "title": "Lock the dataset",
                "columns": ["Tamar Vale", "Exe Coast", "Moorside"],
                "rows": check,
                "people": [
                    ("Asks", "Tom Ellery, data manager", ""),
                    ("Agrees", "Dr Ruth Sayer, chief investigator", ""),
                ],
                "again": Link("Check again", "#again"),
                "breadcrumbs": [("Locks", "/locks/")],
                "here": "Dataset",
            },
        ),
        "progression": (
            "progression.html",
            {"title": "Progression criteria", "links": LINKS, "criteria": _criteria(), "chart": _recruitment()},
        ),
        "flow": ("flow.html", {"title": "Flow diagram", "links": LINKS, "flow": consort_flow()}),
        "flow-3": (
            "flow.html",
            {
                "title": "Flow diagram, three arms",
                "links": LINKS,
                "flow": consort_flow(("Wood", "Water", "Usual care")),
            },
        ),
        "release": (
            "release.html",
            {
                "title": "Release L003, blinded",
                "links": LINKS,
                "facts": [
                    Fact("State", status="locked", status_word="Locked 14 Apr 2027"),
                    Fact("Cut-off", "22 Mar 2027"),
                    Fact("People", "138 consented, 96 randomised"),
                ],
                "hash": "3f9c5a17e2b804d691c37be058fa2c4da6e10b97d35f88426c1ef07b49da130e",
                "pages": Pages(1, 5, 44, next_url="?page=2"),
                "again": Link("Download CHANGES.txt", "#d"),
                "at": datetime(2027, 4, 14, 8, 0, tzinfo=UTC),
            },
        ),
        "history": ("history.html", {"title": "PHQ-9, week 5", "links": LINKS, "entries": _history()}),
        "empty": (
            "empty.html",
            {
                "title": "Queries",
                "tabs": [("Open 0", "#o", True), ("Answered 0", "#a", False), ("Closed 31", "#c", False)],
                "again": Link("Look for missing answers", "#m"),
            },
        ),
        "consent": (
            "consent.html",
            {
                "title": "Record consent",
                "form": ConsentForm(
                    {
                        "consent_date_0": "9",
                        "consent_date_1": "7",
                        "consent_date_2": "",
                        "read": "yes",
                        "interview": "no",
                    }
                ),
                "saved": time(14, 52),
                **crumbs,
                "here": "Consent",
            },
        ),
        "forms": (
            "forms.html",
            {
                "title": "Every kind of field",
                "form": EveryForm(),
                "statuses": statuses.GROUPS,
                "tasks": [
                    ("Demographics", "#1", "completed"),
                    ("PHQ-9", "#2", "in_progress"),
                    ("Randomise", "", "cannot_start"),
                ],
                "notes": [
                    Note("success", "Consent recorded for GRX-01-042-1"),
                    Note("error", "Priya saved this form first"),
                ],
            },
        ),
        "forms-wrong": (
            "forms.html",
            {
                "title": "Every kind of field",
                "form": EveryForm(
                    {
                        "weight": "3000",
                        "signed_at_0": "1",
                        "signed_at_1": "Mar",
                        "signed_at_2": "2026",
                        "signed_at_3": "25:00",
                    }
                ),
                "statuses": {},
                "tasks": [],
                "notes": [],
            },
        ),
        "not-found": ("404.html", {}),
        "fault": ("500.html", {"reference": "7F3K"}),
    }


def render() -> dict[str, str]:
    """Every sample page as HTML."""
    options = settings.TEMPLATES[0]["OPTIONS"]
    engine = DjangoTemplates(
        {
            "NAME": "gallery",
            "APP_DIRS": True,
            "DIRS": [Path(__file__).parent / "gallery", *settings.TEMPLATES[0]["DIRS"]],
            "OPTIONS": {"builtins": options["builtins"], "context_processors": []},
        }
    )
    return {
        name: engine.get_template(template).render({"page": _page(), "csrf_token": "x", **values})
        for name, (template, values) in contexts().items()
    }
