"""Pages about exceptions, code breaks and envelopes."""

from django.urls import URLPattern, path, re_path

from trial.allocation.exceptions import (
    asking_views,
    code_break_views,
    envelope_views,
    guess_views,
    late_views,
    log_views,
)

RECORD = r"^people/(?P<number>[A-Z]{1,5}-[0-9-]{1,15})/"
PERSON = f"{RECORD}randomisation/"

urlpatterns: list[URLPattern] = [
    re_path(PERSON + r"$", asking_views.overview, name="exceptions"),
    re_path(PERSON + r"flag/$", asking_views.flag, name="flag"),
    re_path(PERSON + r"twice/$", asking_views.duplicate, name="duplicate"),
    re_path(PERSON + r"values/$", asking_views.correction, name="correction"),
    re_path(PERSON + r"code-break/$", asking_views.code_break, name="ask_code_break"),
    re_path(PERSON + r"envelope/$", late_views.enter_envelope, name="enter_envelope"),
    re_path(PERSON + r"recover/$", late_views.recover, name="recover"),
    re_path(RECORD + r"guess/$", guess_views.guess, name="guess"),
    path("randomisation/envelopes/", envelope_views.index, name="envelopes"),
    path("randomisation/envelopes/enter/", late_views.choose_envelope, name="choose_envelope"),
    path("randomisation/envelopes/<int:pk>/print/", envelope_views.print_once, name="print_envelopes"),
    path("randomisation/envelopes/<int:pk>/count/", envelope_views.count, name="count_envelopes"),
    path("randomisation/recover/", late_views.choose_recovery, name="choose_recovery"),
    path("randomisation/code-breaks/", code_break_views.index, name="code_breaks"),
    path("randomisation/code-breaks/ask/", code_break_views.find, name="find_code_break"),
    path("randomisation/code-breaks/<int:pk>/", code_break_views.show, name="code_break"),
    path("randomisation/exceptions/", log_views.index, name="exceptions_log"),
    path("randomisation/error/", log_views.system_error, name="system_error"),
]
