"""Addresses of the lock room."""

from django.urls import path

from trial.locking import views

app_name = "locking"

urlpatterns = [
    path("locks/", views.index, name="index"),
    path("locks/check/", views.check, name="check"),
    path("locks/cut/", views.cut, name="cut"),
    path("locks/ask/", views.ask, name="ask"),
    path("locks/<int:pk>/agree/", views.agree, name="agree"),
    path("locks/<int:pk>/refuse/", views.refuse, name="refuse"),
    path("locks/<int:pk>/unlock/", views.unlock, name="unlock"),
    path("locks/<int:pk>/agree-unlock/", views.agree_unlock, name="agree_unlock"),
    path("locks/<int:pk>/keep/", views.keep, name="keep"),
]
