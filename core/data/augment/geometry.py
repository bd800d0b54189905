"""Transforms that move pixels: flip, crop, perspective, and the affine maps of the policies. All on uint8 [B, C, H, W]."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from core.data.augment.select import where
from core.sections import Crop, Perspective


def flip(images: Tensor, mirrored: Tensor) -> Tensor:
    """The images with those that are ``mirrored`` (bool [B]) turned left to right."""
    return where(mirrored[:, None, None, None], images.flip(-1), images)


def crop(images: Tensor, transform: Crop, draws: Tensor) -> Tensor:
    """A window of the image's own size out of the padded image; ``draws`` [B, 2] place its top and left."""
    (count, channels, height, width), padding = images.shape, transform.padding
    padded = _reflected(images, padding) if transform.fill == "reflect" else functional.pad(images, (padding,) * 4)
    row, plane = padded.shape[-1], padded[0, 0].numel()
    top, left = (draws * (2 * padding + 1)).long().unbind(1)
    corners = (top * row + left).view(-1, 1, 1)
    planes = plane * torch.arange(count * channels, device=images.device).view(count, channels, 1)
    starts = corners + planes + row * torch.arange(height, device=images.device)
    # Copying whole rows is several times as fast as indexing the window's pixels.
    return padded.reshape(-1).unfold(0, width, 1).index_select(0, starts.flatten()).view(images.shape)


def _reflected(images: Tensor, padding: int) -> Tensor:
    """Padded with its mirror image, the border pixel not repeated; torch's own takes no uint8 on a GPU."""
    for side in (-1, -2):
        length = images.shape[side]
        before = images.narrow(side, 1, padding).flip(side)
        after = images.narrow(side, length - 1 - padding, padding).flip(side)
        images = torch.cat((before, images, after), side)
    return images


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


def affine(images: Tensor, matrices: Tensor) -> Tensor:
    """uint8 [B, C, H, W], each pixel taken from the nearest; zeros outside.

    ``matrices`` float32 [B, 2, 3] take a pixel (x, y, 1) of the result, in pixels from the image's centre, to its place in the
    image, in halves of the sides from the centre.
    """
    height, width = images.shape[-2:]
    x = torch.arange(width, device=images.device) - (width - 1) / 2
    y = torch.arange(height, device=images.device)[:, None] - (height - 1) / 2
    along_x, along_y, constant = matrices[..., None, None].unbind(2)
    grid = (along_x * x + (along_y * y + constant)).permute(0, 2, 3, 1)
    sampled = functional.grid_sample(images.float(), grid, mode="nearest", padding_mode="zeros", align_corners=False)
    return sampled.to(torch.uint8)


@lru_cache(maxsize=64)  # making a tensor on a GPU waits for it, which a step must not
def _rectangle(height: int, width: int, distortion: float, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Float64 corners [4, 2] of the image, the signs that point inward [4, 2], and the reach along x and y [2]."""
    right, bottom = width - 1, height - 1
    start = torch.tensor([[0, 0], [right, 0], [right, bottom], [0, bottom]], dtype=torch.float64)
    inward = torch.tensor([[1, 1], [-1, 1], [-1, -1], [1, -1]], dtype=torch.float64)
    reach = torch.tensor([int(distortion * (width // 2)), int(distortion * (height // 2))], dtype=torch.float64)
    return start.to(device), inward.to(device), reach.to(device)
