"""Memory that is kept instead of handed back to the system, in processes of their own."""

import subprocess
import sys

import pytest

# Pages that the system hands out anew in three training steps, after three others; the fewest of three rounds, because
# what else goes on in the machine only adds to them.
CODE = """
import resource, torch
from lightning_imbal.cli.parts.allocator import keep_freed_memory
if {keep}:
    keep_freed_memory()
network = torch.nn.Sequential(torch.nn.Conv2d(3, 64, 3), torch.nn.ReLU(), torch.nn.Conv2d(64, 8, 1))
image = torch.randn(32, 3, 64, 64)
def steps():
    for _ in range(3):
        network(image).sum().backward()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
counts = [steps() for _ in range(4)]
print(min(after - before for before, after in zip(counts, counts[1:])))
"""


def pages(keep):
    told = subprocess.run([sys.executable, "-c", CODE.format(keep=keep)], capture_output=True, text=True, check=True)
    return int(told.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc is told to keep memory")
def test_memory_that_tensors_free_is_not_handed_out_anew():
    assert pages(keep=True) < 0.1 * pages(keep=False)
