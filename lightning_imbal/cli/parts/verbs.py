"""What `lightning_imbal` can do: each is a file of `cli`."""

VERBS = (
    *("list", "init", "fit", "validate", "test", "predict", "decide", "ensemble", "report", "compare", "table"),
    *("tune", "dashboard", "export", "prepare", "audit", "completion"),
)
