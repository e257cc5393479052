"""The contents of a pack's pages: the front, one questionnaire, the support contacts."""

from collections.abc import Sequence
from typing import Any

from reportlab.lib.colors import HexColor, white
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import Flowable, KeepTogether, Paragraph, Spacer, Table, TableStyle

from instruments import Item, Option
from trial.base.pdf import BOLD, FONT, escaped
from trial.paper.packs import Annotation, Pack, Section
from trial.protocol import rules as protocol_rules

WIDTH = 178 * mm
INK, GREY, NOTE = HexColor("#212b32"), HexColor("#d8dde0"), HexColor("#7c2855")
TITLE = ParagraphStyle("title", fontName=BOLD, fontSize=20, leading=26, textColor=INK, spaceAfter=4 * mm)
HEADING = ParagraphStyle("heading", fontName=BOLD, fontSize=15, leading=20, textColor=INK, spaceAfter=2 * mm)
TEXT = ParagraphStyle("text", fontName=FONT, fontSize=12, leading=17, textColor=INK, spaceAfter=3 * mm)
ITEM = ParagraphStyle("item", fontName=FONT, fontSize=12, leading=15.5, textColor=INK)
OPTION = ParagraphStyle("option", fontName=FONT, fontSize=9.5, leading=11.5, textColor=INK, alignment=1)
SMALL = ParagraphStyle("small", fontName=FONT, fontSize=7.5, leading=9.5, textColor=INK)
NAME = ParagraphStyle("name", fontName=BOLD, fontSize=9, leading=12, textColor=NOTE)
LIST = ParagraphStyle("list", parent=TEXT, leftIndent=6 * mm, bulletIndent=0, spaceAfter=2 * mm)
MOST_IN_A_GRID = 6
DECLINED = "Prefer not to answer"


class Box(Flowable):  # type: ignore[misc]
    """An empty box to put a cross in, with the code of its answer where the form is annotated."""

    side = 6.5 * mm

    def __init__(self, code: str = "") -> None:
        super().__init__()
        self.code = code
        self.width, self.height = self.side, self.side + (4 * mm if code else 0)
        self.hAlign = "CENTER"

    def draw(self) -> None:
        """The box, its code beneath."""
        self.canv.setStrokeColor(INK)
        self.canv.setLineWidth(1.1)
        self.canv.rect(0, self.height - self.side, self.side, self.side, stroke=1, fill=0)
        if self.code:
            self.canv.setFillColor(NOTE)
            self.canv.setFont(BOLD, 8.5)
            self.canv.drawCentredString(self.side / 2, 0.5 * mm, self.code)


def words(text: str, style: ParagraphStyle = TEXT) -> Paragraph:
    """One paragraph."""
    return Paragraph(escaped(text), style)


# -- pages


def front(pack: Pack) -> list[Any]:
    """What the pack is and how to fill it in, or how to read the annotations."""
    study = pack.spec.study
    title = [words(study.public_name, TITLE), words(pack.visit.name if pack.visit else "All questionnaires", HEADING)]
    listed = [words(f"{n}. {one.label}", LIST) for n, one in enumerate(pack.sections, start=1)]
    if pack.is_annotated:
        how = ["Each question shows the name of its variable in the dataset, and each answer its code."]
        return [*title, *[words(line) for line in how], words("Questionnaires", HEADING), *listed]
    lines = (
        "Thank you for answering these questions. There are no right or wrong answers.",
        "Put a cross in one box for each question. If you change your mind, fill in the wrong box and put a cross in"
        " the right one.",
        f"You may leave a question out. To tell us that you do so on purpose, use “{DECLINED}”.",
        "Do not write your name on any page.",
    )
    contact = f"Questions? Ring {study.office_phone} ({study.office_hours}) or write to {study.office_email}."
    calls = ". ".join(call.label for call in protocol_rules.support_page(pack.spec, pack.language).calls)
    safety = f"We do not read answers straight away. If you need help now: {calls}."
    return [
        *title,
        *[words(line) for line in lines],
        words(safety),
        words("In this pack", HEADING),
        *listed,
        words(contact),
    ]


