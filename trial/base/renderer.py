"""How every form is drawn: NHS.UK markup, error summary, the wrong box red and the right answers kept."""

from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.forms.renderers import TemplatesSetting

from trial.base.widgets import DatePartsInput
from trial.base.words import lower_first

_DJANGO_REQUIRED = str(forms.Field.default_error_messages["required"])

# Django's own radios and check boxes are drawn like ours.
_TEMPLATES = {
    "django/forms/widgets/radio.html": "forms/widgets/options.html",
    "django/forms/widgets/checkbox_select.html": "forms/widgets/options.html",
}
_KINDS: tuple[tuple[type[forms.Widget], str], ...] = (
    (DatePartsInput, "date"),
    (forms.CheckboxSelectMultiple, "options"),
    (forms.RadioSelect, "options"),
    (forms.CheckboxInput, "checkbox"),
    (forms.Select, "select"),
    (forms.Textarea, "textarea"),
    (forms.FileInput, "file"),
    (forms.PasswordInput, "password"),
)
_CLASSES = {
    "select": "nhsuk-select",
    "textarea": "nhsuk-textarea",
    "file": "nhsuk-file-upload",
    "password": "nhsuk-input nhsuk-password-input__input nhsuk-js-password-input-input",
    "checkbox": "nhsuk-checkboxes__input",
    "input": "nhsuk-input",
    "date": "nhsuk-input nhsuk-date-input__input",
}


class HedgerowBoundField(BoundField):
    """A field of a form as our templates need it. `kind` says which control it is."""

    def __init__(self, form: forms.BaseForm, field: forms.Field, name: str) -> None:
        super().__init__(form, field, name)
        widget = field.widget
        widget.template_name = _TEMPLATES.get(widget.template_name, widget.template_name)

    @property
    def kind(self) -> str:
        """ "input", "select", "textarea", "file", "password", "checkbox", "options" or "date"."""
        return next((kind for widget, kind in _KINDS if isinstance(self.field.widget, widget)), "input")

    @property
    def unit(self) -> str:
        """What is shown after the box."""
        return str(getattr(self.field, "unit", ""))

    @property
    def optional(self) -> bool:
        """True where the label says "Optional": not required, and the form does not turn it off."""
        return not self.field.required and bool(getattr(self.form, "mark_optional", True))

    @property
    def first_id(self) -> str:
        """The id that the error summary leads to: the first radio, check box or part of a date."""
        return f"{self.auto_id}_0" if self.kind in ("options", "date") else self.auto_id

    @property
    def wrong_parts(self) -> frozenset[str]:
        """The parts of a date to put right: those its errors name, or all of them."""
        if not self.form.is_bound or not isinstance(self.field.widget, DatePartsInput):
            return frozenset()
        found = self.form.errors.get(self.name)
        if not found:
            return frozenset()
        named = {part for error in found.as_data() for part in (error.params or {}).get("parts", ())}
        return frozenset(named or self.field.widget.parts)

    @property
    def messages(self) -> list[str]:
        """What to do about each error. Django's own "This field is required." says what, too."""
        return [
            self._what_to_do() if error.code == "required" and str(error.message) == _DJANGO_REQUIRED else str(message)
            for error, message in zip(self.errors.as_data(), self.errors, strict=True)
        ]

    def _what_to_do(self) -> str:
        label = str(self.label)
        if label.endswith("?"):
            return f"Answer the question: {label}"
        if self.kind == "checkbox":
            return f"Confirm: {label}"
        verb = "Select" if self.kind in ("options", "select") else "Enter"
        return f"{verb} {lower_first(label)}"

    def build_widget_attrs(self, attrs: dict[str, Any], widget: forms.Widget | None = None) -> dict[str, Any]:
        """Add our class. `required` is left to the server, which says what to do about it."""
        built: dict[str, Any] = super().build_widget_attrs(attrs, widget)
        built.pop("required", None)
        drawn = widget or self.field.widget
        if "placeholder" in drawn.attrs:
            built["placeholder"] = False  # a hint says it, and stays when one types
        if isinstance(drawn, DatePartsInput):
            drawn.wrong_parts = self.wrong_parts
        if not drawn.is_hidden and (classes := _CLASSES.get(self.kind)):
            wrong = self.errors and self.kind in ("input", "select", "textarea", "password")
            error = f" {classes.split()[0]}--error" if wrong else ""
            built["class"] = " ".join(filter(None, [classes + error, drawn.attrs.get("class", "")]))
        return built


class HedgerowRenderer(TemplatesSetting):
    """FORM_RENDERER: `{{ form }}` draws summary and fields, `{{ field.as_field_group }}` one field."""

    form_template_name = "forms/form.html"
    field_template_name = "forms/field.html"
    bound_field_class = HedgerowBoundField


def summary_of(*forms_shown: forms.BaseForm) -> list[tuple[str, str]]:
    """(id to lead to or "", message) for every error of the forms, in the order of their fields."""
    found: list[tuple[str, str]] = []
    for form in forms_shown:
        if not form.is_bound:
            continue
        found.extend(("", str(message)) for message in form.non_field_errors())
        for bound in form:
            target = "" if bound.is_hidden else getattr(bound, "first_id", bound.auto_id)
            found.extend((target, str(message)) for message in getattr(bound, "messages", bound.errors))
    return found
