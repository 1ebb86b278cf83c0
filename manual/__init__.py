"""What the manual makes at build: pages from docstrings, configs and results, no text twice."""
