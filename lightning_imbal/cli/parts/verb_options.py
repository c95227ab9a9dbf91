"""How verbs are called: the parser of each, made without what it takes to run them."""

from lightning_imbal.cli.parts.data_verb_options import JSON
from lightning_imbal.cli.parts.verb_parser import VerbParser
from lightning_imbal.experiment_files import find

OPTIONS_OF_FIT = "Options of `fit`: lightning_imbal fit --help; those of a class: --model.help ECL."
ANY_OF_FIT = "any option of `fit`, for all runs"
EDGES = "where subgroups of a number end, such as age=40,60; once for each (default: thirds of the test images)"
MOVED = "where the pictures are, if they have moved since"
RUN = "folder that fit, test or table wrote results to"
SPEC = "the table, such as experiments/tables/marrakchi_table1.yaml"


def compare() -> VerbParser:
    """That of `compare`."""
    usage = f"--data.root my_images [options]\n       [--model.pretrained true, --trainer.max_epochs 50: {ANY_OF_FIT}]"
    parser = _parser("compare", usage, "Runs several methods on your own images, and says which one to use.")
    methods = (
        "files of experiments/methods or heads, such as ce,crw,ldam_drw (default: auto, four to six that suit the data)"
    )
    parser.add_argument("--methods", nargs="+", default=["auto"], metavar="NAME", help=methods)
    repeats = parser.add_mutually_exclusive_group()
    repeats.add_argument("--folds", type=int, metavar="K", help="cross-validation with so many folds")
    repeats.add_argument("--seeds", nargs="+", type=int, default=[0], metavar="N", help="seeds on one split")
    _add_running(parser)
    parser.add_argument("--runs", metavar="DIR", help="folder of all runs (default: runs/compare-<name of the images>)")
    small = "lay variants/laptop.yaml over all runs (default: if no GPU is found)"
    parser.add_argument("--laptop", choices=["true", "false"], help=small)
    parser.add_argument("--baseline", metavar="NAME", help="method that the others are tested against")
    nameless = "without names of images, folders and groups, and without pictures on the page"
    parser.add_argument("--anonymous", action="store_true", help=nameless)
    add_edges(parser)
    return parser


def table() -> VerbParser:
    """That of `table`."""
    usage = f"SPEC [options]\n       [--data.root DIR, --trainer.max_epochs 3: {ANY_OF_FIT}]"
    does = "Runs what a table lacks, then prints it with the published numbers beside ours."
    parser = _parser("table", usage, does)
    parser.add_argument("spec", metavar="SPEC", help=SPEC)
    only = "rows, data sets or backbones to run, also with *"
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help=only)
    parser.add_argument("--seeds", nargs="+", type=int, metavar="N", help="seeds, or folds, instead of the table's")
    _add_running(parser)
    runs = "folder of all runs (default: runs/tables, and names of --config)"
    parser.add_argument("--runs", metavar="DIR", help=runs)
    parser.add_argument("--baseline", metavar="ROW", help="row that the others are tested against")
    add_edges(parser)
    _add_launcher(parser)
    return parser


def tune() -> VerbParser:
    """That of `tune`."""
    usage = f"--config FILE --search NAME=RANGE [options]\n       [--data.root DIR: {ANY_OF_FIT}]"
    does = "Searches the best settings of a run by its validation part; the test part is never opened."
    parser = _parser("tune", usage, does)
    parser.add_overlays("what is run, as for `fit`")
    parser.add_argument("--dry-run", action="store_true", help="print the first trials and what all will cost")
    what = "once for each setting, such as model.optimizer.lr=log:1e-4:1e-1; or LOW:HIGH, int:LOW:HIGH, choice:A,B,C"
    parser.add_argument("--search", action="append", default=[], metavar="NAME=RANGE", help=what)
    trials = "how many there are to be in all (default: 20); more with the same folder go on"
    parser.add_argument("--trials", type=int, default=20, metavar="N", help=trials)
    score = "of the validation part, such as val/balanced_accuracy (default: the monitored one, or val/f1)"
    parser.add_argument("--score", metavar="SCORE", help=score)
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the search (default: 0)")
    median = "median (the default) ends a trial that is worse than half of the others after as many epochs"
    parser.add_argument("--pruner", choices=["median", "none"], default="median", help=median)
    parser.add_argument("--timeout", type=float, metavar="MINUTES", help="after which no further trial is begun")
    parser.add_argument("--run_dir", metavar="DIR", help="folder of the search (default: runs/tune-NAMES)")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="trials at once (default: 1)")
    _add_launcher(parser)
    return parser


