"""The public form and those of the coordinators: they read and validate, they do not save."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from trial.access.models import Site
from trial.base.fields import ChoiceField, TextField
from trial.base.widgets import CheckBoxes
from trial.interest.actions import Left
from trial.interest.models import Interest
from trial.participants.choices import ReferralModel, SourceType

TIMES = [("morning", _("Mornings")), ("afternoon", _("Afternoons")), ("evening", _("Early evenings"))]


class InterestForm(forms.Form):
    """A name, one way to be reached, times, and that we may call. No health, no free text."""

    name = TextField(label=_("Your name"), what="your name", max_length=120)
    phone = TextField(label=_("Telephone"), max_length=30, required=False)
    email = forms.EmailField(
        label=_("E-mail address"),
        required=False,
        max_length=120,
        error_messages={"invalid": _("Enter an e-mail address, like name@example.org")},
    )
    times = forms.MultipleChoiceField(
        label=_("When is a good time to call?"), choices=TIMES, required=False, widget=CheckBoxes()
    )
    consent = forms.BooleanField(
        label=_("The study team may contact me about this study"),
        error_messages={"required": _("Tick the box if we may contact you")},
    )
    website = forms.CharField(required=False, max_length=200, label="Website")

    mark_optional = False

    def clean_phone(self) -> str:
        """A telephone number of 9 to 15 digits."""
        typed = str(self.cleaned_data["phone"] or "").strip()
        digits = [c for c in typed if c.isdigit()]
        if typed and not (9 <= len(digits) <= 15 and all(c.isdigit() or c in " +()-" for c in typed)):
            raise forms.ValidationError(_("Enter a telephone number, like 01632 960 001"))
        return typed

    def clean(self) -> None:
        """One way to be reached, and only one: we keep no more than we need."""
        data = self.cleaned_data
        if self.errors.keys() & {"phone", "email"}:
            return
        if not data.get("phone") and not data.get("email"):
            self.add_error("phone", _("Enter a telephone number or an e-mail address"))
        elif data.get("phone") and data.get("email"):
            self.add_error("email", _("Leave either the telephone number or the e-mail address blank"))

    @property
    def is_trapped(self) -> bool:
        """Whether the box that people do not see was filled in."""
        return bool(self.data.get("website"))

    def left(self) -> Left:
        """What the person left."""
        data = self.cleaned_data
        return Left(data["name"].strip(), data["phone"], data["email"], tuple(data["times"]))


class SourceForm(forms.Form):
    """A new place for a poster or a link."""

    name = TextField(label="Where will it be?", what="where it will be", max_length=120)
    source_type = ChoiceField(label="Who is it shown by?", choices=SourceType.choices)
    referral_model = ChoiceField(label="How do people come to us from there?", choices=ReferralModel.choices)

    def __init__(self, sites: Iterable[Site], data: Any = None) -> None:
        super().__init__(data)
        self.sites = {str(site.pk): site for site in sites}
        if len(self.sites) > 1:
            listed = [(key, site.name) for key, site in self.sites.items()]
            self.fields["site"] = ChoiceField(label="Site", choices=listed)
            self.order_fields(["site"])

    def site(self) -> Site:
        """The chosen site, or the only one."""
        return self.sites[self.cleaned_data["site"]] if "site" in self.fields else next(iter(self.sites.values()))


class CloseForm(forms.Form):
    """Why an entry is closed."""

    reason = ChoiceField(label="Why?", what="why you are closing it", choices=Interest.Reason.choices)
