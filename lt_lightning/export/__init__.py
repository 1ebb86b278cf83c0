"""From a finished run to a model that needs nothing of this package."""
