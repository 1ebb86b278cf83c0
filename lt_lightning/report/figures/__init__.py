"""The figures of the report: numbers first, then their drawing as SVG. Nothing here needs torch."""
