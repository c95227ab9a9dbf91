"""Memory that is kept instead of handed back to the system, in processes of their own."""

import resource
import sys

import pytest
import torch
from forked import run_forked

from lightning_imbal.cli.parts.allocator import keep_freed_memory

PAGES = 32 * 64 * 62 * 62 * 4 // 4096  # for what the first layer finds


def count_pages(file):
    """Writes the pages that the system hands out anew in three training steps, after three others.

    The fewest of three rounds, because what else goes on in the machine only adds to them.
    """
    keep_freed_memory()
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 64, 3), torch.nn.ReLU(), torch.nn.Conv2d(64, 8, 1))
    image = torch.randn(32, 3, 64, 64)
    counts = []
    for _ in range(4):
        for _ in range(3):
            network(image).sum().backward()
        counts.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
    file.write_text(str(min(after - before for before, after in zip(counts, counts[1:], strict=False))))


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc is told to keep memory")
def test_memory_that_tensors_free_is_not_handed_out_anew(tmp_path):
    run_forked(count_pages, tmp_path / "pages")
    assert int((tmp_path / "pages").read_text()) < 0.1 * PAGES
