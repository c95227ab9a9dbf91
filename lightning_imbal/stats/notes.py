"""What a reader of a table must know: how its numbers were made, and which rows cannot be told apart."""

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from lightning_imbal.runs.caveats import data_remarks
from lightning_imbal.runs.tuned import tuned_words
from lightning_imbal.stats.bootstrap import SIGNIFICANT
from lightning_imbal.stats.column_difference import shared_images
from lightning_imbal.stats.column_scores import AND_RUNS, Block, Winner
from lightning_imbal.stats.floors import DRAWN, MAJORITY
from lightning_imbal.stats.learned import NOT_ABOVE, NOTHING_LEARNED
from lightning_imbal.tables.spec import Spec
from lightning_imbal.wording import signed_text

MAX_NAMED = 5


def notes_of(
    table: pd.DataFrame,
    overlays: Sequence[str],
    baseline: str,
    spec: Spec,
    blocks: Sequence[Block],
    winners: Mapping[tuple[str, str], Winner],
) -> list[str]:
    """Sentences below a table.

    Args:
        table: Its cells, as in `Results`.
        overlays: Names of the configurations over those of all runs.
        baseline: Row that the others are tested against.
        spec: The table.
        blocks: Its columns.
        winners: As in `Results`.
    """
    done = table[table["runs"] > 0]
    if done.empty:
        return []
    differ = [sentence for block in blocks if block.overlap for sentence in block.overlap.sentences()]
    notes = [*differ, *_measured(done, spec), *_few(blocks, done), *_calibration(done)]
    if done["p_value"].notna().any():
        notes += _star(done, baseline)
    notes += [*_pooled(done, spec)]
    notes += [*_ties(done, spec), *_winners(winners, baseline, spec), *_shared(spec, blocks), *_orders(spec)]
    notes += [*_floors(blocks, done), *_nothing_learned(done, spec), *_data_remarks(blocks), *_undecided(blocks)]
    if overlays:
        networks = origins(done, "networks")
        notes.append(
            f"All runs have {', '.join(overlays)} over the protocol: its own settings are others. "
            f"Network: {', '.join(networks)}."
        )
    for what in ("commits", "versions"):
        found = origins(done, what)
        if len(found) > 1:
            notes.append(f"The runs were made with several {what}: {'; '.join(found)}.")
    return notes


def _measured(done: pd.DataFrame, spec: Spec) -> Iterator[str]:
    units = " and ".join(dict.fromkeys(text.removesuffix(AND_RUNS) for text in done["units"]))
    seeds, folds = done["rounds"] > 1, done["rounds"] < done["runs"]
    of_training = ", not for the chance of training"
    if seeds.any():
        of_training = f" and the chance of training{'' if seeds.all() else ' where there are several seeds'}"
    average = f"{spec.average} ± standard deviation (ddof 0) over the runs; " if seeds.any() else ""
    yield (
        f"Measured: {average}in brackets "
        f"the 95 % interval for the choice of the {units} of the test set{of_training}. It is Wilson's of accuracy and "
        "of recall, precision and F1 of a class, and of other scores that of 2,000 bootstrap resamples."
    )
    if folds.any():
        yield (
            "The folds of a cross-validation are one test: their predictions are joined before they are scored, AUC "
            "and calibration error alone are averaged over the folds."
            + (
                " An average over folds, as it may be published, is another number."
                if done["published"].notna().any()
                else ""
            )
        )


def _pooled(done: pd.DataFrame, spec: Spec) -> Iterator[str]:
    rows = {name: row.pool for name, row in spec.rows.items() if row.pool and name in set(done["row"])}
    for how, of in {"mean": "the mean", "max": "the largest"}.items():
        if named := [name for name, pool in rows.items() if pool == how]:
            yield (
                f"{', '.join(named)}: the images of each group (lesion, patient) count as one, with {of} of their "
                "probabilities; the scores are of other things than those of single images."
            )


def _few(blocks: Sequence[Block], done: pd.DataFrame) -> Iterator[str]:
    few: dict[str, int] = {}
    for name, units in (item for block in blocks for item in block.few.items()):
        few[name] = min(units, few.get(name, units))
    if few:
        what = "groups of images" if done["units"].str.startswith("groups").any() else "images"
        named = [f"{name} ({units})" for name, units in few.items()]
        more = f" and {len(named) - MAX_NAMED} more" if len(named) > MAX_NAMED else ""
        yield (
            f"Tested with fewer than 10 {what}: {', '.join(named[:MAX_NAMED])}{more}. Resamples cannot stand for so "
            "few: intervals of means over such classes are put together from Wilson's of the classes."
        )


def _calibration(done: pd.DataFrame) -> Iterator[str]:
    if done["calibrated"].notna().any():
        yield (
            "A calibration error has no interval: below it is what a perfectly calibrated network would not exceed in "
            "95 of 100 test sets of this size."
        )


