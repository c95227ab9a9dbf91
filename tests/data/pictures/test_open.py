"""Pictures that cannot be read, however they are opened."""

import random

import numpy as np
import pytest
from made_pictures import encode, smooth

from lightning_imbal.data.pictures import read
from lightning_imbal.data.pictures.files import ImageFiles
from lightning_imbal.data.pictures.read import read_image
from lightning_imbal.errors import BadImageError


def bad_contents():
    rng = random.Random(0)
    jpeg, png = encode(smooth(120, 160), "JPEG"), encode(smooth(120, 160), "PNG")
    yield from {
        "empty": b"",
        "noise": rng.randbytes(500),
        "text": b"<html>404 not found</html>",
        "jpeg header only": b"\xff\xd8\xff\xe0" + bytes(500),
        "padded half of a jpeg": jpeg[: len(jpeg) // 2] + bytes(len(jpeg) - len(jpeg) // 2),
        "half of a progressive jpeg": encode(smooth(120, 160), "JPEG", progressive=True)[:900],
        "damaged png": png[:200] + bytes(100) + png[300:],
    }.items()
    for name, content in (("jpeg", jpeg), ("png", png)):
        yield f"half of a {name}", content[: len(content) // 2]
        yield from ((f"{name} less {cut} bytes", content[:-cut]) for cut in range(1, 21))


class TestBadImages:
    @pytest.mark.parametrize("short_side", [None, 16])
    @pytest.mark.parametrize("content", [pytest.param(content, id=name) for name, content in bad_contents()])
    def test_content(self, tmp_path, content, short_side):
        path = tmp_path / "lesion_7.jpg"
        path.write_bytes(content)
        with pytest.raises(BadImageError, match="lesion_7.jpg") as caught:
            ImageFiles([str(path)], short_side)[0]
        assert not isinstance(caught.value.__cause__, OSError)

    @pytest.mark.parametrize(
        "content, said",
        [
            (b"", "is empty"),
            (encode(smooth(60, 80), "JPEG")[:-9], "is truncated"),
            (b"text", "damaged or no picture"),
        ],
    )
    def test_message_says_the_cause(self, tmp_path, content, said):
        (tmp_path / "lesion_7.jpg").write_bytes(content)
        with pytest.raises(BadImageError, match=f"lesion_7.jpg.* {said}.* remove it"):
            read_image(tmp_path / "lesion_7.jpg")

    def test_missing_file(self, tmp_path):
        with pytest.raises(BadImageError, match=r"lesion_7.jpg \(No such file.*\): restore") as caught:
            read_image(tmp_path / "lesion_7.jpg")
        assert isinstance(caught.value.__cause__, OSError)

    def test_folder_instead_of_a_file(self, tmp_path):
        with pytest.raises(BadImageError, match="Is a directory"):
            read_image(tmp_path)

    def test_file_that_may_not_be_read(self, tmp_path, monkeypatch):
        def refuse(path, mode):
            raise PermissionError(13, "Permission denied", str(path))

        (tmp_path / "lesion_7.jpg").touch()
        monkeypatch.setattr(read, "open", refuse, raising=False)
        with pytest.raises(BadImageError, match=r"lesion_7.jpg \(Permission denied\): allow it"):
            read_image(tmp_path / "lesion_7.jpg")

    @pytest.mark.parametrize(
        "tail", [bytes(1), bytes(1000), b"\n", b"made by a camera" * 9, b"\xff\xd8\xff\xe0 and more"]
    )
    @pytest.mark.parametrize("kind", ["JPEG", "PNG"])
    def test_bytes_behind_the_end_are_no_fault(self, tmp_path, kind, tail):
        content = encode(smooth(60, 80), kind)
        (tmp_path / "whole").write_bytes(content)
        (tmp_path / "longer").write_bytes(content + tail)
        assert np.array_equal(read_image(tmp_path / "longer"), read_image(tmp_path / "whole"))
        assert read_image(tmp_path / "longer", 20).shape == (20, 27, 3)
