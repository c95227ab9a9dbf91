"""Every class that can be chosen somewhere is of the kind that is chosen there."""

from lightning_imbal.cli.parts.help_kinds import (
    KINDS,
    classes_of,
    find_class,
    is_of,
    kind_at,
    kind_of,
    of_data,
    settable,
)
from lightning_imbal.cli.parts.parser import FACTS
from lightning_imbal.factories.arguments import ImbalParser
from lightning_imbal.losses import LDAM

OURS = {
    name: source
    for kind in KINDS.values()
    for name, source in classes_of(kind).items()
    if source.module.startswith("lightning_imbal.")
}


def test_what_a_model_gets_from_its_data():
    assert of_data() == FACTS.keys()


def test_every_class_is_of_its_kind_and_found_by_its_name():
    for name, source in OURS.items():
        assert find_class(name) == source and is_of(source, kind_of(source))
    assert kind_of(find_class("LDAM")) is KINDS["loss"] and kind_of(find_class("ECL")) is KINDS["model"]
    assert not is_of(find_class("LDAM"), KINDS["model"])
    assert kind_at("then.model.loss") is KINDS["loss"] and kind_at("trainer.callbacks+") is KINDS["callbacks"]
    assert kind_at("model.temperature") is None
    assert "ImbalClassifier" not in classes_of(KINDS["model"]) and "LRScheduler" not in classes_of(KINDS["scheduler"])


def test_what_is_called_later_is_offered_as_to_the_parser():
    """The parser of a loss leaves out what the page leaves out."""
    parser = ImbalParser(exit_on_error=False)
    added = parser.add_class_arguments(LDAM, "loss", fail_untyped=False, skip={1})
    named = {name.removeprefix("loss.") for name in added if "." in name}
    assert named == {each.name for each in settable(find_class("LDAM"), KINDS["loss"])}
