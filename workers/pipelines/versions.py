"""Which version of a step has made something: apart from the steps, whose libraries few programs need."""

# Raised whenever the pictures come out differently; `manage.py remake` makes the older ones again.
PREVIEWS_VERSION = 2
# Raised whenever a file's facts come out differently.
METADATA_VERSION = 3
# Raised whenever colours or the numbers of styles come out differently.
LOOKS_VERSION = 1
