"""What reads finished runs: tables of their results. Nothing here needs torch."""

from lt_lightning.report.table import Row, load_rows, render

__all__ = ["Row", "load_rows", "render"]
