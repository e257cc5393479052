"""Addresses of paper forms."""

from django.urls import path, re_path

from trial.paper import views

app_name = "paper"
VISIT = r"^people/(?P<number>[A-Z]{1,5}-[0-9-]{1,15})/(?P<visit>[A-Z][A-Z0-9_]{0,31})/"

urlpatterns = [
    path("crf/", views.index, name="index"),
    path("crf/blank.pdf", views.blank, name="blank"),
    re_path(VISIT + r"pack\.pdf$", views.labelled, name="labelled"),
]
