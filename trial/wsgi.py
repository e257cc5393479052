"""The WSGI application, opened only on a database whose triggers are in place."""

import os

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trial.settings")

application = get_wsgi_application()
call_command("check", databases=["default"])
