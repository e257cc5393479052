"""Addresses of the configuration admin."""

from trial.operations.admin import configuration

app_name = "admin"
urlpatterns = configuration.get_urls()
