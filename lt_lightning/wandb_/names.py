"""The keys of what is logged to W&B beside scalars; a workspace asks for them by the same names.

A test's own items lie under its label: `last/per_class`.
"""

PER_CLASS = "per_class"  # table: class, group, training images, accuracy
CONFUSION = "confusion"  # table: actual, predicted, images
RELIABILITY = "reliability"  # table: bin, images, confidence, accuracy
CLASS_WEIGHTS = "class_weights"  # table: class, training images, weight, from which epoch
TAU_CURVE = "tau_curve"  # table: tau, macro accuracy on the images it was chosen on
TAIL_IMAGES = "tail_images"  # test images of the rarest classes with their predictions
ACCURACY_FIGURE = "accuracy_figure"
RELIABILITY_FIGURE = "reliability_figure"
CONFUSION_FIGURE = "confusion_figure"


def under(label: str, name: str) -> str:
    """Return the key of an item of one test: last/per_class."""
    return f"{label}/{name}"
