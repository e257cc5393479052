"""The register on a phone, and sessions as tables."""

from django.urls import path

from trial.attendance import api, button_views, paper, session_views, views

app_name = "attendance"
urlpatterns = [
    path("register/", views.home, name="home"),
    path("register/paper/<int:session>.pdf", paper.sheet, name="paper"),
    path("register/<int:session>/", views.register, name="register"),
    path("register/<int:session>/mark/", views.mark, name="mark"),
    path("register/<int:session>/marks/", api.marks, name="marks"),
    path("register/<int:session>/everyone/", views.everyone, name="everyone"),
    path("register/<int:session>/risk-check/", button_views.risk_check, name="risk_check"),
    path("register/<int:session>/visitor/", button_views.visitor, name="visitor"),
    path("register/<int:session>/cancel/", button_views.cancel, name="cancel"),
    path("register/<int:session>/concern/", button_views.concern, name="concern"),
    path("register/<int:session>/finish/", views.finish, name="finish"),
    path("register/<int:session>/paper/", button_views.paper_entry, name="paper_entry"),
    path("register/<int:session>/<str:number>/emergency/", button_views.emergency, name="emergency"),
    path("register/<int:session>/<str:number>/", views.more, name="more"),
    path("sessions/", session_views.sessions, name="sessions"),
    path("sessions/<int:session>/", session_views.session, name="session"),
    path("sessions/<int:session>/cancel/", session_views.cancel, name="cancel_session"),
    path("sessions/<int:session>/move/", session_views.move, name="move_session"),
    path("sessions/<int:session>/decide/<str:number>/", session_views.decide, name="decide"),
]
