"""Forms of the lock room: they read and validate, they do not save."""

from django import forms

from trial.base.fields import DateField, TextField


def reason_field(label: str) -> TextField:
    """Why, kept with the lock."""
    return TextField(label=label, what="the reason", rows=3, max_length=300)


def last_day_field() -> DateField:
    """The last day whose data are in a cut or lock."""
    return DateField(
        label="Last day of the data",
        what="last day of the data",
        help_text="Answers, events and changes after this day are left out",
        not_in_future=True,
        quick=True,
    )


def secret_field() -> TextField:
    """Password or code, entered again to sign (R-19)."""
    return TextField(
        label="Your password, or the code from your authenticator app",
        what="your password or code",
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class CutForm(forms.Form):
    """A data cut."""

    name = TextField(label="Name of the cut", max_length=100, help_text="For example, DMC meeting May 2026")
    reason = reason_field("What is it for?")
    data_through = last_day_field()


class AskForm(forms.Form):
    """A final lock asked for."""

    reason = reason_field("What is the lock for?")
    data_through = last_day_field()
    secret = secret_field()


class SignForm(forms.Form):
    """Agreement."""

    secret = secret_field()


class RefuseForm(forms.Form):
    """No agreement."""

    reason = reason_field("Why not?")


class UnlockForm(forms.Form):
    """An unlock asked for."""

    reason = reason_field("Why must it be unlocked?")
    secret = secret_field()
