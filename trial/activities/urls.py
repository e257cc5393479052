"""Groups and their members."""

from django.urls import path

from trial.activities import views

app_name = "activities"
urlpatterns = [
    path("groups/", views.groups, name="groups"),
    path("groups/new/", views.new_group, name="new_group"),
    path("groups/<int:pk>/", views.group, name="group"),
    path("groups/<int:pk>/add/", views.add_member, name="add_member"),
    path("groups/members/<int:pk>/move/", views.move_member, name="move_member"),
    path("groups/members/<int:pk>/end/", views.end_membership, name="end_membership"),
    path("people/<str:number>/group/", views.place, name="place"),
]
