"""Addresses of consent, of consent again, and of a site's green light; `trial.journey.urls` includes them."""

from django.urls import path, re_path

from trial.journey import (
    consent_views,
    consultee_views,
    econsent_views,
    given_views,
    green_light_views,
    reconsent_views,
)

CONSENT = r"^people/(?P<number>[A-Z]{1,5}-[0-9-]{1,15})/consent/"

urlpatterns = [
    re_path(CONSENT + r"$", consent_views.consent, name="consent"),
    re_path(CONSENT + r"screen/$", econsent_views.on_tablet, name="consent_on_tablet"),
    re_path(CONSENT + r"link/$", econsent_views.by_link, name="consent_by_link"),
    re_path(CONSENT + r"cancel/$", econsent_views.cancel, name="consent_cancel"),
    re_path(CONSENT + r"countersign/$", econsent_views.countersign, name="countersign"),
    re_path(CONSENT + r"given/$", given_views.given, name="consent_given"),
    re_path(CONSENT + r"consultee/$", consultee_views.advice, name="consultee"),
    re_path(CONSENT + r"copy/$", given_views.copy, name="consent_copy"),
    re_path(CONSENT + r"form/(?P<page>[0-9]{1,3})\.pdf$", given_views.form, name="consent_form"),
    re_path(CONSENT + r"scan/$", given_views.scan, name="consent_scan"),
    re_path(CONSENT + r"scan/(?P<page>[0-9]{1,3})/$", given_views.scan_file, name="consent_scan_file"),
    path("consents/", econsent_views.waiting, name="consents_waiting"),
    path("reconsent/", reconsent_views.worklist, name="reconsent"),
    path("green-light/", green_light_views.sites, name="green_lights"),
    path("green-light/<str:code>/", green_light_views.checklist, name="green_light"),
]
