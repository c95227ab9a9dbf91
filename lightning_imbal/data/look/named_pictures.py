"""Where the pictures are that a label file names."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from lightning.pytorch.utilities import rank_zero_info

from lightning_imbal.data.index.by_name import find_by_name
from lightning_imbal.data.index.find_files import absent_files
from lightning_imbal.data.index.listing import pictures_in
from lightning_imbal.data.look.selection import is_excluded
from lightning_imbal.wording import number_of


def locate(names: pd.Series, root: Path, suffix: str, exclude: Sequence[str], source: Path) -> pd.DataFrame:
    """Finds pictures by their paths or, where those are absent, by their names; says so.

    Args:
        names: Path of every picture below `root`, an absolute one, or a name that is that of one file.
        root: The folder.
        suffix: What the names lack at their end.
        exclude: Patterns of pictures that are not looked for.
        source: The label file, for messages.

    Returns:
        `path` of every picture, as named if it is nowhere, and `file`, its path below `root` where it lies there.

    Raises:
        UserError: A name may mean two files.
    """
    whole = names + suffix
    path = whole.where(whole.str.startswith("/"), f"{root}/" + whole)
    absent = absent_files(path)
    if absent.any():
        files = pd.Series(pictures_in(root), dtype=object)
        found = find_by_name(whole[absent], files[~is_excluded(files, exclude)].tolist(), root, source).dropna()
        path = path.where(~path.index.isin(found.index), (f"{root}/" + found).reindex(path.index))
        if len(found):
            rank_zero_info(
                f"{source} does not say where {number_of(len(found), 'image')} lie below {root}: found by name, such "
                f"as {found.iloc[0]} for {names[found.index[0]]}."
            )
    return pd.DataFrame({"path": path, "file": path.str.removeprefix(f"{root}/")})
