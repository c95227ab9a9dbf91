"""Makes the pictures of the documentation from finished runs: python tests/docs/screenshots.py RUN [RUN ...].

The report page is photographed in headless Chromium, and so is what the same command prints in a terminal.
"""

import base64
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from rich.console import Console
from rich.text import Text

sys.path.insert(0, str(Path(__file__).parents[1]))
from browser import CHROMIUM, Browser

IMAGES = Path(__file__).parents[2] / "docs" / "images"
WIDTH, COLUMNS, COLOURS = 1280, 100, 128
TERMINAL = """<!DOCTYPE html><meta charset="utf-8"><style>
body {{ margin: 0; background: white }}
pre {{ display: inline-block; margin: 0; padding: 16px; font: 14px/1.17 "DejaVu Sans Mono", monospace }}
{stylesheet}</style><body><pre>{code}</pre></body>"""
# What of the page: the chapter that it begins with (empty: the top), the width of the window, and the height.
PAGE = {
    "page": ("", WIDTH, 1000),
    "phone": ("", 400, 800),
    "decisions": ("decisions", WIDTH, 900),
    "explain": ("mistakes", WIDTH, 700),
}
# A chapter that begins near the lower end is not begun.
END = """Math.min(HEIGHT, ...[...document.querySelectorAll("h2")].map((title) => title.getBoundingClientRect().top - 30)
    .filter((top) => top > 0.7 * HEIGHT))"""


def main(runs: list[str]) -> None:
    """Writes the pictures of runs into docs/images.

    Raises:
        SystemExit: There is no run, or no browser.
    """
    if not runs:
        raise SystemExit("Give the folders of finished runs, such as those of `make demo`.")
    if not CHROMIUM:
        raise SystemExit("Chromium is not installed.")
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Browser() as browser:
        html = Path(folder, "report.html")
        printed = said("report", *runs, "--explain", "gradcam", "--html", str(html))
        for name, (chapter, width, height) in PAGE.items():
            browser.open(html, width, height)
            browser.wait("document.querySelector('.main-svg')")
            scroll = f"document.getElementById('{chapter}').scrollIntoView()" if chapter else "window.scrollTo(0, 0)"
            browser.evaluate(f"{scroll}, new Promise((drawn) => setTimeout(drawn, 3000)).then(() => true)")
            top, end = browser.evaluate("window.scrollY"), browser.evaluate(END.replace("HEIGHT", str(height)))
            photograph(browser, IMAGES / f"{name}.png", top, width, end)
        html.write_text(in_terminal(printed), encoding="utf-8")
        browser.open(html, WIDTH, 900)
        size = browser.evaluate("(b => [b.width, b.height])(document.querySelector('pre').getBoundingClientRect())")
        photograph(browser, IMAGES / "terminal.png", 0, *size)
    for file in sorted(IMAGES.glob("*.png")):
        print(f"{file.name}: {file.stat().st_size / 1000:.0f} kB")


def said(*command: str) -> str:
    """What a verb prints into a terminal with colours."""
    terminal = {"COLUMNS": str(COLUMNS), "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    call = [sys.executable, "-m", "lightning_imbal", *command]
    return subprocess.run(call, env=os.environ | terminal, stdout=subprocess.PIPE, text=True, check=True).stdout


def in_terminal(printed: str) -> str:
    """A page that looks like the terminal: the first table of what was printed."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    lines = printed.splitlines()
    ends = [number for number, line in enumerate(lines) if "└" in line]
    console.print(Text.from_ansi("\n".join(lines[: ends[0] + 1] if ends else lines)))
    return console.export_html(code_format=TERMINAL)


def photograph(browser: Browser, file: Path, top: float, width: float, height: float) -> None:
    """Saves a part of the page, in few colours."""
    clip = {"x": 0, "y": top, "width": width, "height": height, "scale": 1}
    found = browser.send("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
    picture = Image.open(io.BytesIO(base64.b64decode(found["data"]))).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)


if __name__ == "__main__":
    main(sys.argv[1:])
