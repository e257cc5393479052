"""Addresses of paper forms."""

from django.urls import path, re_path

from trial.paper import scan_views, views

app_name = "paper"
FORM = r"(?P<form>[a-z][a-z0-9_]{0,31})/"
VISIT = r"^people/(?P<number>[A-Z]{1,5}-[0-9-]{1,15})/(?P<visit>[A-Z][A-Z0-9_]{0,31})/"

urlpatterns = [
    path("crf/", views.index, name="index"),
    path("crf/blank.pdf", views.blank, name="blank"),
    re_path(VISIT + r"pack\.pdf$", views.labelled, name="labelled"),
    re_path(VISIT + FORM + r"scans/$", scan_views.scans, name="scans"),
    path("scans/<int:pk>/file/", scan_views.file, name="scan_file"),
    path("scans/<int:pk>/pages/<int:page>/", scan_views.picture, name="scan_picture"),
    path("scans/<int:pk>/strike/", scan_views.strike, name="strike_scan"),
]
