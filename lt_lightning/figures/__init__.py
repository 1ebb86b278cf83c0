"""Figures: what each one shows, once, and how it is drawn as SVG (svg/) and as PNG (png/).

The definitions are plain Python, so that `lt report` needs neither torch nor matplotlib.
"""
