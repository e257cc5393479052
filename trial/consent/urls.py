"""Addresses of approved documents."""

from django.urls import include, path

from trial.consent import document_views

documents = [
    path("documents/", document_views.index, name="documents"),
    path("documents/new/", document_views.new, name="new"),
    path("documents/<int:pk>/", document_views.detail, name="detail"),
    path("documents/<int:pk>/file.pdf", document_views.file, name="file"),
    path("documents/<int:pk>/sites/<str:code>/", document_views.dates, name="dates"),
]

urlpatterns = [
    path("", include((documents, "documents"))),
]
