"""Every page of the site: each feature by string, imported by none."""

from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("admin/", include("trial.operations.admin_urls")),
    path("", include("trial.access.urls")),
    path("", include("trial.protocol.urls")),
    path("", include("trial.consent.urls")),
    path("", include("trial.econsent.urls")),
    path("", include("trial.safety.urls")),
    path("", include("trial.deviations.urls")),
    path("", include("trial.claims.urls")),
    path("", include("trial.selfcompletion.urls")),  # before the forms: "link" is no form
    path("", include("trial.assessments.urls")),
    path("", include("trial.paper.urls")),
    path("", include("trial.allocation.urls")),
    path("", include("trial.activities.urls")),
    path("", include("trial.attendance.urls")),
    path("", include("trial.review.urls")),
    path("", include("trial.double_entry.urls")),
    path("", include("trial.interest.public_urls")),
    path("", include("trial.screening.urls")),
    path("", include("trial.referrals.urls")),
    path("people/interest/", include("trial.interest.urls")),
    path("", include("trial.journey.urls")),
    path("", include("trial.rights.urls")),
    path("", include("trial.locking.urls")),
    path("", include("trial.operations.urls")),
    path("", include("exports.urls")),
]
