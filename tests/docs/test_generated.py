"""The hook that adds the generated pages to the documentation."""

from importlib.util import module_from_spec, spec_from_file_location
from types import SimpleNamespace

import pytest

from lightning_imbal.experiment_files import files_of


@pytest.fixture(scope="module")
def hook():
    spec = spec_from_file_location("generated_pages", "docs/hooks/pages.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def paths(entries):
    """Every page of a part of the navigation, in order."""
    for entry in entries:
        for value in entry.values() if isinstance(entry, dict) else [entry]:
            yield from paths(value) if isinstance(value, list) else [value]


@pytest.mark.parametrize("more", [[], ["own.md"]])
def test_generated_pages_are_in_the_navigation(hook, more):
    nav = ["index.md", {"Methods": ["methods/index.md", *more]}, {"Papers": "papers/index.md"}]
    methods, papers = ([*paths([entry])] for entry in hook.on_config(SimpleNamespace(nav=nav, docs_dir="docs")).nav[1:])
    assert methods[0] == "methods/index.md" and methods[len(methods) - len(more) :] == more
    assert len(methods) == 1 + len(files_of("methods")) + len(files_of("heads")) + len(more)
    assert {"methods/ecl.md", "methods/heads/crw.md"} <= set(methods)
    authors = ("chen", "galdran", "marrakchi", "zeng", "zhang")
    assert papers == ["papers/index.md", *(f"papers/{name}.md" for name in authors)]


def test_a_site_without_a_navigation_has_all_pages(hook):
    assert hook.on_config(SimpleNamespace(nav=None, docs_dir="docs")).nav is None


def test_places_are_filled(hook):
    page = SimpleNamespace(file=SimpleNamespace(src_uri="papers/zhang.md"))
    filled = hook.on_page_markdown("a\n<!-- numbers -->\n<!-- heads -->\n", page, None, None)
    assert "## Zhang et al. 2023, Table 1\n" in filled and "[cRW](heads/crw.md)" in filled and "<!--" not in filled
    assert hook.on_page_markdown("text", page, None, None) == "text"
