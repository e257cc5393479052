"""Addresses of double entry, beside those of the form itself."""

from django.urls import path, re_path

from trial.double_entry import views

app_name = "double_entry"

FORM = r"^people/(?P<number>[A-Z]{1,5}-[0-9-]{1,15})/(?P<visit>[A-Z][A-Z0-9_]{0,31})/(?P<form>[a-z][a-z0-9_]{0,31})/"

urlpatterns = [
    path("double-entry/", views.index, name="index"),
    re_path(FORM + r"second/$", views.enter, name="enter"),
    re_path(FORM + r"second/draft/$", views.draft, name="draft"),
    re_path(FORM + r"second/support/$", views.support, name="support"),
    re_path(FORM + r"second/differences/$", views.differences, name="differences"),
]
