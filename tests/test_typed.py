"""A type checker may read the annotations of the installed package."""

from importlib.resources import files


def test_the_package_says_that_it_is_typed():
    assert files("lt_lightning").joinpath("py.typed").is_file()
