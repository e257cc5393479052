"""Addresses of the screening log."""

from django.urls import path

from trial.screening import views

app_name = "screening"

urlpatterns = [
    path("screening-log/", views.screening_log, name="log"),
    path("screening-log/rows.csv", views.screening_log_file, name="log_file"),
]