def _star(done: pd.DataFrame, baseline: str) -> Iterator[str]:
    tested = done[done["p_value"].notna()]
    how = "at 5 % (paired bootstrap, Holm-corrected for the number of rows)"
    once = tested["rounds"] == 1
    if not once.all():
        yield (
            f"* differs from {baseline} by more than the choice of the test images and the chance of training explain, "
            f"{how}{', where there are several seeds' if once.any() else ''}."
        )
    if once.any():
        where = "* " if once.all() else "With one seed, * "
        yield (
            f"{where}says that the networks of this row and those of {baseline} differ by more than the choice of the "
            f"test images explains, {how}: of the two methods it says nothing, another training may turn it round. "
            "Several seeds tell."
        )


def _ties(done: pd.DataFrame, spec: Spec) -> Iterator[str]:
    """Of each metric with marks, the rows that cannot be told from the best one."""
    for column in spec.columns:
        of_column = done[(done["dataset"] == column.dataset) & (done["backbone"] == column.backbone)]
        untold = []
        for name, metric in spec.metrics.items():
            cells = of_column[of_column["metric"] == name].sort_values("value", ascending=metric.lower_is_better)
            tied = cells["row"][cells["p_best"] >= SIGNIFICANT]
            title = metric.title or name
            if metric.mark and len(tied):
                best = cells["best"].iloc[0]
                if len(tied) == cells["p_best"].notna().sum():
                    untold.append(f"{title} ({best})")
                else:
                    from_best = f"rows that cannot be told from {best}, the best in {title}"
                    yield f"{column.title}: {from_best}: {'; '.join(tied)}."
        if untold:
            yield f"{column.title}: no row can be told from the best in {', '.join(untold)}."


def _winners(winners: Mapping[tuple[str, str], Winner], baseline: str, spec: Spec) -> Iterator[str]:
    for column in spec.columns:
        of_column = {name: found for (title, name), found in winners.items() if title == column.title}
        if of_column:
            number = max(found.chosen_from for found in of_column.values())
            each = [
                f"{spec.metrics[name].title or name} {found.row} {signed_text(found.advantage, spec.decimals)} and "
                f"{signed_text(found.corrected, spec.decimals)}"
                for name, found in of_column.items()
            ]
            yield (
                f"{column.title}: the best row less {baseline}, as observed and as corrected for being chosen from "
                f"{number} rows: {'; '.join(each)}."
            )


def _floors(blocks: Sequence[Block], done: pd.DataFrame) -> Iterator[str]:
    if any(block.compared.floors for block in blocks):
        yield (
            f"{MAJORITY} (the class with most training images, for every image) and {DRAWN} (a class drawn for each "
            "image, each as often as among the training images, with a fixed seed) need no training. Both are sure "
            "of their answers, so that their calibration error is how often they are wrong."
        )
    if (done["remark"] != "").any():
        yield (
            f"A row is {NOT_ABOVE} where its macro F1 cannot be told from that of the better of these two, or is lower "
            "(paired bootstrap at 5 %, Holm-corrected for the number of rows). It is not compared with others, nor is "
            "one whose runs have one answer only."
        )


def _nothing_learned(done: pd.DataFrame, spec: Spec) -> Iterator[str]:
    for column in spec.columns:
        of_column = done[(done["dataset"] == column.dataset) & (done["backbone"] == column.backbone)]
        if len(of_column) and not of_column["learned"].any():
            yield f"{column.title}: {NOTHING_LEARNED}."


def _data_remarks(blocks: Sequence[Block]) -> Iterator[str]:
    for block in blocks:
        runs = [run for of_row in block.done.values() for run in of_row]
        said = [remark for run in runs for remark in (*data_remarks(run.results), tuned_words(run.identity))]
        yield from (f"{block.column.title}: {remark}" for remark in dict.fromkeys(filter(None, said)))


def _undecided(blocks: Sequence[Block]) -> Iterator[str]:
    for block in blocks:
        for name, why in block.refused.items():
            yield f"{block.column.title}: {name} is left out. {why[0].upper()}{why[1:]}"


def _shared(spec: Spec, blocks: Sequence[Block]) -> Iterator[str]:
    shared, number = shared_images(spec, list(blocks))
    if shared:
        yield (
            f"{shared:,} of the {number:,} test images of {(spec.gap or ['', ''])[1]} are test images of "
            f"{(spec.gap or [''])[0]} too: the intervals of the difference take them for others, and are rather too "
            "wide."
        )


def _orders(spec: Spec) -> Iterator[str]:
    if spec.rankings:
        yield (
            "Kendall's tau is 1 where both columns put the methods in one order, -1 in opposite ones; its interval "
            "takes every pair of methods that is not told from each other in both columns (at 5 %, corrected for all "
            "pairs and both columns) as in either order."
        )


def origins(done: pd.DataFrame, what: str) -> list[str]:
    """What is told of the origin of finished cells, such as `commits`, every text once."""
    return sorted({text for of_cell in done[what] for text in of_cell.split("; ")})
