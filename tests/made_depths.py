"""Pictures of more than 8 bits with known values, as files."""

import struct
import zlib

import cv2
import numpy as np
from PIL import Image


def ramp(bits, low=None, dtype=np.uint16, shape=(16, 16)):
    """Values that rise from `low` over the range of so many bits."""
    number = np.prod(shape)
    return (np.linspace(0, 2**bits - 1, number).round() + (low or 0)).reshape(shape).astype(dtype)


def exact(values, low, high):
    """Grey levels from 0 to 255 before they are rounded."""
    return (np.clip(values.astype(np.float64), low, high) - low) / (high - low) * 255


def write_png(path, values):
    """Values (H, W), or in RGB or RGBA."""
    if values.ndim == 3:
        values = values[..., [2, 1, 0, *range(3, values.shape[2])]]
    cv2.imwrite(str(path), values)
    return str(path)


def write_tiff(path, values, compression=1, pages=(), **tags):
    """A TIFF of one strip, of any real type: by its own few lines, since no library writes all of these.

    Args:
        path: The file.
        values: (H, W), or (H, W, C) in RGB or RGBA.
        compression: 1 is none, 8 deflate; LZW is written by Pillow.
        pages: Further ones.
        **tags: `photometric`, `extra`, `orientation` as numbers.
    """
    content, places = bytearray(b"II*\0\0\0\0\0"), [4]
    for page in (values, *pages):
        page = np.ascontiguousarray(page)
        height, width, channels = (*page.shape, 1)[:3]
        pixels = page.tobytes() if compression == 1 else zlib.compress(page.tobytes())
        start = len(content)
        content += pixels + b"\0" * (len(pixels) % 2)
        kind = {"u": 1, "i": 2, "f": 3, "c": 6}[page.dtype.kind]
        photometric = tags.get("photometric", 2 if channels > 2 else 1)
        entries = [(256, width), (257, height), (258, page.dtype.itemsize * 8), (259, compression), (262, photometric)]
        entries += [(273, start), (274, tags.get("orientation", 1)), (277, channels), (278, height), (279, len(pixels))]
        entries += [(338, tags["extra"])] if "extra" in tags else []
        entries += [(339, kind)]
        repeated = {258: channels, 339: channels}
        lists = b"".join(struct.pack(f"<{channels}H", *[value] * channels) for tag, value in entries if tag in repeated)
        place = len(content)
        content += lists + b"\0" * (len(lists) % 2)
        content[places[-1] : places[-1] + 4] = struct.pack("<I", len(content))
        content += struct.pack("<H", len(entries))
        for tag, value in entries:
            if tag in repeated and channels > 2:
                content += struct.pack("<HHII", tag, 3, channels, place)
                place += 2 * channels
            elif tag in repeated:
                content += struct.pack("<HHIHH", tag, 3, channels, *[value] * channels, *[0] * (2 - channels))
            else:
                content += struct.pack("<HHII", tag, 4, 1, value)
        places.append(len(content))
        content += b"\0\0\0\0"
    path.write_bytes(content)
    return str(path)


def write_lzw(path, values):
    """By Pillow, which can write uint16, int32 and float32 in grey."""
    Image.fromarray(values).save(path, "TIFF", compression="tiff_lzw")
    return str(path)
