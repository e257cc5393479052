"""Pages of the safety feature."""

from django.urls import path

from trial.safety import views

app_name = "safety"

urlpatterns = [
    path("safety/", views.home, name="home"),
    path("safety/alerts/", views.alerts, name="alerts"),
    path("safety/alerts/<int:pk>/", views.alert, name="alert"),
    path("safety/alerts/<int:pk>/acknowledge/", views.acknowledge, name="acknowledge"),
    path("safety/alerts/<int:pk>/close/", views.close, name="close"),
    path("safety/alerts/<int:pk>/contact/", views.contact, name="contact"),
    path("safety/events/", views.events, name="events"),
    path("safety/events/<int:pk>/", views.event, name="event"),
    path("safety/events/<int:pk>/change/", views.change_event, name="change_event"),
    path("safety/events/<int:pk>/review/", views.review_event, name="review_event"),
    path("people/<str:number>/adverse-event/", views.report_event, name="report_event"),
]
