"""Settings for tests: the product's own, with fixed secrets and no files outside a temporary folder."""

import os
import tempfile

os.environ.update(
    SECRET_KEY="tests-only-tests-only-tests-only-tests-only-tests-only",
    IDENTITY_KEYS="aWRlbnRpdHkta2V5LWZvci10ZXN0cy1vbmx5LTAwMDE=",
    LOOKUP_KEY="lookup-key-for-tests-only",
    SEALING_KEYS="c2VhbGluZy1rZXktZm9yLXRlc3RzLW9ubHktMDAwMDE=",
)
os.environ.setdefault("VAR_DIR", tempfile.mkdtemp(prefix="hedgerow-tests-"))

from trial.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # speed only
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True
