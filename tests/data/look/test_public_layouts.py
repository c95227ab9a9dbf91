"""Public image sets in the structure in which they are published: read soundly, or refused for the right reason."""

import pytest
from public_layouts import LAYOUTS

from lightning_imbal.cli.parts.survey import keep_together, survey
from lightning_imbal.errors import UserError

READ = [layout for layout in LAYOUTS.values() if layout.kind != "refused"]
REFUSED = [layout for layout in LAYOUTS.values() if layout.kind == "refused"]
KINDS = {"folder": "FolderData", "csv": "CSVData"}


@pytest.fixture
def looked_at(tmp_path):
    """Builds a set and looks at it, with answers to some questions."""

    def look(layout, **answers):
        root = layout.build(tmp_path)
        labels = {"labels": str(tmp_path / layout.labels)} if layout.labels else {}
        found = survey(root if labels else tmp_path, labels | answers)
        keep_together(found.look)
        return found

    return look


@pytest.mark.parametrize("layout", REFUSED, ids=lambda layout: layout.name)
def test_what_cannot_be_read_is_refused(layout, looked_at):
    with pytest.raises(UserError) as refusal:
        looked_at(layout)
    assert all(word in str(refusal.value) for word in layout.says)


@pytest.mark.parametrize("layout", READ, ids=lambda layout: layout.name)
def test_a_look_says_how_it_is_read(layout, looked_at):
    found = looked_at(layout)
    asked = [option for question in found.look.questions for option in question.options]
    if layout.label_column not in (None, found.look.settings.get("label_column")):
        assert any("--data.label_column" in option for option in asked)
        found = looked_at(layout, label_column=layout.label_column)
    data = found.data
    assert type(data).__name__ == KINDS[layout.kind]
    assert data.index["label"].map(dict(enumerate(data.class_names))).value_counts().to_dict() == layout.classes
    if "official" in data.index:
        assert data.index["official"].value_counts().to_dict() == layout.split
    guess = next(iter(found.look.guesses), None)
    assert (guess and guess.groups.fillna(data.selected[0]["file"]).nunique()) == layout.groups
    assert guess is None or any(guess.option[0] in text for text in [*found.look.settings, *asked])
