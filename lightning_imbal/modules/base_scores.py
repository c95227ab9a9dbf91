"""How the scores of an epoch get to callbacks and loggers."""

import torch
from lightning.pytorch import Trainer


def log_at_once(trainer: Trainer, scores: dict[str, float]) -> None:
    """Logs the scores of a whole epoch as `LightningModule.log_dict` does, in one step.

    Lightning makes a metric of each value, which takes longer than a small epoch: there are ten values for each class.
    Callbacks such as those that keep the best epoch know the scores, and loggers write them as one row; the Trainer
    hands back those of `test` and `validate`.

    Args:
        trainer: Has just evaluated.
        scores: The same on every device.
    """
    values = dict(zip(scores, torch.tensor(list(scores.values()), dtype=torch.float32).unbind(), strict=True))
    trainer.callback_metrics.update(values)
    trainer.logged_metrics.update(values)
    if trainer.state.fn != "fit":  # the loop gives them to the loggers when it ends
        trainer._evaluation_loop._logged_outputs[-1].update(values)
    elif not trainer.sanity_checking:
        # Not logger by logger: the number of the step under which Lightning logs, it alone knows.
        trainer._logger_connector.log_metrics(values)
