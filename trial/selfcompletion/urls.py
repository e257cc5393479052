"""Addresses for participants, and the coordinator's page of one visit's links. No namespace: PUBLIC lists the names."""

from django.urls import path, re_path

from trial.selfcompletion import staff_views, views

urlpatterns = [
    path("q/", views.start, name="q_none"),
    path("q/<str:token>/", views.start, name="q_start"),
    path("questions/", views.go_on, name="q_next"),
    path("questions/check/", views.check, name="q_check"),
    path("questions/answers/", views.answers, name="q_answers"),
    path("questions/saved/", views.saved, name="q_saved"),
    path("questions/sent/", views.sent, name="q_sent"),
    path("questions/sent/support/", views.support_sent, name="q_support_sent"),
    path("questions/<int:part>/<int:item>/", views.question, name="q_question"),
    path("questions/<int:part>/<int:item>/support/", views.support, name="q_support"),
    re_path(
        r"^people/(?P<number>[A-Z]{1,5}-[0-9-]{1,15})/(?P<visit>[A-Z][A-Z0-9_]{0,31})/link/$",
        staff_views.link,
        name="questionnaire_link",
    ),
]
