"""Adds to the documentation what is generated: a page for each method, and the numbers of each paper."""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from lightning_imbal.guide.markdown import index, pages, titles
from lightning_imbal.guide.papers import numbers_of

NUMBERS, METHODS, HEADS = "<!-- numbers -->", "<!-- methods -->", "<!-- heads -->"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Puts the generated pages below the entry `Methods` of the navigation."""
    for entry in config.nav or []:
        if isinstance(entry, dict) and "Methods" in entry:
            first = [{title: path} for title, path in titles("methods").items()]
            second = [{title: path} for title, path in titles("heads").items()]
            entry["Methods"] = ["methods/index.md", *first, {"Second stages": second}]
    return config


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
