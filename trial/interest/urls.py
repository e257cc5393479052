"""Addresses of expressions of interest."""

from django.urls import path

from trial.interest import views

app_name = "interest"

urlpatterns = [
    path("", views.entries, name="entries"),
    path("<int:pk>/", views.entry, name="entry"),
    path("sources/", views.sources, name="sources"),
    path("sources/<int:pk>/close/", views.close_source, name="close_source"),
    path("sources/<int:pk>/poster.pdf", views.poster_file, name="poster"),
]
