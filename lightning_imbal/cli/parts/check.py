"""What is refused before training or testing starts, because it could only fail hours later."""

from copy import deepcopy
from difflib import get_close_matches

import numpy as np
import torch
from jsonargparse import Namespace
from lightning.pytorch.utilities import rank_zero_info

from lightning_imbal.data.base import ImbalDataModule
from lightning_imbal.data.splits.groups import torn_groups
from lightning_imbal.errors import UserError
from lightning_imbal.heads.tau_normalized import TauNormalized
from lightning_imbal.losses.logit_adjusted import LogitAdjusted
from lightning_imbal.metrics.scores import classification_scores
from lightning_imbal.modules.base import ImbalModule
from lightning_imbal.modules.base_classifier import ImbalClassifier
from lightning_imbal.modules.frozen_head import FrozenHead
from lightning_imbal.predictors.posthoc_adjusted import PostHocAdjusted


def check_start(config: Namespace, model: ImbalModule) -> None:
    """Checks the stage that `fit` is about to start.

    Raises:
        UserError: It would train a classifier on a frozen backbone that was never trained.
    """
    if isinstance(model, FrozenHead) and not (model.backbone_ckpt or config.model.init_args.pretrained):
        raise UserError(
            "FrozenHead would train a classifier on a backbone of random weights: give it as the second stage, such as "
            "--then experiments/heads/crw.yaml, or set --model.backbone_ckpt or --model.pretrained."
        )


def check_stage(config: Namespace, last: bool, model: ImbalModule, data: ImbalDataModule) -> None:
    """Checks one stage of `fit`.

    Args:
        config: The stage's configuration.
        last: Whether it is the one that will be tested.
        model: The stage's module.
        data: The stage's data.

    Raises:
        UserError: The last stage has no classifier, an earlier one writes no checkpoint, the monitored score cannot be
            computed, or there is nothing to test on.
    """
    if last and not isinstance(model, ImbalClassifier):
        raise UserError(
            f"{type(model).__name__} learns no classifier that could be tested: add a second stage with "
            "then: {model: {class_path: FrozenHead}}."
        )
    if not last and config.trainer.fast_dev_run:
        raise UserError(
            "fast_dev_run writes no checkpoint for the second stage: "
            "use --trainer.max_epochs 1 --trainer.limit_train_batches 2 instead."
        )
    if config.monitor and isinstance(model, ImbalClassifier):
        check_monitor(config.monitor, "monitor", model, data)
    check_groups(data)
    if isinstance(model, ImbalClassifier):
        check_predictor(model, data)
    waiting = [type(loss).__name__ for loss in model.losses() if loss.needs_difficulty]
    if waiting and not len(data.rows("val")):
        raise UserError(
            f"{waiting[0]} weighs classes by their F1 on a validation part, but there is none: give the split one "
            "(--data.split.val 0.1), or set --model.loss.balanced 1."
        )
    check_views(model, data)
    if model.needs_pairs and data.paired_sampler is None:
        raise UserError(
            f"{type(model).__name__} needs a second image beside each one, but the data draws none: set a sampler, "
            "such as --data.paired_sampler ClassPower --data.paired_sampler.q 0."
        )
    if data.paired_sampler is not None and not model.needs_pairs:
        raise UserError(
            f"{type(model).__name__} has no use for the second image that paired_sampler draws: set it to null."
        )
    data.train_samplers()
    max_epochs = config.trainer.max_epochs or 1000  # Lightning's number where none is given
    built = model.build_optimizers(max_epochs)
    try:
        model.set_epoch(1, max_epochs)
    except ValueError as error:
        raise UserError(str(error)) from error
    if isinstance(built, tuple) and (score := built[1][0]["monitor"]):
        check_monitor(score, "scheduler.monitor", model, data)
    if not len(data.rows("test")):
        raise UserError(
            f"{type(data.split).__name__} leaves no image to test on: choose a split with a test part, such as "
            "--data.split Holdout --data.split.test 0.2."
        )


def check_groups(data: ImbalDataModule) -> None:
    """Refuses a split that has images of one group in several parts."""
    if data.groups is not None and len(torn := torn_groups(data.table["part"], data.groups)):
        raise UserError(
            f"{type(data.split).__name__} puts images of one {data.group_by} into several parts ({len(torn)} times, "
            f"the first is {torn.iloc[0]}): choose Holdout or KFold, which keep them together, or do not group it."
        )


def check_views(model: ImbalModule, data: ImbalDataModule) -> None:
    """Checks that a batch has as many views of each image as the model can use.

    Raises:
        UserError: It has fewer or more.
    """
    name, views = type(model).__name__, len(data.train_recipes)
    if views < model.min_views:
        raise UserError(
            f"{name} needs {model.min_views} views of each image, but the data gives {views}: "
            f"set --data.views {model.min_views}, or more_views for views of another kind."
        )
    if model.max_views is not None and views > model.max_views:
        raise UserError(
            f"{name} can use {model.max_views} of the {views} views of each image that the data gives: "
            f"set --data.views {model.max_views} --data.more_views null."
        )


