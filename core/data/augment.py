"""Random transforms of whole uint8 batches on their device, each image with draws of its own."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from core.data.random import uniform
from core.recipe import Crop, Flip, Perspective, Transform


def augment(images: Tensor, transforms: Sequence[Transform], seed: int, epoch: int, samples: Tensor) -> Tensor:
    """The transforms in order on uint8 [B, C, H, W]; ``samples`` int64 [B] names each image within the training split.

    An image's result depends on (seed, epoch, its sample, the transforms) alone.
    """
    for stream, transform in enumerate(transforms):
        match transform:
            case Perspective():
                images = perspective(images, transform, uniform(seed, epoch, samples, stream, 9))
            case Crop():
                images = crop(images, transform, uniform(seed, epoch, samples, stream, 2))
            case Flip():
                images = flip(images, transform, uniform(seed, epoch, samples, stream, 1))
    return images


def flip(images: Tensor, transform: Flip, draws: Tensor) -> Tensor:
    """Mirrored left to right where ``draws`` [B, 1] is below p."""
    return torch.where((draws < transform.p)[:, :, None, None], images.flip(-1), images)


def crop(images: Tensor, transform: Crop, draws: Tensor) -> Tensor:
    """A window of the image's own size out of the zero-padded image; ``draws`` [B, 2] place its top and left."""
    height, width = images.shape[-2:]
    padded = functional.pad(images, (transform.padding,) * 4)
    windows = padded.unfold(2, height, 1).unfold(3, width, 1)
    top, left = (draws * (2 * transform.padding + 1)).long().unbind(1)
    batch = torch.arange(len(images), device=images.device)
    return windows[batch, :, top, left]


def perspective(images: Tensor, transform: Perspective, draws: Tensor) -> Tensor:
    """torchvision's RandomPerspective on tensors: bilinear, zeros outside; ``draws`` [B, 9] are the choice and 8 corners."""
    chosen = draws[:, 0] < transform.p
    corners = perspective_corners(draws[:, 1:], transform.distortion, *images.shape[-2:])
    if images.device.type != "cpu":  # picking the chosen ones out would make the host wait for the device
        return torch.where(chosen[:, None, None, None], warp(images, coefficients(corners, *images.shape[-2:])), images)
    warped = warp(images[chosen], coefficients(corners[chosen], *images.shape[-2:]))
    return images.index_put((chosen,), warped)


def perspective_corners(draws: Tensor, distortion: float, height: int, width: int) -> Tensor:
    """Where the corners go: float64 [B, 4, (x, y)], whole pixels, clockwise from the top left; ``draws`` [B, 8].

    As RandomPerspective.get_params: each moves inward by 0 to int(distortion * (side // 2)) pixels along each side.
    """
    start, inward, reach = _rectangle(height, width, distortion, draws.device)
    return start + inward * torch.floor(draws.view(-1, 4, 2).double() * (reach + 1))


def coefficients(corners: Tensor, height: int, width: int) -> Tensor:
    """Float32 [B, 8] (a .. h) that take a pixel (x, y) of the result to its place in the image,
    ((ax + by + c) / (gx + hy + 1), (dx + ey + f) / (gx + hy + 1)), so that ``corners`` come from the image's own."""
    start, _, _ = _rectangle(height, width, 0.0, corners.device)
    x, y = corners.unbind(2)
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    across = torch.stack((x, y, one, zero, zero, zero, -start[:, 0] * x, -start[:, 0] * y), dim=2)
    down = torch.stack((zero, zero, zero, x, y, one, -start[:, 1] * x, -start[:, 1] * y), dim=2)
    matrix = torch.stack((across, down), dim=2).view(-1, 8, 8)
    solution, _ = torch.linalg.solve_ex(matrix, start.reshape(1, 8, 1))  # unlike solve, it does not wait for the device
    result: Tensor = solution.squeeze(2).float()
    return result


def warp(images: Tensor, coefficients: Tensor) -> Tensor:
    """uint8 [B, C, H, W] resampled bilinearly by ``coefficients`` [B, 8], each image by its own; zeros outside."""
    height, width = images.shape[-2:]
    x = torch.arange(width, device=images.device) + 0.5
    y = torch.arange(height, device=images.device)[:, None] + 0.5
    a, b, c, d, e, f, g, h = coefficients.unbind(1)
    along_x = torch.stack((a / (0.5 * width), d / (0.5 * height), g), dim=1)[:, :, None, None]
    along_y = torch.stack((b / (0.5 * width), e / (0.5 * height), h), dim=1)[:, :, None, None]
    constant = torch.stack((c / (0.5 * width), f / (0.5 * height), torch.ones_like(c)), dim=1)[:, :, None, None]
    planes = along_x * x + (along_y * y + constant)
    grid = planes[:, :2].div_(planes[:, 2:]).sub_(1).permute(0, 2, 3, 1)
    sampled = functional.grid_sample(images.float(), grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    return sampled.round_().to(torch.uint8)


@lru_cache(maxsize=64)  # making a tensor on a GPU waits for it, which a step must not
def _rectangle(height: int, width: int, distortion: float, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Float64 corners [4, 2] of the image, the signs that point inward [4, 2], and the reach along x and y [2]."""
    right, bottom = width - 1, height - 1
    start = torch.tensor([[0, 0], [right, 0], [right, bottom], [0, bottom]], dtype=torch.float64)
    inward = torch.tensor([[1, 1], [-1, 1], [-1, -1], [1, -1]], dtype=torch.float64)
    reach = torch.tensor([int(distortion * (width // 2)), int(distortion * (height // 2))], dtype=torch.float64)
    return start.to(device), inward.to(device), reach.to(device)
