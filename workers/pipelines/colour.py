"""Colours as every screen shows them: any mode and profile to plain 8-bit sRGB."""

import functools
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

Floats = NDArray[np.float32]

_SRGB = ImageCms.createProfile("sRGB")
_PROFILE_ERRORS = (ImageCms.PyCMSError, OSError, ValueError, TypeError)
_MODE_OF_SPACE = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab ": "LAB"}
_WIDE = 65535.0


def to_plain_mode(image: Image.Image, notes: list[str]) -> Image.Image:
    """The picture in a mode that scales smoothly: L, LA, RGB, RGBA, CMYK or LAB, with 8 bits a channel."""
    match image.mode:
        case "RGB" | "RGBA" | "L" | "LA" | "CMYK" | "LAB":
            return _with_key(image)
        case "1":
            return image.convert("L")
        case "P" | "PA":
            return image.convert("RGBA" if image.has_transparency_data else "RGB")
        case "I" | "F" | "I;16" | "I;16L" | "I;16B" | "I;16N":
            return _to_eight_bits(image, notes)
        case "La":
            return image.convert("LA")
        case "RGBa":
            return image.convert("RGBA")
        case _:
            return image.convert("RGB")


def to_srgb(image: Image.Image, profile: bytes | None, notes: list[str]) -> Image.Image:
    """The picture as opaque RGB in sRGB.

    Transparent parts become white, as on paper: each reader of a preview (the page in dark and light, the models,
    the colour search) then sees the same picture, and black drawings do not vanish on a dark page.
    """
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    plain = image.convert(image.mode[:-1]) if alpha else image
    plain = _by_profile(plain, profile, notes)
    if alpha is None:
        return plain
    white = Image.new("RGB", plain.size, "white")
    white.paste(plain, mask=alpha)
    return white


def _with_key(image: Image.Image) -> Image.Image:
    """One colour or grey declared transparent becomes an alpha channel."""
    if image.mode in ("RGB", "L") and "transparency" in image.info:
        return image.convert("RGBA")
    return image


def _to_eight_bits(image: Image.Image, notes: list[str]) -> Image.Image:
    """Grey of 16 or 32 bits, or of floats, to 8 bits; the range is the data's where it cannot be the type's."""
    values = np.asarray(image)
    if values.dtype.kind == "f":
        values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    top = next((top for top in _tops(values.dtype.kind) if high <= top), high)
    if low >= 0 and high > 0 and top in (1.0, 255.0, _WIDE):
        low, high = 0.0, top
    else:
        low = min(low, 0.0)
        notes.append("The brightness range is not the usual one for this format and was spread to fit.")
    scaled = (values.astype(np.float32) - low) * (255.0 / max(high - low, 1e-9))
    return Image.fromarray(np.clip(scaled + 0.5, 0, 255).astype(np.uint8))


def _tops(kind: str) -> tuple[float, ...]:
    """The usual whites: 1 for floats; 4,095 for the 12 bits of scanners and scientific cameras; 16 bits."""
    return (1.0, 255.0, _WIDE) if kind == "f" else (4095.0, _WIDE)


# --- profiles -----------------------------------------------------------------------------------------------


def _by_profile(image: Image.Image, profile: bytes | None, notes: list[str]) -> Image.Image:
    if image.mode == "LAB":
        return _applied(image, _lab_to_srgb())
    if not profile:
        return image if image.mode == "RGB" else image.convert("RGB")
    mode = _mode_of(profile)
    if mode is None:
        notes.append("The colour profile in the file is damaged and was ignored.")
        return image.convert("RGB")
    if mode == "RGB" and image.mode == "L":
        image = image.convert("RGB")
    if mode != image.mode:
        notes.append("The colour profile in the file is for another kind of picture and was ignored.")
        return image.convert("RGB")
    try:
        return image if mode == "RGB" and _is_srgb(profile) else _applied(image, _transform(profile, mode))
    except _PROFILE_ERRORS:
        notes.append("The colour profile in the file cannot be used and was ignored.")
        return image.convert("RGB")


def _applied(image: Image.Image, transform: ImageCms.ImageCmsTransform) -> Image.Image:
    made = ImageCms.applyTransform(image, transform)
    assert made is not None  # only None when it works in place
    return made


@functools.lru_cache(maxsize=32)
def _mode_of(profile: bytes) -> str | None:
    try:
        return _MODE_OF_SPACE.get(ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space)
    except _PROFILE_ERRORS:
        return None


