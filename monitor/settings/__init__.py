"""The only reader of the environment and of rasid.yaml.

`load(directory, environ)` gives Loaded: the Settings, where each value comes from, and the environment with .env
beneath it, in which channels and feeds look up their secrets.
"""

from monitor.settings.loading import SECRETS, Loaded, Row, cache_folder, fields, load, shown, variable
from monitor.settings.models import Settings

__all__ = ["SECRETS", "Loaded", "Row", "Settings", "cache_folder", "fields", "load", "shown", "variable"]
