"""The classes that scores are of, and their groups."""

from lightning_imbal.wording import did_you_mean


def groups_by_count(class_counts: list[int], class_names: list[str]) -> dict[str, list[str]]:
    """Default groups: the third of the classes with most training images, the third with fewest, and the rest.

    Ties are broken by label order. "major" and "minor" have round(C / 3) of the C classes, at least one; "middle" has
    the rest. A group without classes is left out. Names run from most to fewest images.
    """
    ranked = [class_names[c] for c in sorted(range(len(class_counts)), key=lambda c: -class_counts[c])]
    third = max(1, round(len(ranked) / 3))
    tail = max(third, len(ranked) - third)
    groups = {"major": ranked[:third], "middle": ranked[third:tail], "minor": ranked[tail:]}
    return {group: members for group, members in groups.items() if members}


def check_classes(class_counts: list[int], class_names: list[str], class_groups: dict[str, list[str]]) -> None:
    """Refuses, with a ValueError, counts, names and groups that do not fit together."""
    if len(class_counts) != len(set(class_names)) or len(class_counts) != len(class_names) or len(class_names) < 2:
        got = f"{class_counts} for {class_names}"
        raise ValueError(f"Pass one count and one unique name for each of at least two classes: got {got}.")
    for group, members in class_groups.items():
        if not members:
            raise ValueError(f"Group {group!r} has no class: name at least one of {class_names}, or leave it out.")
        if unknown := [name for name in members if name not in class_names]:
            hint = did_you_mean(unknown[0], class_names) or f"the classes are {class_names}."
            raise ValueError(f"Group {group!r} names the unknown class {unknown[0]!r}: {hint}")
