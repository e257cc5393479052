"""Addresses of messages back."""

from django.urls import path, re_path

from trial.referrals import views

app_name = "referrals"

urlpatterns = [
    path("messages-back/", views.worklist, name="worklist"),
    path("messages-back/schema.json", views.schema, name="schema"),
    path("messages-back/<int:pk>/", views.message, name="message"),
    path("messages-back/<int:pk>/letter.pdf", views.letter, name="letter"),
    path("messages-back/<int:pk>/message.json", views.structured, name="structured"),
    re_path(r"^people/(?P<number>[A-Z]{1,5}-[0-9-]{1,15})/message-for-safety/$", views.safety, name="safety"),
]
