"""What the frame of a page links to, without the features."""

from django.urls import include, path

urlpatterns = [path("accounts/", include("allauth.urls"))]
