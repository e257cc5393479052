"""Addresses of vouchers and travel claims."""

from django.urls import path, re_path

from trial.claims import views

app_name = "claims"

urlpatterns = [
    path("claims/", views.totals, name="totals"),
    re_path(r"^claims/(?P<pk>[0-9]{1,18})/(?P<step>approve|pay|decline)/$", views.move, name="move"),
    re_path(r"^people/(?P<number>[A-Z]{1,5}-[0-9-]{1,15})/claims/$", views.of_person, name="of_person"),
]
