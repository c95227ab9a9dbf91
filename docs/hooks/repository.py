"""Hook of mkdocs: links to files of the repository work in the site as they do beside the code.

A page says `../experiments/results/README.md`, which is right on the repository's host. The file is not below `docs/`:
here it becomes a page, or a file to load, below `repository/`, and so does what it links to itself.
"""

import re
from os.path import normpath, relpath
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

LINK = re.compile(r"\]\((?!\w+:|#|<)([^)#\s]+)(#[^)\s]*)?\)")
CODE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
BELOW = "repository"


def on_files(files: Files, config: dict[str, Any]) -> Files:
    """Adds the files outside `docs/` that pages link to, and those that these link to.

    Raises:
        FileNotFoundError: A page links to a file that is not there.
    """
    root = Path(config["config_file_path"]).parent
    waiting = [("the navigation", "CONTRIBUTING.md"), ("the navigation", "CHANGELOG.md")]
    for file in files.documentation_pages():
        waiting += _outside(f"docs/{file.src_uri}", file.content_string)
    seen = {"README.md"}  # which the first page stands for
    while waiting:
        page, name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if not (root / name).is_file():
            raise FileNotFoundError(f"{page} links to {name}, which is no file of the repository.")
        files.append(File.generated(config, f"{BELOW}/{name}", abs_src_path=str(root / name)))
        if name.endswith(".md"):
            waiting += _outside(name, (root / name).read_text(encoding="utf-8"))
    return files


def _outside(page: str, text: str) -> list[tuple[str, str]]:
    """The page, with each file outside `docs/` that it links to; all are paths below the root."""
    targets = {normpath(Path(page).parent / link[1]) for link in LINK.finditer(CODE.sub("", text))}
    return sorted((page, name) for name in targets if not name.startswith("docs/"))


def on_page_markdown(markdown: str, page: Any, config: dict[str, Any], files: Files) -> str:
    """Turns links that are right in the repository into those of the site."""
    source = page.file.src_uri
    original = source.removeprefix(f"{BELOW}/") if source.startswith(f"{BELOW}/") else f"docs/{source}"

    def of_site(link: re.Match[str]) -> str:
        target = normpath(Path(original).parent / link[1])
        # The README says what the first page says.
        place = "index.md" if target == "README.md" else target.removeprefix("docs/")
        if place == target:
            place = f"{BELOW}/{target}"
        return f"]({relpath(place, Path(source).parent)}{link[2] or ''})"

    return "".join(text if CODE.match(text) else LINK.sub(of_site, text) for text in CODE.split(markdown))
