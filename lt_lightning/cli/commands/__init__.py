"""The commands beside fit, validate and test, a file each."""
