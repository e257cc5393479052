"""Static files under hashed names, compressed, served for ever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class ManifestStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # WhiteNoise has no types
    """WhiteNoise's storage that also rewrites the names inside `import … from "./file.js";`."""

    support_js_module_import_aggregation = True
