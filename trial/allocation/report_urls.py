"""Pages about reports, acceptance tests and the reveal."""

from django.urls import URLPattern, path

from trial.allocation.acceptance import views as acceptance
from trial.allocation.reports import inspection_views, reveal_views, statement_views

_OF_SCHEME = "randomisation/schemes/<slug:scheme>/"

urlpatterns: list[URLPattern] = [
    path("randomisation/acceptance/<int:pk>/", acceptance.detail, name="acceptance_test"),
    path("randomisation/acceptance/<int:pk>/sign/", acceptance.sign, name="sign_acceptance"),
    path("randomisation/acceptance/<int:pk>/report.pdf", acceptance.report_pdf, name="acceptance_report"),
    path("randomisation/acceptance/<int:pk>/restricted.pdf", acceptance.full_pdf, name="acceptance_full"),
    path("randomisation/hedgerow-verify.pyz", reveal_views.verifier, name="verifier"),
    path(f"{_OF_SCHEME}acceptance/", acceptance.index, name="acceptance"),
    path(f"{_OF_SCHEME}acceptance/run/", acceptance.run, name="run_acceptance"),
    path(f"{_OF_SCHEME}statement/", statement_views.page, name="statement"),
    path(f"{_OF_SCHEME}statement.txt", statement_views.plain, name="statement_text"),
    path(f"{_OF_SCHEME}statement.pdf", statement_views.printed, name="statement_pdf"),
    path(f"{_OF_SCHEME}inspection/", inspection_views.page, name="inspection"),
    path(f"{_OF_SCHEME}inspection/pack/", inspection_views.download, name="inspection_pack"),
    path(f"{_OF_SCHEME}reveal/", reveal_views.index, name="reveal"),
    path(f"{_OF_SCHEME}reveal/ask/", reveal_views.ask, name="ask_reveal"),
    path(f"{_OF_SCHEME}reveal/package/", reveal_views.package, name="package"),
    path(f"{_OF_SCHEME}reveal/verification.pdf", reveal_views.report_pdf, name="verification"),
]
