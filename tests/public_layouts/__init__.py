"""Tiny copies of public medical image sets as they are published, with what is right for each."""

from public_layouts import endoscopy, eye, microscopy, radiology, skin
from public_layouts.layout import Layout

LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for module in (skin, eye, microscopy, radiology, endoscopy)
    for layout in vars(module).values()
    if isinstance(layout, Layout)
}
