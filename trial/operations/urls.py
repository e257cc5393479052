"""Addresses of the system's own pages. No namespace: every template names help, accessibility and privacy."""

from django.urls import path

from trial.operations import public_views, views

urlpatterns = [
    path("healthz", public_views.healthz, name="healthz"),
    path("readyz", public_views.readyz, name="readyz"),
    path("help/", public_views.help_page, name="help"),
    path("accessibility/", public_views.accessibility, name="accessibility"),
    path("privacy/", public_views.privacy, name="privacy"),
    path("settings/", views.home, name="settings"),
    path("settings/messages/", views.message_list, name="messages"),
    path("settings/messages/<int:pk>/again/", views.send_again, name="send_again"),
]
