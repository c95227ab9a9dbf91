"""One folder with all that a machine without a network needs to install the project and to run the check on a GPU.

python tests/benchmarks/offline_pack.py [--python 3.12] [--platform manylinux_2_28_x86_64] [--skip torch torchvision]
    [--check-only] [--images FOLDER] [--weights FILE] [--out offline-pack]

Wheels have the versions of the environment that packs. Pictures are reduced to the size of the check; small files
beside them, such as labels, are taken along.
"""

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import cv2
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).resolve().parents[2]
PROJECT = "lightning_imbal"
SIDE, QUALITY = 128, 80  # pixels of the short side, quality of the JPEG
PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"}
MAX_OTHER = 5 * 2**20  # bytes of a file that is no picture
CHECK_DOES_WITHOUT = ("medmnist", "plotly", "wandb")  # MedMNIST, pages, W&B
CHECK = ("tests/benchmarks/gpu.py", "tests/benchmarks/gpu_check", "tests/benchmarks/disk_cache.py")
OLD_NAMES = {5: "manylinux1", 12: "manylinux2010", 17: "manylinux2014"}
MIB = 2**20

README = """\
Install (Python {python}, {platform}{there}):  python -m pip install --no-index --find-links wheels {what}
Check a GPU (results in gpu-check/gpu.md):  python tests/benchmarks/gpu.py{given}
Without a GPU, as small as possible:  python tests/benchmarks/gpu.py --cpu
"""


def needed_packages(
    project: str, skip: Collection[str], environment: Mapping[str, str], without: Collection[str] = ()
) -> dict[str, str]:
    """What has to be packed: all that a project needs, less what is there already and what that needs itself.

    Args:
        project: Name of an installed distribution.
        skip: Names of the distributions that are there already.
        environment: Markers of the machine it is packed for, such as `python_version`.
        without: Names of distributions that are left out, with what only they need.

    Returns:
        Requirement by name: the version that is installed here, else what is asked for.
    """
    there = {name for each in skip for name in _closure(Requirement(each), environment)}
    return {
        name: asked
        for name, asked in sorted(_closure(Requirement(project), environment, without).items())
        if name not in there | {canonicalize_name(project)}
    }


def _closure(start: Requirement, environment: Mapping[str, str], without: Collection[str] = ()) -> dict[str, str]:
    found: dict[str, str] = {}
    seen, waiting = set(), [start]
    while waiting:
        asked = waiting.pop()
        name, extras = canonicalize_name(asked.name), frozenset(asked.extras)
        if (name, extras) in seen or name in without:
            continue
        seen.add((name, extras))
        try:
            found[name] = f"{name}=={version(name).partition('+')[0]}"
        except PackageNotFoundError:  # wanted on that machine alone
            found[name] = f"{name}{asked.specifier}"
            continue
        waiting += _direct(name, extras, environment)
    return found


def _direct(name: str, extras: Collection[str], environment: Mapping[str, str]) -> Iterator[Requirement]:
    """What a distribution with some of its extras asks for on that machine."""
    for line in requires(name) or []:
        asked = Requirement(line)
        each = [{**environment, "extra": extra} for extra in ("", *extras)]
        if asked.marker is None or any(asked.marker.evaluate(where) for where in each):
            yield asked


def markers(python: str, platform: str) -> dict[str, str]:
    """The environment markers of a Python version and a platform tag."""
    systems = {"win": ("Windows", "win32", "nt"), "macosx": ("Darwin", "darwin", "posix")}
    system, sys_platform, os_name = systems.get(re.match("[a-z]*", platform)[0], ("Linux", "linux", "posix"))
    machine = next((name for name in ("x86_64", "aarch64", "arm64", "amd64") if platform.endswith(name)), "")
    return {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "platform_system": system,
        "sys_platform": sys_platform,
        "os_name": os_name,
        "platform_machine": machine.replace("amd64", "AMD64"),
    }


def platforms(platform: str) -> list[str]:
    """A platform tag and those of the older systems whose wheels run there too."""
    linux = re.fullmatch(r"manylinux_2_(\d+)_(\w+)", platform)
    if not linux:
        return [platform]
    newest, machine = int(linux[1]), linux[2]
    old = [f"{name}_{machine}" for minor, name in OLD_NAMES.items() if minor <= newest]
    return [f"manylinux_2_{minor}_{machine}" for minor in range(newest, 4, -1)] + old


