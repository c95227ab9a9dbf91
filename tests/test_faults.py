"""The list of `make faults` fits the package as it is now, and its last line is right."""

from faults import PACKAGE, ROOT, read_faults, tell


def test_every_fault_can_be_put_in_and_is_still_python():
    for fault in read_faults():
        text = (ROOT / PACKAGE / fault.file).read_text(encoding="utf-8")
        compile(fault.put_into(text), fault.file, "exec")


def test_survivors_are_named_and_a_room_with_many_of_them_fails(capsys):
    faults = [fault for fault in read_faults() if fault.room in ("stats", "cli")]
    assert tell(dict.fromkeys(faults, "tests/stats/test_advice.py::test_x")) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"{len(faults)} of {len(faults)} killed"
    killers = {fault: "" if fault.room == "cli" else "tests/stats" for fault in faults}
    assert tell(killers) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("SURVIVED")] == [
        f"SURVIVED  {fault}" for fault in faults if fault.room == "cli"
    ]
    assert lines[-1] == f"{sum(fault.room == 'stats' for fault in faults)} of {len(faults)} killed"
