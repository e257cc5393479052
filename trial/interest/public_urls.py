"""Addresses that anyone may open: one for each source."""

from django.urls import re_path

from trial.interest import public_views

urlpatterns = [
    re_path(r"^interest/(?P<source>[a-z0-9]{4,12})/$", public_views.leave, name="interest"),
    re_path(r"^interest/(?P<source>[a-z0-9]{4,12})/thanks/$", public_views.thanks, name="interest_thanks"),
]