def dashboard() -> VerbParser:
    """That of `dashboard`."""
    does = "Makes a workspace of Weights & Biases (W&B) for each column of a table."
    parser = _parser("dashboard", "SPEC [options]", does)
    parser.add_argument("spec", metavar="SPEC", help=SPEC)
    parser.add_overlays()
    parser.add_argument("--runs", metavar="DIR", help="folder of its runs (default: that of `table`)")
    parser.add_argument("--entity", metavar="NAME", help="user or team of W&B (default: WANDB_ENTITY, else your own)")
    project = "project of W&B (default: WANDB_PROJECT, else lightning_imbal)"
    parser.add_argument("--project", metavar="NAME", help=project)
    return parser


def ensemble() -> VerbParser:
    """That of `ensemble`."""
    does = "The mean of the probabilities of several runs, as a run."
    parser = _parser("ensemble", "RUN RUN [RUN ...] --run_dir DIR", does)
    what = "folder of results: seeds or methods on the same images, or all folds"
    parser.add_argument("runs", nargs="+", metavar="RUN", help=what)
    parser.add_argument("--run_dir", required=True, metavar="DIR", help="new folder for the results of all together")
    return parser


def export() -> VerbParser:
    """That of `export`."""
    usage = "RUN --onnx FILE.onnx\n       [--model.predictor FlipTTA, --data.root DIR: any option of `test`]"
    parser = _parser("export", usage, "A trained model as ONNX, with a model card beside it.")
    parser.add_argument("run", metavar="RUN", help="folder that fit wrote to, or test inside it; or a checkpoint")
    parser.add_argument("--onnx", metavar="FILE", required=True, help="file to write; the card has its name and .md")
    what = (
        "decision.json of `decide`: an offset per class becomes the output `answer`, any other goes into the metadata"
    )
    parser.add_argument("--decision", metavar="FILE", help=what)
    return parser


class FeaturesParser(VerbParser):
    """That of `features`, whose first word may be a run or a configuration."""

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]  # as argparse has it
        """As argparse, with the first word written as an option."""
        if args and not args[0].startswith("-"):
            args = ["--config" if args[0].endswith((".yaml", ".yml")) else "--run", *args]
        return super().parse_known_args(args, namespace)


def features() -> VerbParser:
    """That of `features`."""
    usage = (
        "RUN [options of test]\n       lightning_imbal features --config FILE [options of fit]\n"
        "       lightning_imbal features --ckpt_path FILE [options of test]"
    )
    does = "Lets a frozen network see all pictures once, and stores what it makes of them."
    parser = FeaturesParser("features", f"lightning_imbal features {usage}", does)
    parser.epilog = OPTIONS_OF_FIT
    network = parser.add_mutually_exclusive_group()
    network.add_argument("--run", metavar="RUN", help="folder that fit wrote to, whose first stage is the network")
    network.add_argument("--ckpt_path", metavar="FILE", help="checkpoint of the network, instead of a run")
    parser.add_argument("-c", "--config", action="append", default=[], type=find, metavar="FILE", help="as of `fit`")
    where = "new folder for the features (default: RUN/features, or runs/NAMES-OF-CONFIGURATIONS/features)"
    parser.add_argument("--out", metavar="DIR", help=where)
    views = "versions of each training picture by the training's augmentation (default: 0, as it is tested)"
    parser.add_argument("--views", type=int, default=0, metavar="N", help=views)
    return parser


def init() -> VerbParser:
    """That of `init`."""
    usage = "PATH [--output NAME.yaml]\n       [--data.label_column dx: any option that answers a question]"
    does = "Looks at a folder or a label file and writes a configuration that reads it."
    parser = _parser("init", usage, does)
    parser.add_argument("path", metavar="PATH", help="a folder of images, or the CSV file that names them")
    parser.add_argument("--output", metavar="FILE", help="where to write the configuration (default: NAME.yaml here)")
    return parser