def pack_wheels(folder: Path, skip: Collection[str], python: str, platform: str, without: Collection[str] = ()) -> None:
    """Writes the wheels of the project and of what it needs: `needed_packages`."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(CHECKOUT)], check=True)
    packages = needed_packages(PROJECT, skip, markers(python, platform), without).values()
    where = [word for tag in platforms(platform) for word in ("--platform", tag)]
    how = ["--no-deps", "--only-binary=:all:", "--implementation", "cp", "--python-version", python]
    subprocess.run([*pip, "download", *how, *where, "--dest", str(folder), *packages], check=True)


def pack_images(source: Path, target: Path) -> None:
    """Writes the pictures below a folder at the size of the check, with the small files beside them."""
    files = [file for file in sorted(source.rglob("*")) if file.is_file()]
    pictures = [file for file in files if file.suffix.lower() in PICTURES]
    for file in files:
        (target / file.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
        if file not in set(pictures) and file.stat().st_size <= MAX_OTHER:
            shutil.copyfile(file, target / file.relative_to(source))
    with ProcessPoolExecutor() as pool:
        list(pool.map(partial(_reduce, source, target), pictures, chunksize=64))


def _reduce(source: Path, target: Path, file: Path) -> None:
    picture = cv2.imread(str(file))
    if picture is None:
        raise SystemExit(f"{file} cannot be read: mend or remove it.")
    scale = min(SIDE / min(picture.shape[:2]), 1)
    if scale < 1:
        size = tuple(round(scale * side) for side in picture.shape[1::-1])
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    cv2.imwrite(
        str(target / file.relative_to(source)),
        picture,
        [cv2.IMWRITE_JPEG_QUALITY, QUALITY, cv2.IMWRITE_JPEG_OPTIMIZE, 1],
    )


def pack_check(folder: Path) -> None:
    """Writes the check and the experiments that it runs."""
    leave = shutil.ignore_patterns("__pycache__", "results")
    for name in (*CHECK, "experiments"):
        source, target = CHECKOUT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=leave)
        else:
            shutil.copyfile(source, target)


def print_sizes(folder: Path) -> None:
    """Prints what each part of the folder takes, the largest wheels by name."""
    sizes = {file: file.stat().st_size for file in folder.rglob("*") if file.is_file()}
    for part in sorted(path for path in folder.iterdir()):
        size = sum(bytes_ for file, bytes_ in sizes.items() if file == part or part in file.parents)
        print(f"{size / MIB:8.1f} MiB  {part.name}")
        if part.name == "wheels":
            for file in sorted(part.iterdir(), key=sizes.__getitem__, reverse=True)[:8]:
                print(f"{sizes[file] / MIB:14.1f}  {file.name}")
    print(f"{sum(sizes.values()) / MIB:8.1f} MiB  in all: {folder}")


def main() -> None:
    """Reads the arguments and packs."""
    given = _parser().parse_args()
    out: Path = given.out
    if out.exists() and not (out / "wheels").is_dir():
        raise SystemExit(f"{out} is there and is no pack: give another --out.")
    shutil.rmtree(out, ignore_errors=True)
    (out / "wheels").mkdir(parents=True)
    without = CHECK_DOES_WITHOUT if given.check_only else ()
    pack_wheels(out / "wheels", given.skip, given.python, given.platform, without)
    pack_check(out)
    options = ""
    if given.images:
        pack_images(given.images, out / "images" / given.images.name)
        options += f" --images images/{given.images.name}"
    if given.weights:
        (out / "weights").mkdir()
        shutil.copyfile(given.weights, out / "weights" / given.weights.name)
        options += f" --weights weights/{given.weights.name}"
    there = f", beside {', '.join(given.skip)}" if given.skip else ""
    what = "--no-deps wheels/*.whl" if given.check_only else PROJECT
    about = {"python": given.python, "platform": given.platform, "there": there, "what": what, "given": options}
    (out / "README.txt").write_text(README.format(**about))
    print_sizes(out)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default="3.12", help="Python version of the machine (default: 3.12)")
    parser.add_argument("--platform", default="manylinux_2_28_x86_64", help="its newest platform tag (default: Linux)")
    parser.add_argument("--skip", nargs="*", default=[], metavar="NAME", help="packages that are there already")
    parser.add_argument("--check-only", action="store_true", help=f"leave out {', '.join(CHECK_DOES_WITHOUT)}")
    parser.add_argument("--images", type=_existing, metavar="FOLDER", help="pictures for the check, such as ISIC 2018")
    parser.add_argument("--weights", type=_existing, metavar="FILE", help="weights for the check")
    parser.add_argument(
        "--out", type=Path, default=Path("offline-pack"), help="folder to write (default: offline-pack)"
    )
    return parser


def _existing(text: str) -> Path:
    path = Path(text).expanduser()
    if not path.exists():
        raise argparse.ArgumentTypeError(f"{text} is not there")
    return path


if __name__ == "__main__":
    main()
