"""Addresses of the pages about people, the homes and the audit trail; `trial.journey.urls` includes them."""

from django.urls import path, re_path

from trial.journey import audit_views, history_views, home_views, people_views, record_views

RECORD = r"^people/(?P<number>[A-Z]{1,5}-[0-9-]{1,15})/"

urlpatterns = [
    path("", home_views.tasks, name="tasks"),
    path("home/", home_views.home, name="home"),
    path("no-role/", home_views.no_role, name="no_role"),
    path("overview/", home_views.overview, name="overview"),
    path("data/", home_views.data, name="data"),
    path("monitor/", home_views.monitoring, name="monitoring"),
    path("people/", people_views.people, name="people"),
    re_path(RECORD + r"$", record_views.record, name="record"),
    re_path(RECORD + r"contact-details/$", record_views.contact_details, name="contact_details"),
    re_path(RECORD + r"history/$", history_views.record_history, name="record_history"),
    re_path(
        RECORD + r"(?P<visit>[A-Z][A-Z0-9_]{0,31})/(?P<form>[a-z][a-z0-9_]{0,31})/history/$",
        history_views.form_history,
        name="form_history",
    ),
    path("audit/", audit_views.audit, name="audit"),
    path("audit/access/", audit_views.access_log, name="access_log"),
    path("audit/check/", audit_views.check, name="audit_check"),
]