def decide() -> VerbParser:
    """That of `decide`."""
    usage = "RUN [RUN ...]\n       [--rule Offsets --score balanced_accuracy, --sensitivity melanoma=0.9, ...]"
    does = "From probabilities to answers, by a rule that is fitted on the validation part."
    parser = _parser("decide", usage, does)
    parser.add_argument("runs", nargs="+", metavar="RUN", help=RUN)
    rule = "PriorAdjusted (one number), Offsets (one per class), or Argmax; by default those that need no setting"
    parser.add_argument("--rule", nargs="+", default=[], metavar="NAME", help=rule)
    score = "what --rule is best in, such as balanced_accuracy (default: f1)"
    parser.add_argument("--score", metavar="KEY", help=score)
    costs = "CSV: what answering a class (column) costs where another is true"
    parser.add_argument("--costs", metavar="FILE", help=costs)
    for what in ("sensitivity", "specificity"):
        promised = f"least {what} of classes, as the validation part can promise it"
        parser.add_argument(f"--{what}", nargs="+", default=[], metavar="CLASS=SHARE", help=promised)
    parser.add_argument("--confidence", type=float, metavar="SHARE", help="how sure a promise is (default: 0.95)")
    parser.add_argument("--abstain", type=float, metavar="SHARE", help="answer this share of the images, the surest")
    how = (
        "share of each class where the rule is used: a CSV file (class, prevalence), or `estimate` from the test images"
    )
    parser.add_argument("--prevalence", metavar="FILE", help=how)
    parser.add_argument("--sets", type=float, metavar="SHARE", help="sets of classes that hold the true one so often")
    parser.add_argument("--csv", metavar="FILE", help="where to write the scores of every method and rule")
    parser.add_argument("--output", metavar="FILE", help="where to write the decision (default: RUN/decision.json)")
    return parser


def labels() -> VerbParser:
    """That of `labels`."""
    usage = "RUN [RUN ...] [--html] [--out DIR] [--truth FILE]"
    does = "Which labels are suspicious: by probabilities of networks that were not trained on the image."
    parser = _parser("labels", usage, does)
    what = "folder of results, best all folds of a cross-validation (compare --folds 5); seeds of a fold are averaged"
    parser.add_argument("runs", nargs="+", metavar="RUN", help=what)
    out = "new folder for labels.csv and labels.html (default: suspicious_labels)"
    parser.add_argument("--out", default="suspicious_labels", metavar="DIR", help=out)
    parser.add_argument("--html", action="store_true", help="write a page with the pictures of each class")
    parser.add_argument("--most", type=int, default=60, metavar="N", help="images of each class on it (default: 60)")
    parser.add_argument("--data.root", metavar="DIR", help=MOVED)
    truth = "CSV (image, label) of images whose true class is known: prints how many wrong labels the list finds"
    parser.add_argument("--truth", metavar="FILE", help=truth)
    parser.add_argument("--json", metavar="FILE", help=JSON["json"].help)
    return parser


def _parser(verb: str, usage: str, does: str) -> VerbParser:
    parser = VerbParser(verb, f"lightning_imbal {verb} {usage}", does)
    if verb in WITH_OPTIONS_OF_FIT:
        parser.epilog = OPTIONS_OF_FIT
    return parser


def add_edges(parser: VerbParser) -> None:
    """Adds where subgroups of numbers end, for verbs that tell their scores."""
    parser.add_argument("--edges", action="append", default=[], metavar="NAME=NUMBERS", help=EDGES)


def _add_running(parser: VerbParser) -> None:
    """Adds what the verbs that start runs have in common."""
    parser.add_argument("--dry-run", action="store_true", help="print the command lines and what they will cost")
    what = "print every setting of the runs, or of one such as 'CE', and the file it is from; train nothing"
    parser.add_argument("--print_plan", nargs="?", const="", metavar="RUN", help=what)
    parser.add_overlays()
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="runs at once; 0 prints what is there")


def _add_launcher(parser: VerbParser) -> None:
    """Adds where runs are started."""
    parser.add_argument("--launcher", choices=["local", "ray"], default="local", help="where to run (default: local)")
    parser.add_argument("--address", metavar="HOST:PORT", help="of a Ray cluster (default: RAY_ADDRESS, or one here)")
    parser.add_argument("--gpus", type=float, metavar="SHARE", help="of a GPU for each run on Ray (default: 1, if any)")


OF_VERBS = (compare, table, tune, dashboard, ensemble, export, features, init, decide, labels)
PARSERS = {each.__name__: each for each in OF_VERBS}
WITH_OPTIONS_OF_FIT = ("compare", "table", "tune", "export", "features", "init")
