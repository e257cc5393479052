"""Pages about tests, reports and the reveal."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
