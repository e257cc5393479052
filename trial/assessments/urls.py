"""Pages of questionnaires. Codes of visits are capitals, codes of forms small letters: other pages keep their words."""

from django.urls import path, re_path

from trial.assessments import licence_views, views, wording_views

app_name = "assessments"

FORM = r"^people/(?P<number>[A-Z]{1,5}-[0-9-]{1,15})/(?P<visit>[A-Z][A-Z0-9_]{0,31})/(?P<form>[a-z][a-z0-9_]{0,31})/"

urlpatterns = [
    re_path(FORM + r"$", views.form, name="form"),
    re_path(FORM + r"draft/$", views.draft, name="draft"),
    re_path(FORM + r"correct/$", views.correct, name="correct"),
    re_path(FORM + r"not-done/$", views.not_done, name="not_done"),
    re_path(FORM + r"support/$", views.support, name="support"),
    path("licences/", licence_views.licences, name="licences"),
    path("licences/<slug:code>/", licence_views.record, name="record_licence"),
    path("licences/<slug:code>/wording/", wording_views.wording, name="wording"),
]
