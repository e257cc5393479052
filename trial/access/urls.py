"""Addresses of accounts, sites, the delegation log and drafts."""

from django.urls import path, re_path

from trial.access import delegation_views, draft_views, site_views, views

app_name = "access"

urlpatterns = [
    path("settings/people/", views.people, name="people"),
    path("settings/people/new/", views.new_person, name="new_person"),
    path("settings/people/<int:pk>/", views.person, name="person"),
    path("settings/people/<int:pk>/account/", views.account_state, name="account_state"),
    path("settings/people/<int:pk>/invitation/", views.invite_again, name="invite_again"),
    path("settings/people/<int:pk>/roles/new/", views.new_role, name="new_role"),
    path("settings/people/<int:pk>/roles/<int:role>/end/", views.end_role, name="end_role"),
    path("settings/sites/", site_views.sites, name="sites"),
    re_path(r"^settings/sites/(?P<code>[0-9]{2})/$", site_views.site, name="site"),
    path("delegation/", delegation_views.delegation_log, name="delegation"),
    path("delegation/new/", delegation_views.new_delegation, name="new_delegation"),
    path("delegation/<int:pk>/sign/", delegation_views.sign_delegation, name="sign_delegation"),
    path("delegation/<int:pk>/end/", delegation_views.end_delegation, name="end_delegation"),
    path("drafts/", draft_views.keep, name="keep_draft"),
    path("drafts/forget/", draft_views.forget, name="forget_draft"),
]
