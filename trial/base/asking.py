"""What our form fields share: messages built from the thing they ask for (ux.md section 5)."""

from collections.abc import Mapping
from typing import Any, NoReturn

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from trial.base.words import lower_first


def upper_first(text: str) -> str:
    """The text as the start of a sentence."""
    return text[:1].upper() + text[1:]


class Asks(forms.Field):
    """A field that knows the thing it asks for, in words."""

    verb = "Enter"
    article = ""

    def __init__(self, *, what: str = "", **kwargs: Any) -> None:
        self.what = what or str(kwargs.get("label") or "")
        given: Mapping[str, Any] = kwargs.get("error_messages") or {}
        kwargs["error_messages"] = {**self.messages(), **given}
        super().__init__(**kwargs)

    def messages(self) -> dict[str, Any]:
        """Messages by code, built from `what`."""
        if self.what.endswith("?"):
            return {"required": _("Answer the question: %s") % self.what}
        thing = lower_first(self.what) if self.what else "an answer"
        return {"required": f"{self.verb} {self.article}{thing}"}

    @property
    def subject(self) -> str:
        """The thing as the start of a sentence: "Date of consent"."""
        return upper_first(self.what.rstrip("?")) or str(_("This"))

    def wrong(self, text: str, code: str, *parts: str) -> NoReturn:
        """Refuse with a sentence about the thing. `parts` are the boxes to put right."""
        message = self.error_messages.get(code) or f"{self.subject} {text}"
        raise ValidationError(message, code=code, params={"parts": parts})
