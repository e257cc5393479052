"""Forms of queries and sign-off."""

from collections.abc import Iterable
from typing import Any

from django import forms

from trial.access.models import Site
from trial.base.fields import ChoiceField, TextField


class SiteFilter(forms.Form):
    """Whose queries are listed."""

    site = ChoiceField(label="Site", required=False, widget=forms.Select())
    mark_optional = False

    def __init__(self, sites: Iterable[Site], data: Any) -> None:
        super().__init__(data)
        self.fields["site"].choices = [("", "All my sites"), *((one.code, one.name) for one in sites)]  # type: ignore[attr-defined]


class QuestionForm(forms.Form):
    """A question about a stored value."""

    text = TextField(label="What do you want to know?", what="the question", rows=3, max_length=1000)


class AnswerForm(forms.Form):
    """A line in the thread of a query."""

    text = TextField(label="What did you find or decide?", what="what you found or decided", rows=3, max_length=1000)


class SignOffForm(forms.Form):
    """Password or code, entered again to sign (R-19)."""

    secret = TextField(
        label="Your password, or the code from your authenticator app",
        what="your password",
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