@functools.lru_cache(maxsize=32)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform:
    """Made once per profile: a library holds few different ones, and making one costs more than using it."""
    return ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        _SRGB,
        mode,
        "RGB",
        ImageCms.Intent.PERCEPTUAL,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


@functools.lru_cache(maxsize=32)
def _is_srgb(profile: bytes) -> bool:
    """Whether a profile is sRGB under whatever name: it changes no colour by more than one of 255 levels.

    Most profiles are, and applying one takes a sixth of the time of a photo's previews.
    """
    steps = np.linspace(0, 255, 18).round().astype(np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(1, -1, 3)
    changed = np.asarray(_applied(Image.fromarray(np.ascontiguousarray(colours)), _transform(profile, "RGB")))
    return int(np.abs(changed.astype(np.int16) - colours).max()) <= 1


@functools.lru_cache(maxsize=1)
def _lab_to_srgb() -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(ImageCms.createProfile("LAB"), _SRGB, "LAB", "RGB", ImageCms.Intent.PERCEPTUAL)


# --- colours coded by number, as HEIC and AVIF may have them (ITU-T H.273) ------------------------------------

_P3, _BT2020 = 12, 9
_PQ, _HLG = 16, 18
# Linear light of the wide primaries to that of sRGB's.
_TO_SRGB = {
    _P3: ((1.2249, -0.2247, 0.0), (-0.0420, 1.0419, 0.0), (-0.0197, -0.0786, 1.0979)),
    _BT2020: ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187)),
}
# A white page in an HDR picture has 203 nits (ITU-R BT.2408), and there sRGB's white belongs.
_WHITE_NITS = 203.0
_KNEE = 0.8


def is_coded(primaries: int, transfer: int) -> bool:
    """Whether these numbers ask for more than showing the values as they are."""
    return primaries in _TO_SRGB or transfer in (_PQ, _HLG)


def from_coded(image: Image.Image, primaries: int, transfer: int) -> Image.Image:
    """RGB with the given primaries and transfer function to sRGB; the highlights of HDR are bent, not cut."""
    light = _linear(np.asarray(image, dtype=np.float32) / 255.0, transfer)
    if primaries in _TO_SRGB:
        light = light @ np.array(_TO_SRGB[primaries], dtype=np.float32).T
    light = np.clip(light, 0.0, None)
    if transfer in (_PQ, _HLG):
        above = (light - _KNEE) / (1 - _KNEE)
        light = np.where(light > _KNEE, _KNEE + (1 - _KNEE) * (1 - np.exp(-above)), light)
    light = np.clip(light, 0.0, 1.0)
    coded = np.where(light <= 0.0031308, light * 12.92, 1.055 * np.power(light, 1 / 2.4) - 0.055)
    return Image.fromarray((coded * 255.0 + 0.5).astype(np.uint8))


def _linear(values: Floats, transfer: int) -> Floats:
    """Light from coded values; 1 is the white of a page."""
    match transfer:
        case 16:
            light = _from_pq(values)
        case 18:
            light = _from_hlg(values)
        case _:
            light = np.where(values <= 0.04045, values / 12.92, np.power((values + 0.055) / 1.055, 2.4))
    return np.asarray(light, dtype=np.float32)


def _from_pq(values: Floats) -> Floats:
    """SMPTE ST 2084: coded by the eye's steps, up to 10,000 nits."""
    root = np.power(values, 1 / 78.84375)
    ratio = np.clip(root - 0.8359375, 0, None) / (18.8515625 - 18.6875 * root)
    return np.asarray(10_000 * np.power(ratio, 1 / 0.1593017578125) / _WHITE_NITS, dtype=np.float32)


def _from_hlg(values: Floats) -> Floats:
    """ITU-R BT.2100, shown on a screen of 1,000 nits."""
    dark, bright = values**2 / 3, (np.exp((values - 0.55991073) / 0.17883277) + 0.28466892) / 12
    scene = np.where(values <= 0.5, dark, bright)
    luminance = scene @ np.array([0.2627, 0.6780, 0.0593], dtype=np.float32)
    gain = np.power(np.clip(luminance, 1e-6, None), 0.2)[..., None] * 1000 / _WHITE_NITS
    return np.asarray(scene * gain, dtype=np.float32)
