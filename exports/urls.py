"""Addresses of releases, the codebook and the unblinding."""

from django.urls import path

from exports import codebook_views, crf_views, report_views, unblinding_views, views

app_name = "exports"

urlpatterns = [
    path("releases/", views.index, name="index"),
    path("releases/new/", views.new, name="new"),
    path("releases/unblinding/", unblinding_views.index, name="unblinding"),
    path("releases/unblinding/ask/", unblinding_views.ask, name="ask_unblinding"),
    path("releases/unblinding/<int:pk>/agree/", unblinding_views.agree, name="agree_unblinding"),
    path("releases/data/<slug:code>/", views.store, name="store"),
    path("releases/<int:pk>/", views.detail, name="detail"),
    path("releases/<int:pk>/download/", views.download, name="download"),
    path("releases/<int:pk>/downloads/", views.downloads, name="downloads"),
    path("releases/<int:pk>/rebuild/", views.rebuild, name="rebuild"),
    path("releases/<int:pk>/changes.txt", views.changes_text, name="changes_text"),
    path("releases/<int:pk>/changes/<slug:table>/", views.changes, name="changes"),
    path("reports/referral-models/", report_views.referral_model, name="referral_model"),
    path("reports/referral-models/figures.csv", report_views.referral_model_file, name="referral_model_file"),
    path("codebook/", codebook_views.index, name="codebook"),
    path("crf/annotated.pdf", crf_views.annotated, name="annotated_crf"),
]
