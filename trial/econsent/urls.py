"""Addresses of the consent pages for participants. No namespace: PUBLIC lists the names."""

from django.urls import path

from trial.econsent import verify_views, views

urlpatterns = [
    path("c/", views.start, name="c_none"),
    path("c/<str:token>/", views.start, name="c_start"),
    path("consent/check/", views.check, name="c_check"),
    path("consent/sheet/", views.sheet, name="c_sheet"),
    path("consent/document/<str:kind>.pdf", views.document, name="c_document"),
    path("consent/statements/", views.statements, name="c_statements"),
    path("consent/signature/", views.signature, name="c_signature"),
    path("consent/certify/", views.certify, name="c_certify"),
    path("consent/done/", views.done, name="c_done"),
    path("consent/declined/", views.declined, name="c_declined"),
    path("consent/hand-back/", views.hand_back, name="c_hand_back"),
    path("consent/copy/", views.copy, name="c_copy"),
    path("consent/verify/", verify_views.verify, name="consent_verify"),
]
