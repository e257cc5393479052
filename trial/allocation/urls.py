"""Pages of the randomisation office: everything but the allocation of one person, which is a step of the journey."""

from trial.allocation import exception_urls, report_urls, scheme_urls

app_name = "allocation"
urlpatterns = [*scheme_urls.urlpatterns, *exception_urls.urlpatterns, *report_urls.urlpatterns]
