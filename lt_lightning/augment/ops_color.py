"""Colour operations on uint8 batches, each with one magnitude per image.

All follow torchvision's arithmetic for uint8 tensors (truncation when floats become pixels), so a
picture is the one that torchvision gives for the same magnitude, within one grey level.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def _per_image(magnitude: Tensor) -> Tensor:
    return magnitude.view(-1, 1, 1, 1)


def _blend(images: Tensor, other: Tensor, factor: Tensor) -> Tensor:
    """Return factor * images + (1 - factor) * other as uint8; `factor` (N,) may exceed 1."""
    f = _per_image(factor)
    return (images * f).add_(other * (1 - f)).clamp_(0, 255).to(torch.uint8)


def _grey(images: Tensor) -> Tensor:
    """Return the luma of (N, 3, H, W) in whole levels, float32 (N, 1, H, W)."""
    if images.shape[1] == 1:
        return images.float()
    red, green, blue = images.unbind(1)
    luma = (red * 0.2989).add_(green, alpha=0.587).add_(blue, alpha=0.114)
    return luma.floor_().unsqueeze(1)


def adjust_brightness(images: Tensor, factor: Tensor) -> Tensor:
    """Multiply the pixels by `factor` (N,): 0 is black, 1 the image itself."""
    return (images * _per_image(factor)).clamp_(0, 255).to(torch.uint8)


def adjust_contrast(images: Tensor, factor: Tensor) -> Tensor:
    """Blend with the mean grey of the image: 0 is that grey, 1 the image itself."""
    return _blend(images, _grey(images).mean((1, 2, 3), keepdim=True), factor)


def adjust_saturation(images: Tensor, factor: Tensor) -> Tensor:
    """Blend with the grey picture: 0 is grey, 1 the image itself."""
    if images.shape[1] == 1:
        return images
    return _blend(images, _grey(images), factor)


def adjust_sharpness(images: Tensor, factor: Tensor) -> Tensor:
    """Blend with a 3x3 blur (centre 5, neighbours 1, sum 13); the border row stays as it is."""
    channels, height, width = images.shape[1:]
    if height <= 2 or width <= 2:
        return images
    kernel = torch.ones(3, 3, device=images.device)
    kernel[1, 1] = 5
    kernel = (kernel / 13).expand(channels, 1, 3, 3)
    out = images.float()
    inner = out[:, :, 1:-1, 1:-1]
    blurred = F.conv2d(out, kernel, groups=channels).round_()
    inner.add_((blurred - inner).mul_(1 - _per_image(factor)))
    return out.clamp_(0, 255).to(torch.uint8)


def adjust_hue(images: Tensor, shift: Tensor) -> Tensor:
    """Turn the hue by `shift` (N,), in turns of the colour circle, from -0.5 to 0.5."""
    if images.shape[1] == 1:
        return images
    hue, saturation, value = _hsv(images.float() / 255)
    turned = (hue + shift.view(-1, 1, 1)).remainder_(1)
    # 255.999: a value of 1 must give 255 and every level an equal share.
    return (_rgb(turned, saturation, value) * 255.999).to(torch.uint8)


def _hsv(rgb: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return hue, saturation and value, each (N, H, W) in [0, 1], of float (N, 3, H, W)."""
    low, value = rgb.aminmax(dim=1)
    span = value - low
    is_grey = span == 0  # hue and saturation are 0 there, and nothing is divided by 0
    safe_span = torch.where(is_grey, 1.0, span)
    red, green, blue = rgb.unbind(1)
    sixth = torch.where(
        value == red,
        (green - blue) / safe_span,
        torch.where(value == green, 2 + (blue - red) / safe_span, 4 + (red - green) / safe_span),
    )
    return (sixth / 6).remainder_(1), span / torch.where(is_grey, 1.0, value), value


def _rgb(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """Return (N, 3, H, W) in [0, 1] of hue, saturation and value (N, H, W)."""
    # Each channel is `value` less a trapezoid over the colour circle; the offsets 5, 3, 1 place it.
    offsets = torch.tensor([5.0, 3.0, 1.0]).to(hue.device, non_blocking=True).view(3, 1, 1)
    place = (hue.unsqueeze(1) * 6 + offsets).remainder_(6)
    slope = torch.minimum(place, 4 - place).clamp_(0, 1)
    return value.unsqueeze(1) * (1 - saturation.unsqueeze(1) * slope)


def posterize(images: Tensor, bits: Tensor) -> Tensor:
    """Keep the highest `bits` (N,) bits of each pixel, 0 to 8."""
    step = torch.exp2(8 - bits).to(torch.int32)  # 256 at 0 bits does not fit into uint8
    mask = (256 - step).to(torch.uint8)
    return images & _per_image(mask)


def solarize(images: Tensor, threshold: Tensor) -> Tensor:
    """Invert the pixels that are at least `threshold` (N,), on the scale 0..255."""
    return torch.where(images >= _per_image(threshold), 255 - images, images)


def invert(images: Tensor, unused: Tensor) -> Tensor:
    """Return 255 minus each pixel; the magnitude has no effect."""
    return 255 - images


def autocontrast(images: Tensor, unused: Tensor) -> Tensor:
    """Stretch each channel to 0..255; a flat channel stays, the magnitude has no effect.

    Exactly floor(255 (x - low) / (high - low)); torchvision's floats fall one level short of it on
    some pixels, also where the channel has the full range already.
    """
    low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    flat = low == high
    span = torch.where(flat, 255, high - low)
    return ((images - torch.where(flat, 0, low)) * 255.0 / span).to(torch.uint8)


def equalize(images: Tensor, unused: Tensor) -> Tensor:
    """Equalise the histogram of each channel as Pillow does; the magnitude has no effect.

    With h the histogram and step = (pixels - those of the brightest level) // 255, level k becomes
    (h_0 + ... + h_{k-1} + step // 2) // step; a channel whose step is 0 stays.
    """
    level = images.flatten(2).long()  # (N, C, H * W)
    ones = torch.ones_like(level, dtype=torch.int32)
    histogram = torch.zeros(*level.shape[:2], 256, dtype=torch.int32, device=images.device)
    histogram.scatter_add_(2, level, ones)
    brightest = histogram.gather(2, level.amax(2, keepdim=True))
    step = (level.shape[2] - brightest) // 255
    below = histogram.cumsum(2, dtype=torch.int32) - histogram
    table = (below + step // 2) // step.clamp(min=1)
    table = table.clamp_(max=255).to(torch.uint8)
    changed = table.gather(2, level).view_as(images)
    return torch.where(step.unsqueeze(3) == 0, images, changed)
