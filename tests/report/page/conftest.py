"""One browser for the tests of all pages, since it takes seconds to start."""

import pytest
from browser import CHROMIUM, Browser, do_without


@pytest.fixture(scope="session")
def started():
    if CHROMIUM is None:
        do_without()
    with Browser() as tab:
        yield tab


@pytest.fixture
def browser(started):
    """A tab that has no complaints yet, of a reader who likes it light."""
    started.complaints.clear()
    started.requests.clear()
    started.prefer("light")
    return started
