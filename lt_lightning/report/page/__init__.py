"""The report as one HTML page that needs nothing from outside."""

from lt_lightning.report.page.document import page

__all__ = ["page"]
