"""Hook of mkdocs: the notebook is a page of the site, with what its cells have printed."""

import json
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

NOTEBOOK, PAGE = "whole_way.ipynb", "whole_way.md"


def on_files(files: Files, config: dict[str, Any]) -> Files:
    """Adds the page of the notebook."""
    notebook = json.loads(Path(config["docs_dir"], NOTEBOOK).read_text(encoding="utf-8"))
    files.append(File.generated(config, PAGE, content="\n\n".join(map(_shown, notebook["cells"]))))
    return files


def _shown(cell: dict[str, Any]) -> str:
    """A cell as Markdown."""
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        return source
    printed = "".join("".join(output.get("text", "")) for output in cell["outputs"])
    return f"```python\n{source}\n```" + (f"\n\n```\n{printed.rstrip()}\n```" if printed else "")


def on_page_markdown(markdown: str, page: Any, config: dict[str, Any], files: Files) -> str:
    """Leads links to the notebook to its page."""
    return markdown.replace(f"]({NOTEBOOK})", f"]({PAGE})")
