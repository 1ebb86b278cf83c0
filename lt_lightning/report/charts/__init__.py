"""From finished runs to the figures that show them: means and spreads over the seeds."""

from lt_lightning.report.charts.gallery import Gallery, Picture, gallery

__all__ = ["Gallery", "Picture", "gallery"]
