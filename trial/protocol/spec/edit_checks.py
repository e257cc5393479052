"""Edit checks across forms and dates, as data: two operands, a comparison, a sentence (R-10)."""

from typing import Annotated, Literal

from pydantic import Field

from trial.protocol.spec.fields import Code, Line, Name, Part

DayName = Literal["completed", "consented", "randomised", "opens", "closes"]


class Operand(Part):
    """One side of a comparison: exactly one of `value`, `item`, `score` and `day`, moved by `plus` points or days.

    `form` and `visit` say where an item, a score or the day `completed` stands; left out, it is the form that is
    being saved, or its visit. `day` is when a form was completed, when the person consented or was randomised, or
    the first or last day of the visit's window.
    """

    value: Annotated[int, Field(ge=-1_000_000, le=1_000_000)] | None = None
    item: Name | None = None
    score: Name | None = None
    day: DayName | None = None
    form: Name | None = None
    visit: Code | None = None
    plus: Annotated[int, Field(ge=-100_000, le=100_000)] = 0

    @property
    def kinds(self) -> list[str]:
        """Which of the four are said; a usable operand says one."""
        return [name for name in ("value", "item", "score", "day") if getattr(self, name) is not None]

    @property
    def is_day(self) -> bool:
        """Whether it is a date rather than a number."""
        return self.day is not None


class Comparison(Part):
    """`left op right`. Where either side is not known yet, nothing can be said and no check fires."""

    left: Operand
    op: Literal["==", "!=", "<", "<=", ">", ">="]
    right: Operand


class EditCheck(Part):
    """Something that must be so (`hard`), or is nearly always so (`soft`), whenever the form is completed.

    Attributes:
        visits: where it is asked; empty for every visit of the form.
        when: the check is asked only where this is so.
        rule: what must be so.
        at: the item at which it is said; left out, beside the date on which the form was completed.
        message: what to do ("The days off must be at least the nights in hospital").
    """

    code: Code
    form: Name
    visits: tuple[Code, ...] = ()
    severity: Literal["hard", "soft"]
    when: Comparison | None = None
    rule: Comparison
    at: Name | None = None
    message: Line
