"""`lt sweep`: a table of runs, planned, shared, run side by side, and gone on with."""
