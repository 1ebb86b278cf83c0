"""What W&B gets: the run, its media and tables, and the workspace of all methods."""
