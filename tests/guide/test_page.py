"""How a page looks in a terminal, and in JSON."""

from lightning_imbal.guide.page import Page, Section, as_dict, as_text

WIDE = (
    ("", "Macro F1", "Accuracy"),
    ("a method with a name that is really long", "0.123456789 [0.1, 0.2]", "0.5 [0.4, 0.6]"),
)
PAGE = Page(
    "losses",
    "L",
    "Loss",
    "What it is.",
    (
        Section("Points", text="word " * 20, items=("first", "second")),
        Section("Short", rows=(("name", "default", ""), ("gamma", "2.0", "exponent " * 10))),
        Section("Wide", rows=WIDE),
        Section("Code", code="a = b\n  + c\n"),
    ),
)


def test_text():
    head, about, points, short, wide, code = as_text(PAGE).split("\n\n")
    assert (head, about) == ("Loss (losses L)", "What it is.")
    assert points.splitlines()[1:] == [
        f"  {' '.join(15 * ['word'])}",
        f"  {' '.join(5 * ['word'])}",
        "  - first",
        "  - second",
    ]
    assert short.splitlines()[1:] == [
        "  name   default",
        f"  gamma  2.0      {' '.join(7 * ['exponent'])}",
        f"                  {' '.join(3 * ['exponent'])}",
    ]
    assert wide.splitlines()[1:] == [
        "  a method with a name that is really long",
        "    Macro F1  0.123456789 [0.1, 0.2]",
        "    Accuracy  0.5 [0.4, 0.6]",
    ]
    assert code.splitlines()[1:] == ["  a = b", "    + c"]


def test_json():
    found = as_dict(PAGE)
    assert (found["name"], found["title"], found["about"]) == ("L", "Loss", "What it is.")
    assert found["sections"]["Points"]["items"] == ("first", "second")
    assert found["sections"]["Code"] == {"code": "a = b\n  + c\n"}
