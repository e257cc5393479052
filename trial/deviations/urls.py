"""Pages of deviations."""

from django.urls import path, re_path

from trial.deviations import views

app_name = "deviations"

urlpatterns = [
    path("deviations/", views.index, name="index"),
    path("deviations/<int:pk>/", views.detail, name="detail"),
    re_path(r"^people/(?P<number>[A-Z]{1,5}-[0-9-]{1,15})/deviation/$", views.record, name="record"),
]
