"""Per-class F1 at the end of a run, as W&B shows it: table, bar chart and confusion matrix."""

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import WandbLogger

from lightning_imbal.callbacks.base import model_of
from lightning_imbal.callbacks.results_writer import summarize
from lightning_imbal.loggers.weights_and_biases import tables_in_folder_of, without_wandb_if_it_fails
from lightning_imbal.runs.run import by_size


class ClassF1Panels(Callback):
    """Sends the test part's per-class table, F1 bars and confusion matrix to W&B.

    The curves `val/f1/<class>` are logged by the modules at every validation.
    """

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Sends the panels, rarest class last as in the table of the terminal."""
        report = model_of(pl_module).test_report
        scores, predictions = report.compute(), report.predictions()  # of all devices: each one has to ask
        wandb_loggers = [logger for logger in trainer.loggers if isinstance(logger, WandbLogger)]
        if not wandb_loggers or not trainer.is_global_zero:
            return
        import wandb  # only here: most runs of a table do without

        # Else W&B silently cuts the matrix of more than 100 classes.
        wandb.Table.MAX_ROWS = max(wandb.Table.MAX_ROWS, len(report.class_names) ** 2)
        classes = by_size(summarize(scores, predictions, report)["classes"])
        for logger in wandb_loggers:
            table = wandb.Table(columns=list(classes[0]), data=[list(row.values()) for row in classes])
            panels = {
                "test/classes": table,
                "test/f1_per_class": wandb.plot.bar(table, "name", "f1", title="F1 per class (test)"),
                "test/confusion": wandb.plot.confusion_matrix(
                    probs=None,
                    y_true=predictions["label"].tolist(),
                    preds=predictions["probability"].argmax(dim=1).tolist(),
                    class_names=report.class_names,
                    title="Confusion matrix (test)",
                ),
            }
            with without_wandb_if_it_fails(), tables_in_folder_of(logger.experiment):
                logger.experiment.log(panels)
