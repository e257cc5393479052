"""Pages about exceptions, code breaks and envelopes."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
