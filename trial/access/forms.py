"""Forms about accounts, roles, duties and sites: they read and validate, they do not save."""

from collections.abc import Iterable
from typing import Any

from django import forms

from trial.access.models import Duty, Site, User
from trial.access.policy import POLICY, Role
from trial.base.fields import ChoiceField, DateField, TextField, YesNoField

ALL_SITES = "all"


def reason_field(label: str) -> TextField:
    """Why something stored is changed (BR-63)."""
    return TextField(label=label, what="why you are changing this", max_length=200)


class InviteForm(forms.Form):
    """Who gets an account."""

    name = TextField(label="First and last name", max_length=150, help_text="As the person signs")
    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        help_text="The person's own. It is what they sign in with",
        error_messages={
            "required": "Enter the e-mail address",
            "invalid": "Enter an e-mail address, like name@example.org",
            "max_length": "E-mail address must be 254 characters or fewer",
        },
    )


class RoleForm(forms.Form):
    """A role for somebody, with its dates."""

    role = ChoiceField(label="Role", choices=Role.choices, widget=forms.Select())
    site = ChoiceField(label="Where?", what="where the role is held")
    from_date = DateField(label="First day", quick=False)
    to_date = DateField(label="Last day", required=False, help_text="Leave empty if it does not end yet")
    blinded = YesNoField(
        label="Blinded?",
        what="whether the person is blinded",
        required=False,
        help_text="Needed for investigators, trial managers and monitors. Other roles are as the policy says",
    )
    training_date = DateField(label="Date of training", required=False, not_in_future=True)

    def __init__(self, sites: Iterable[Site], data: Any = None, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        self.sites = {str(site.pk): site for site in sites}
        role = self.fields["role"]
        role.choices = [("", ""), *Role.choices]  # type: ignore[attr-defined]
        where = [(key, site.name) for key, site in self.sites.items()]
        self.fields["site"].choices = [*where, (ALL_SITES, "All sites")]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Put what does not fit beside the question it is about."""
        data = super().clean() or {}
        role, site = data.get("role"), data.get("site")
        if not role:
            return data
        per_site = POLICY[Role(role)].per_site
        if site and per_site == (site == ALL_SITES):
            where = "Select the site: this role is held at one site" if per_site else "Select all sites for this role"
            self.add_error("site", where)
        if POLICY[Role(role)].blinded is None and data.get("blinded") is None:
            self.add_error("blinded", "Select yes or no: the study decides it for each person in this role")
        return data

    def assignment(self) -> dict[str, Any]:
        """What grant_role() takes."""
        data = self.cleaned_data
        return {
            "role": Role(data["role"]),
            "site": self.sites.get(data["site"]),
            **{name: data[name] for name in ("from_date", "to_date", "blinded", "training_date")},
        }


class EndForm(forms.Form):
    """The last day of a role or a duty, and why it ends."""

    last_day = DateField(label="Last day", quick=True, help_text="The day itself still counts")
    reason = reason_field("Why does it end?")


class AccountForm(forms.Form):
    """Why an account is disabled or enabled."""

    reason = reason_field("Why?")


class SiteForm(forms.Form):
    """Whether a site recruits."""

    paused = YesNoField(label="Pause recruitment?", what="pausing recruitment")
    closed_date = DateField(
        label="Last day of recruitment", required=False, help_text="Leave empty while it is not decided"
    )
    reason = reason_field("Why are you changing this?")
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)


def secret_field() -> TextField:
    """Password or code, entered again to sign (R-19)."""
    return TextField(
        label="Your password, or the code from your authenticator app",
        what="your password",
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class SignLineForm(forms.Form):
    """Sign a line that somebody prepared."""

    secret = secret_field()


class DelegationForm(forms.Form):
    """A line of a site's delegation log."""

    site = ChoiceField(label="Site")
    user = ChoiceField(label="Person", widget=forms.Select())
    duty = ChoiceField(label="Duty", choices=Duty.choices)
    from_date = DateField(label="First day", quick=True)
    to_date = DateField(label="Last day", required=False, help_text="Leave empty if it does not end yet")
    training_evidence = TextField(
        label="Training evidence", max_length=200, help_text="For example, GCP certificate and consent training"
    )
    training_date = DateField(label="Date of training", not_in_future=True)
    training_expires_date = DateField(
        label="Last day on which the evidence counts", required=False, help_text="Leave empty if it does not run out"
    )

    def __init__(self, sites: Iterable[Site], people: Iterable[User], signs: bool, data: Any = None) -> None:
        super().__init__(data)
        if signs:
            self.fields["secret"] = secret_field()
        self.sites = {str(site.pk): site for site in sites}
        self.people = {str(person.pk): person for person in people}
        choices = [(key, site.name) for key, site in self.sites.items()]
        self.fields["site"].choices = choices  # type: ignore[attr-defined]
        names = [(key, person.name) for key, person in self.people.items()]
        self.fields["user"].choices = [("", ""), *names]  # type: ignore[attr-defined]

    def line(self) -> dict[str, Any]:
        """What delegate() takes."""
        data = dict(self.cleaned_data)
        data["site"], data["user"] = self.sites[data["site"]], self.people[data["user"]]
        data["duty"] = Duty(data["duty"])
        data.pop("secret", None)
        return data
