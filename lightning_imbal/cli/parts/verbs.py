"""What `lightning_imbal` can do: each is a file of `cli`."""

VERBS = (
    *("list", "init", "features", "fit", "validate", "test", "predict", "decide", "ensemble", "report", "compare"),
    *("table", "tune", "labels", "dashboard", "export", "prepare", "audit", "completion"),
)
