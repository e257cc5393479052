"""Address of the protocol in force."""

from django.urls import path

from trial.protocol import views

app_name = "protocol"

urlpatterns = [path("protocol/", views.protocol, name="protocol")]
