"""Pages about the life of a scheme."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
