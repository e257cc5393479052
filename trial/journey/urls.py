"""Addresses of the journey: the steps first, then the pages about people."""

from django.urls import path, re_path

from trial.journey import (
    allocation_views,
    batch_views,
    certificate_views,
    eligibility_views,
    household_views,
    import_views,
    interest_views,
    participation_views,
    randomise_views,
    referral_record_views,
    referral_views,
    scheme_views,
)
from trial.journey.consent_urls import urlpatterns as consents
from trial.journey.page_urls import urlpatterns as pages

app_name = "journey"
PERSON = r"^people/(?P<number>[A-Z]{1,5}-[0-9-]{1,15})/"

urlpatterns = [
    path("people/new/", referral_views.refer, name="refer"),
    path("people/interest/<int:pk>/refer/", interest_views.refer_interest, name="refer_interest"),
    path("people/import/", import_views.upload, name="import_new"),
    path("people/import/template.csv", import_views.template, name="import_template"),
    path("people/import/<int:pk>/", import_views.report, name="import"),
    path("people/import/<int:pk>/refused.csv", import_views.refused, name="import_refused"),
    path("people/import/<int:pk>/lines.csv", import_views.lines, name="import_lines"),
    re_path(PERSON + r"referral/$", referral_record_views.referral, name="referral"),
    re_path(PERSON + r"referral/change/$", referral_record_views.change_referral, name="change_referral"),
    re_path(PERSON + r"schemes/$", scheme_views.index, name="schemes"),
    re_path(PERSON + r"schemes/(?P<scheme>[a-z0-9-]{1,32})/$", scheme_views.randomise, name="randomise_into"),
    path("people/households/", household_views.index, name="households"),
    path("people/households/new/", household_views.make, name="make_household"),
    re_path(r"^people/households/(?P<code>[A-Za-z0-9-]{1,20})/$", household_views.detail, name="household"),
    re_path(
        r"^people/households/(?P<code>[A-Za-z0-9-]{1,20})/randomise/$",
        household_views.randomise,
        name="randomise_household",
    ),
    path("randomisation/batch/", batch_views.randomise, name="randomise_batch"),
    re_path(r"^randomisation/batch/(?P<code>[A-Za-z0-9][A-Za-z0-9._-]{0,39})/$", batch_views.result, name="batch"),
    re_path(PERSON + r"contact/$", referral_views.contact, name="contact"),
    re_path(PERSON + r"information/$", referral_views.information, name="information"),
    re_path(
        PERSON + r"close/(?P<how>declined|not-eligible|not-contactable|screen-failed|left)/$",
        referral_views.close,
        name="close",
    ),
    *consents,
    re_path(PERSON + r"screening/$", eligibility_views.eligibility, name="eligibility"),
    re_path(PERSON + r"screening/sign/$", eligibility_views.sign_eligibility, name="sign_eligibility"),
    re_path(PERSON + r"randomise/$", randomise_views.randomise, name="randomise"),
    re_path(PERSON + r"allocation/$", allocation_views.allocation_result, name="allocation"),
    re_path(
        PERSON + r"allocation/certificate/$", certificate_views.allocation_certificate, name="allocation_certificate"
    ),
    re_path(PERSON + r"unblinding/$", allocation_views.report_unblinding, name="report_unblinding"),
    re_path(PERSON + r"participation/$", participation_views.participation, name="participation"),
    re_path(
        PERSON + r"participation/(?P<change>[0-9]{1,9})/letter/$",
        participation_views.participation_letter,
        name="participation_letter",
    ),
    re_path(PERSON + r"entered-in-error/$", participation_views.ask_reversal, name="ask_reversal"),
    re_path(PERSON + r"ended-early/$", participation_views.confirm_end, name="confirm_end"),
    re_path(PERSON + r"entered-in-error/approve/$", participation_views.approve_reversal, name="approve_reversal"),
    re_path(PERSON + r"details/$", referral_views.change_identity, name="change_identity"),
    *pages,
]
