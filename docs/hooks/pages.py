"""Adds to the documentation what is generated: a page for each method, and the numbers of each paper."""

from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from lightning_imbal.guide.markdown import index, pages, titles
from lightning_imbal.guide.papers import numbers_of

NUMBERS, METHODS, HEADS = "<!-- numbers -->", "<!-- methods -->", "<!-- heads -->"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Puts the generated pages, and those of the papers, below their entries of the navigation."""
    second = {"Second stages": _entries(titles("heads"))}
    papers = {
        file.stem.capitalize(): f"papers/{file.name}" for file in sorted(Path(config.docs_dir, "papers").glob("*.md"))
    }
    papers.pop("Index", None)
    for entry in config.nav or []:
        if isinstance(entry, dict) and "Methods" in entry:
            entry["Methods"] = _below(entry["Methods"], [{"All methods": _entries(titles("methods"))}, second])
        elif isinstance(entry, dict) and "Papers" in entry:
            entry["Papers"] = _below(entry["Papers"], _entries(papers))
    return config


def _entries(pages: dict[str, str]) -> list[dict[str, str]]:
    return [{title: path} for title, path in pages.items()]


def _below(entry: str | list[Any], pages: list[Any]) -> list[Any]:
    """The pages after the first one of an entry, which may be a single one."""
    first, *rest = entry if isinstance(entry, list) else [entry]
    return [first, *pages, *rest]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds a page for each method and each second stage."""
    for path, content in pages().items():
        files.append(File.generated(config, path, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Fills the places that a page leaves for lists and numbers."""
    markdown = markdown.replace(METHODS, index("methods")) if METHODS in markdown else markdown
    markdown = markdown.replace(HEADS, index("heads")) if HEADS in markdown else markdown
    if NUMBERS in markdown:
        markdown = markdown.replace(NUMBERS, numbers_of(Path(page.file.src_uri).stem))
    return markdown
