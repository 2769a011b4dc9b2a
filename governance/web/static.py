from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    """Names with a hash of the content, so that browsers keep files for ever; a missing one is no error in a page."""

    manifest_strict = False
