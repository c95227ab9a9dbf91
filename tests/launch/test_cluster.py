"""What a cluster is asked for, without one."""

from types import SimpleNamespace

import pytest

pytest.importorskip("ray", reason="Ray is not installed: pip install 'lightning_imbal[cluster]'")

from lightning_imbal.launch import cluster


@pytest.mark.parametrize(("has", "gpus", "share"), [({}, None, 0), ({"GPU": 2}, None, 1), ({"GPU": 2}, 0.5, 0.5)])
def test_a_job_has_its_share_and_is_tried_again(has, gpus, share, monkeypatch):
    asked = {}
    ray = SimpleNamespace(
        init=lambda *args, **kwargs: None,
        cluster_resources=lambda: {"CPU": 8} | has,
        remote=lambda **options: asked.update(options) or (lambda function: function),
    )
    monkeypatch.setattr(cluster, "ray", ray)
    monkeypatch.setattr(cluster, "processors", lambda jobs: 8 // jobs)
    assert cluster.RayLauncher(2, gpus=gpus).has_room()
    assert asked == {"num_cpus": 4, "num_gpus": share, "max_retries": 3}