def support(pack: Pack) -> list[Any]:
    """The approved support contacts, straight after questions whose answers can raise an alert (BR-50).

    Everybody gets this page, whatever they answered: so it does not thank for telling, as the page on the screen does.
    """
    page = protocol_rules.support_page(pack.spec, pack.language)
    study = pack.spec.study
    calls = [
        Paragraph(f'<font name="{BOLD}">{escaped(call.label)}.</font> {escaped(call.purpose)}', LIST, bulletText="•")
        for call in page.calls
    ]
    lead = "If these questions brought up thoughts of harming yourself, you do not have to cope alone."
    told = words(f"If you told us of such thoughts: {page.closing}")
    contact = f"The study team: {study.office_phone}, {study.office_hours}."
    note = f"You may keep this page. Numbers and what happens next: approved wording, version {page.version}."
    return [words(page.heading, TITLE), words(lead), *calls, told, words(contact), words(note, SMALL)]


def questionnaire(pack: Pack, section: Section) -> list[Any]:
    """One questionnaire: its questions, or why they are not printed here."""
    found: list[Any] = [words(section.instrument.title, HEADING)]
    if section.wording is None:
        return [*found, words("Not printed: the study has not recorded its licence for this questionnaire.")]
    if not section.is_printed and not pack.is_annotated:
        text = f"Put the licensed copy of {section.instrument.short_title} here."
        return [*found, words(f"{text} Its questions are not printed in this pack.")]
    found.append(_day(section.annotation))
    if section.wording.stem:
        found.append(words(section.wording.stem))
    for items in _runs(section.instrument.items):
        found += _grid(section, items) if len(items) > 1 else [_alone(section, items[0])]
    return found


def _day(annotation: Annotation | None) -> Flowable:
    text = "Date on which you answered:  _____ / _____ / _________"
    if annotation is None:
        return words(text)
    return KeepTogether(
        [words(text, ITEM), words(f"{annotation.date} (day), {annotation.mode} (how)", NAME), Spacer(1, 3 * mm)]
    )


def _runs(items: Sequence[Item]) -> list[list[Item]]:
    """Neighbouring choices with the same answers form a grid; everything else stands alone."""
    runs: list[list[Item]] = []
    for item in items:
        fits = item.type == "choice" and len(item.options) <= MOST_IN_A_GRID
        before = runs[-1][-1] if runs else None
        if fits and before is not None and before.type == "choice" and before.options == item.options:
            runs[-1].append(item)
        else:
            runs.append([item])
    return runs


# -- questions


def _grid(section: Section, items: Sequence[Item]) -> list[Any]:
    options = items[0].options
    heads = [_option_words(section, items[0], one) for one in options]
    column = 19.5 * mm
    style = _fitting([*heads, DECLINED], column - 4)
    rows = [["", *[words(text, style) for text in (*heads, DECLINED)]]]
    for item in items:
        rows.append([_question(section, item), *[Box(code) for code in _codes(section, options)]])
    table = Table(rows, colWidths=[WIDTH - column * (len(options) + 1), *[column] * (len(options) + 1)], repeatRows=1)
    table.setStyle(_lines(len(rows)))
    table.spaceAfter = 5 * mm
    return [table]


def _fitting(texts: Sequence[str], width: float) -> ParagraphStyle:
    """The style of heads, smaller where a word would break."""
    longest = max(stringWidth(word, FONT, OPTION.fontSize) for text in texts for word in escaped(text).split() or [""])
    size = OPTION.fontSize * min(1.0, width / longest) if longest else OPTION.fontSize
    return ParagraphStyle("fitting", parent=OPTION, fontSize=size, leading=size * 1.2)


def _lines(n_rows: int) -> TableStyle:
    shades = [("BACKGROUND", (0, row), (-1, row), HexColor("#f0f4f5")) for row in range(2, n_rows, 2)]
    return TableStyle(
        [
            ("BACKGROUND", (0, 0), (-1, 0), white),
            *shades,
            ("LINEBELOW", (0, 0), (-1, -1), 0.6, GREY),
            ("LINEBELOW", (0, 0), (-1, 0), 1, INK),
            ("VALIGN", (0, 0), (-1, 0), "BOTTOM"),
            ("VALIGN", (0, 1), (-1, -1), "MIDDLE"),
            ("ALIGN", (1, 0), (-1, -1), "CENTER"),
            ("LEFTPADDING", (0, 0), (0, -1), 1),
            ("LEFTPADDING", (1, 0), (-1, -1), 1),
            ("RIGHTPADDING", (1, 0), (-1, -1), 1),
            ("TOPPADDING", (0, 1), (-1, -1), 4.5),
            ("BOTTOMPADDING", (0, 1), (-1, -1), 4.5),
        ]
    )


