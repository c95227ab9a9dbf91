"""Pictures of the digestive tract."""

from pathlib import Path
from uuid import UUID

from public_layouts.layout import layout, paint, table


@layout(
    *("Kvasir v2", "https://datasets.simula.no/kvasir"),
    root="kvasir-dataset-v2",
    classes={
        "dyed-lifted-polyps": 7,
        "dyed-resection-margins": 7,
        "esophagitis": 7,
        "normal-cecum": 7,
        "normal-pylorus": 7,
        "normal-z-line": 7,
        "polyps": 7,
        "ulcerative-colitis": 7,
    },
)
def kvasir_v2(root: Path, label: list[str]) -> None:
    paint(root, {f"kvasir-dataset-v2/{name}/{_number(i)}.jpg": name for i, name in enumerate(label)})


FINDINGS = {
    "cecum": "lower-gi-tract/anatomical-landmarks",
    "retroflex-rectum": "lower-gi-tract/anatomical-landmarks",
    "polyps": "lower-gi-tract/pathological-findings",
    "hemorrhoids": "lower-gi-tract/pathological-findings",
    "bbps-2-3": "lower-gi-tract/quality-of-mucosal-views",
    "dyed-lifted-polyps": "lower-gi-tract/therapeutic-interventions",
    "z-line": "upper-gi-tract/anatomical-landmarks",
    "barretts": "upper-gi-tract/pathological-findings",
}


@layout(
    *("Hyper-Kvasir", "https://datasets.simula.no/hyper-kvasir"),
    root="labeled-images",
    kind="csv",
    labels="labeled-images/image-labels.csv",
    image_column="Video file",
    label_column="Finding",
    classes={
        "cecum": 10,
        "retroflex-rectum": 5,
        "polyps": 10,
        "hemorrhoids": 3,
        "bbps-2-3": 11,
        "dyed-lifted-polyps": 10,
        "z-line": 8,
        "barretts": 3,
    },
)
def hyper_kvasir(root: Path, label: list[str]) -> None:
    """The classes are the lowest of three folders."""
    images = {_number(i): name for i, name in enumerate(label)}
    paint(root, {f"labeled-images/{FINDINGS[name]}/{name}/{image}.jpg": name for image, name in images.items()})
    places = ((image, *FINDINGS[name].split("/"), name) for image, name in images.items())
    rows = [[image, tract[:8].replace("-", " ").title(), name, kind] for image, tract, kind, name in places]
    table(root / "labeled-images/image-labels.csv", "Video file,Organ,Finding,Classification", rows)


def _number(i: int) -> str:
    return str(UUID(int=0x0A7BDCE2_29A4_4EB2_9D2A_12D5E5B8F1A7 + (i << 96)))