def check_monitor(score: str, option: str, model: ImbalModule, data: ImbalDataModule) -> None:
    """Checks that a score that something waits for will be computed.

    Raises:
        UserError: There is no validation part, or no such score.
    """
    if not len(data.rows("val")):
        raise UserError(
            f"There is no validation part to find the best {score} on: "
            f"give the split one (--data.split.val 0.1), or set {option} to null."
        )
    known = ["val/loss"]
    if isinstance(model, ImbalClassifier):
        report = model.val_report
        about = report.class_counts, report.class_names, report.class_groups
        known = [
            f"val/{name}"
            for name in classification_scores(torch.eye(len(about[0])), torch.arange(len(about[0])), *about)
        ]
    if score not in known:
        similar = get_close_matches(score, known, n=1)
        hint = f"did you mean {similar[0]}?" if similar else f"there are {', '.join(known[:10])}."
        raise UserError(f"{option} is {score!r}, which is no score of the validation part: {hint}")


def check_predictor(model: ImbalClassifier, data: ImbalDataModule) -> None:
    """Checks that the predictor fits the loss and the data.

    Raises:
        UserError: Logits would be adjusted to the class sizes in training and once more after it (Menon et al. 2021),
            or the predictor is fitted on a validation part that is not there.
    """
    adjusted = any(isinstance(module, LogitAdjusted) for module in model.modules())
    if adjusted and isinstance(model.predictor, PostHocAdjusted):
        raise UserError("The loss LogitAdjusted has adjusted the logits already: use another predictor, such as Plain.")
    if model.predictor.needs_calibration and not len(data.rows("val")):
        raise UserError(
            f"{type(model.predictor).__name__} is fitted on the validation part, but there is none: "
            "give the split one (--data.split.val 0.1), or the predictor its value."
        )


def check_following(
    earlier_model: ImbalModule, earlier: ImbalDataModule, later_model: ImbalModule, later: ImbalDataModule
) -> None:
    """Checks that a stage can follow another: its classifier, and that it tests on nothing the other was trained on.

    Raises:
        UserError: It cannot take over the classifier, or their splits differ so that test images were trained on.
    """
    if isinstance(later_model, FrozenHead):
        check_backbone(earlier_model, later_model)
        check_head(earlier_model, later_model, later)
    seen = earlier.table["image"][earlier.table["part"].isin(["train", "val"])]
    test = later.table["image"][later.rows("test")]
    if test.isin(seen).any():
        raise UserError(
            f"{test.isin(seen).sum()} of the {len(test)} test images of the second stage are training images of the "
            "first: give both stages the same split."
        )


def check_backbone(earlier: ImbalModule, later: FrozenHead) -> None:
    """Checks that a second stage can take over the backbone of the first.

    Raises:
        UserError: They are different networks.
    """
    shapes = [{key: value.shape for key, value in model.backbone.state_dict().items()} for model in (earlier, later)]
    if shapes[0] != shapes[1]:
        raise UserError(
            f"The second stage has another backbone than {type(earlier).__name__} trains: set the same one in both "
            "(BBN, which doubles the last block, can have no second stage: set --then null)."
        )


def check_head(earlier: ImbalModule, later: FrozenHead, data: ImbalDataModule) -> None:
    """Checks that a second stage can take over the classifier of the first, and has what it is computed from.

    Raises:
        UserError: There is no classifier, it is of another kind, or there is no validation part to choose tau on.
    """
    if later.init == "keep":
        if not isinstance(earlier, ImbalClassifier):
            raise UserError(f"{type(earlier).__name__} has no classifier for the second stage to keep: set init: new.")
        try:
            deepcopy(later.head).load_state_dict(earlier.head.state_dict())
        except RuntimeError as error:
            before, now = type(earlier.head).__name__, type(later.head).__name__
            raise UserError(
                f"The second stage cannot keep the classifier of the first: {before} is no {now}; "
                "choose the same head in both, or set init: new."
            ) from error
    if isinstance(later.head, TauNormalized) and later.head.given_tau is None and not len(data.rows("val")):
        raise UserError(
            "TauNormalized chooses tau on the validation part, but there is none: give the split one "
            "(--data.split.val 0.1), or set --then.model.init_args.head.init_args.tau 1."
        )


def report_missing_classes(data: ImbalDataModule) -> None:
    """Says which classes have no image to be evaluated on: their scores mean nothing."""
    for part in ("val", "test"):
        counts = np.bincount(data.labels_of(part), minlength=len(data.class_names))
        if counts.any() and (counts == 0).any():
            empty = ", ".join(np.array(data.class_names)[counts == 0])
            rank_zero_info(f"The {part} part has no image of: {empty}. Scores of such a class mean nothing.")


def check_evaluation(part: str, model: ImbalModule, data: ImbalDataModule) -> None:
    """Checks what `test` (part `test`), `validate` (part `val`) and `predict` (no part) were given.

    Raises:
        UserError: The checkpoint has no classifier, its classes are not those of the data, or the part is empty.
    """
    if not isinstance(model, ImbalClassifier):
        raise UserError(
            f"The checkpoint is a {type(model).__name__}, which has no classifier: give that of the second stage."
        )
    check_predictor(model, data)
    if part and list(data.class_names) != model.class_names:
        raise UserError(
            f"The checkpoint knows the classes {', '.join(model.class_names)}, but {type(data).__name__} has "
            f"{', '.join(data.class_names)}: give data with the same classes."
        )
    if part and not len(data.rows(part)):
        raise UserError(f"The split has no {part} part: give it one, such as --data.split.{part} 0.1.")