def _codes(section: Section, options: Sequence[Option]) -> list[str]:
    """What stands beneath each box: nothing, or the code of its answer and of "prefer not to answer"."""
    if section.annotation is None:
        return [""] * (len(options) + 1)
    return [*(str(one.value) for one in options), str(section.annotation.missing.get("RF", "RF"))]


def _question(section: Section, item: Item) -> list[Any]:
    text = section.wording.text(item) if section.wording else item.short
    found = [words(f"{item.number}. {text}", ITEM)]
    if section.annotation is not None:
        found.append(words(section.annotation.items.get(item.code, item.code), NAME))
    return found


def _option_words(section: Section, item: Item, option: Option) -> str:
    return section.wording.label(item, option.value) if section.wording else str(option.value)


def _alone(section: Section, item: Item) -> Flowable:
    if item.type == "choice":
        body = _choices(section, item)
    elif item.type == "scale":
        body = _scale(section, item)
    else:
        body = _number(section, item)
    return KeepTogether([*_question(section, item), Spacer(1, 2 * mm), *body])


def _choices(section: Section, item: Item) -> list[Any]:
    """One answer a line, its box in front."""
    texts = [*(_option_words(section, item, one) for one in item.options), DECLINED]
    rows = [[Box(code), words(text, ITEM)] for code, text in zip(_codes(section, item.options), texts, strict=True)]
    table = Table(rows, colWidths=[14 * mm, WIDTH - 14 * mm], hAlign="LEFT", spaceAfter=5 * mm)
    table.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "MIDDLE"), ("TOPPADDING", (0, 0), (-1, -1), 2)]))
    return [table]


def _number(section: Section, item: Item) -> list[Any]:
    unit = f" {item.unit}" if item.unit else ""
    line = f"____________{unit}"
    if section.annotation is None:
        declined = [Box(), words(DECLINED, ITEM)]
    else:
        declined = [Box(str(section.annotation.missing.get("RF", "RF"))), words(DECLINED, ITEM)]
        line = f"{line}   ({item.min} to {item.max})"
    table = Table(
        [[words(line, ITEM), *declined]], colWidths=[80 * mm, 14 * mm, 80 * mm], hAlign="LEFT", spaceAfter=5 * mm
    )
    table.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "MIDDLE")]))
    return [table]


def _scale(section: Section, item: Item) -> list[Any]:
    """Boxes from the lowest to the highest number, the ends in words."""
    values = list(range(item.min, item.max + 1))
    if len(values) > MOST_ON_A_LINE:
        return _number(section, item)
    column = WIDTH / (len(values) + 2)
    ends = [section.wording.label(item, value) if section.wording else str(value) for value in (values[0], values[-1])]
    heads = [words(str(value), OPTION) for value in values]
    codes = [str(value) for value in values] if section.annotation else [""] * len(values)
    declined = str(section.annotation.missing.get("RF", "RF")) if section.annotation else ""
    anchors = _anchors(ends, values)
    rows = [[*heads, words(DECLINED, OPTION)], [*(Box(code) for code in codes), Box(declined)]]
    table = Table(rows, colWidths=[*[column] * len(values), column * 2], hAlign="LEFT", spaceAfter=5 * mm)
    table.setStyle(TableStyle([("ALIGN", (0, 0), (-1, -1), "CENTER"), ("VALIGN", (0, 0), (-1, 0), "BOTTOM")]))
    return [*anchors, table]


MOST_ON_A_LINE = 11


def _anchors(ends: Sequence[str], values: Sequence[int]) -> list[Any]:
    if list(ends) == [str(values[0]), str(values[-1])]:
        return []
    return [words(f"{values[0]} is “{ends[0]}”, {values[-1]} is “{ends[1]}”.", ITEM)]
