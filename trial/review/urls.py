"""Addresses of queries and sign-off."""

from django.urls import path, re_path

from trial.review import views

app_name = "review"
PERSON = r"^people/(?P<number>[A-Z]{1,5}-[0-9-]{1,15})/"

urlpatterns = [
    path("queries/", views.index, name="index"),
    path("queries/<int:pk>/", views.detail, name="detail"),
    re_path(PERSON + r"sign-off/$", views.sign_off, name="sign_off"),
    re_path(PERSON + r"(?P<visit>[A-Z0-9_]{1,10})/(?P<form>[a-z0-9_]{1,40})/query/$", views.ask, name="ask"),
]
