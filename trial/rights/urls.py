"""Addresses of requests about data, retention, redactions and breaches."""

from django.urls import path, re_path

from trial.rights import breach_views, disposal_views, request_views

app_name = "rights"
PERSON = r"^people/(?P<number>[A-Z]{1,5}-[0-9-]{1,15})/"

urlpatterns = [
    path("data-requests/", request_views.worklist, name="requests"),
    path("data-requests/<int:pk>/", request_views.detail, name="request"),
    path("data-requests/<int:pk>/extend/", request_views.extend, name="extend"),
    path("data-requests/<int:pk>/decide/", request_views.decide, name="decide"),
    path("data-requests/<int:pk>/lift/", request_views.lift, name="lift"),
    re_path(PERSON + r"data-request/$", request_views.new, name="new_request"),
    re_path(PERSON + r"data-copy/$", request_views.copy, name="copy"),
    re_path(PERSON + r"remove-text/$", disposal_views.redact, name="redact"),
    re_path(PERSON + r"disposal/$", disposal_views.ask, name="ask_disposal"),
    path("retention/", disposal_views.overview, name="retention"),
    path("retention/<int:pk>/", disposal_views.decide, name="decide_disposal"),
    path("retention/<int:pk>/certificate.pdf", disposal_views.certificate, name="certificate"),
    path("retention/<int:pk>/backups/", disposal_views.backups, name="backups"),
    path("breaches/", breach_views.index, name="breaches"),
    path("breaches/new/", breach_views.new, name="new_breach"),
    path("breaches/<int:pk>/", breach_views.detail, name="breach"),
    path("breaches/<int:pk>/risk/", breach_views.risk, name="breach_risk"),
    path("breaches/<int:pk>/ico/", breach_views.ico, name="breach_ico"),
    path("breaches/<int:pk>/people/", breach_views.people, name="breach_people"),
    path("breaches/<int:pk>/close/", breach_views.close, name="breach_close"),
    path("breaches/<int:pk>/note/", breach_views.note, name="breach_note"),
]
