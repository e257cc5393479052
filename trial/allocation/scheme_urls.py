"""Pages about the life of a scheme."""

from django.urls import URLPattern, path

from trial.allocation.office import (
    closed_views,
    configure_views,
    growth_views,
    home_views,
    log_views,
    operate_views,
    request_views,
    revision_views,
    simulation_views,
)

SCHEME = "randomisation/schemes/<slug:scheme>/"
REVISION = f"{SCHEME}revisions/<int:revision>/"

urlpatterns: list[URLPattern] = [
    path("randomisation/", home_views.home, name="home"),
    path("randomisation/new/", configure_views.new, name="new_scheme"),
    path("randomisation/leak/", operate_views.leak, name="leak"),
    path("randomisation/requests/", request_views.index, name="requests"),
    path("randomisation/requests/<int:pk>/", request_views.detail, name="request"),
    path("randomisation/requests/<int:pk>/approve/", request_views.approve, name="approve_request"),
    path("randomisation/requests/<int:pk>/refuse/", request_views.refuse, name="refuse_request"),
    path("randomisation/requests/<int:pk>/withdraw/", request_views.withdraw, name="withdraw_request"),
    path(SCHEME, home_views.scheme, name="scheme"),
    path(f"{SCHEME}accrual/", home_views.accrual, name="accrual"),
    path(f"{SCHEME}configure/", configure_views.configure, name="configure"),
    path(f"{SCHEME}simulate/", simulation_views.simulate, name="simulate"),
    path(f"{SCHEME}simulations/", simulation_views.simulations, name="simulations"),
    path(f"{SCHEME}simulations/<int:pk>/", simulation_views.simulation, name="simulation"),
    path(f"{SCHEME}lock/", growth_views.ask_lock, name="ask_lock"),
    path(f"{SCHEME}extend/", growth_views.extend, name="extend"),
    path(f"{SCHEME}level/", growth_views.add_level, name="add_level"),
    path(f"{SCHEME}ceiling/", growth_views.raise_ceiling, name="raise_ceiling"),
    path(f"{SCHEME}reopen/", growth_views.reopen, name="reopen"),
    path(f"{SCHEME}open/", operate_views.open_scheme, name="open_scheme"),
    path(f"{SCHEME}pause/", operate_views.pause_scheme, name="pause_scheme"),
    path(f"{SCHEME}close/", operate_views.ask_close, name="ask_close"),
    path(f"{SCHEME}sites/<slug:site>/", operate_views.site_state, name="site_state"),
    path(f"{SCHEME}log/", log_views.log, name="log"),
    path(f"{SCHEME}log/check/", log_views.check, name="check_log"),
    path(f"{SCHEME}balance/", closed_views.balance, name="balance"),
    path(f"{SCHEME}balance.pdf", closed_views.balance_pdf, name="balance_pdf"),
    path(f"{SCHEME}first-allocations/", closed_views.first_check, name="first_check"),
    path(REVISION, revision_views.detail, name="revision"),
    path(f"{REVISION}certificate.pdf", revision_views.certificate, name="certificate"),
    path(f"{REVISION}contribution/", revision_views.contribution, name="contribution"),
]
