"""How a network wants its images."""

from dataclasses import dataclass, replace

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class View:
    """The images that weights were trained on.

    Args:
        mean: subtracted per channel, on the scale 0..1.
        std: divided by per channel, on the scale 0..1.
        image_size: width and height in pixels; none is any.
    """

    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    image_size: int | None = None

    def resized(self, image_size: int | None) -> "View":
        """Return the same view of images of another size; none leaves the size."""
        return self if image_size is None else replace(self, image_size=image_size)
