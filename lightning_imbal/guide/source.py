"""Classes as their source says: what they are, what they take. Nothing is imported, which torch takes seconds for."""

import ast
from collections.abc import Iterator, Set
from dataclasses import dataclass
from functools import cache

from lightning_imbal.guide.names import find, names_in

SELF = ("self", "cls")


@dataclass(frozen=True)
class Parameter:
    """An argument of a class.

    Args:
        name: Its name.
        type: As it is written, empty if it is not.
        default: As it is given on a command line; None if it must be given.
        about: What the docstring says of it.
        owner: Name of the class that declares it.
        chosen: Its default, if that is a class.
    """

    name: str
    type: str
    default: str | None
    about: str
    owner: str
    chosen: "Source | None" = None


@dataclass(frozen=True)
class Source:
    """A class that is read, not imported.

    Args:
        module: Where it is defined.
        node: Its syntax.
    """

    module: str
    node: ast.ClassDef

    @property
    def name(self) -> str:
        """Without its module."""
        return self.node.name

    @property
    def doc(self) -> str:
        """Its docstring."""
        return ast.get_docstring(self.node) or ""

    @property
    def about(self) -> str:
        """The first line of its docstring."""
        return self.doc.partition("\n")[0]

    @property
    def is_abstract(self) -> bool:
        """Whether it is there to be inherited from alone."""
        named = {base.split(".")[-1] for base in map(ast.unparse, self.node.bases)}
        body = (ast.unparse(part) for of in self.node.body for part in getattr(of, "decorator_list", []))
        return "ABC" in named or any(decorator.endswith("abstractmethod") for decorator in body)

    def bases(self) -> "Iterator[Source | None]":
        """The classes that it inherits from; None for one whose source is not found."""
        for base in self.node.bases:
            yield resolve(self.module, ast.unparse(base).partition("[")[0])

    def is_below(self, bases: "Set[Source]") -> bool:
        """Whether it is one of some classes, or inherits from one."""
        return self in bases or any(base is not None and base.is_below(bases) for base in self.bases())

    def attribute(self, name: str) -> str | None:
        """What it, or else a class above it, sets an attribute of the class to, as it is written; None if none does."""
        own = [part.value for part in self.node.body if isinstance(part, ast.Assign) and name in _named(part)]
        above = (base.attribute(name) for base in self.bases() if base is not None)
        return ast.unparse(own[-1]) if own else next((value for value in above if value is not None), None)

    def parameters(self) -> list[Parameter]:
        """What it takes, its own arguments first, then those that its `**kwargs` hand on."""
        return _parameters(self)[0]

    @property
    def is_whole(self) -> bool:
        """Whether these are all: nothing goes on to a class whose source is not found."""
        return _parameters(self)[1]


@cache
def read(path: str) -> Source | None:
    """The class of a path such as `torch.optim.SGD`; None if there is no such source."""
    module, _, name = path.rpartition(".")
    return _source(module, name) if module else None


@cache
def resolve(module: str, name: str) -> Source | None:
    """The class that a name, with dots or none, means in a module."""
    first, _, rest = name.partition(".")
    origin = names_in(module).get(first)
    if isinstance(origin, str):
        return read(f"{origin}.{rest}" if rest else origin)
    return None if rest else _source(module, first)


def _source(module: str, name: str) -> Source | None:
    found = find(module, name)
    return _of(*found) if found else None


@cache
def _of(module: str, node: ast.AST) -> Source | None:
    return Source(module, node) if isinstance(node, ast.ClassDef) else None


def _named(part: ast.Assign) -> list[str]:
    return [ast.unparse(target) for target in part.targets]


@cache
def _parameters(cls: Source) -> tuple[list[Parameter], bool]:
    init = next((of for of in cls.node.body if isinstance(of, ast.FunctionDef) and of.name == "__init__"), None)
    if init is None and any("dataclass" in ast.unparse(decorator) for decorator in cls.node.decorator_list):
        fields = [of for of in cls.node.body if isinstance(of, ast.AnnAssign) and isinstance(of.target, ast.Name)]
        about = _about(cls.doc)
        return [_parameter(cls, of.target.id, of.annotation, of.value, about) for of in fields], True  # type: ignore[union-attr]  # names, as filtered
    if init is None:
        return _handed_on(cls, set(), 0)
    about = _about(cls.doc) | _about(ast.get_docstring(init) or "")
    arguments = init.args
    places = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(places) - len(arguments.defaults)) + arguments.defaults
    pairs = [*zip(places, defaults, strict=True), *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    own = [_parameter(cls, of.arg, of.annotation, value, about) for of, value in pairs if of.arg not in SELF]
    if arguments.kwarg is None:
        return own, True
    places_given, given = _given_to_parent(init)
    further, whole = _handed_on(cls, {each.name for each in own} | given, places_given)
    return own + further, whole


def _handed_on(cls: Source, known: set[str], places: int) -> tuple[list[Parameter], bool]:
    """What the class above takes, without its first places and what is known already."""
    whole = True
    for base in cls.bases():
        if base is None:
            whole = False
            continue
        found, of_base = _parameters(base)
        if found:
            return [each for each in found[places:] if each.name not in known], whole and of_base
    return [], whole


def _given_to_parent(init: ast.FunctionDef) -> tuple[int, set[str]]:
    """How many places a constructor fills in the call of its parent's, and which names."""
    for node in ast.walk(init):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "super().__init__":
            return len(node.args), {keyword.arg for keyword in node.keywords if keyword.arg}
    return 0, set()


def _parameter(
    cls: Source, name: str, annotation: ast.expr | None, default: ast.expr | None, about: dict[str, str]
) -> Parameter:
    kind = "" if annotation is None else _type(annotation, cls.module)
    path = ast.unparse(default) if isinstance(default, ast.Name | ast.Attribute) else ""
    chosen = resolve(cls.module, path) if path else None
    value = None if default is None else _text(default, cls.module)
    return Parameter(name, kind, value, about.get(name, ""), cls.name, chosen)


def _type(annotation: ast.expr, module: str) -> str:
    """As it is written, or what a name of its own stands for."""
    alias = find(module, annotation.id) if isinstance(annotation, ast.Name) else None
    written = alias[1] if alias and isinstance(alias[1], ast.Subscript) else annotation
    return ast.unparse(written).strip("'\"")


def _text(value: ast.AST, module: str) -> str:
    """A default as it is written on a command line."""
    match value:
        case ast.Constant(value=None):
            return "null"
        case ast.Constant(value=bool() as constant):
            return str(constant).lower()
        case ast.Constant(value=str() as constant):
            return constant or '""'
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return f"[{', '.join(_text(part, module) for part in parts)}]"
        case ast.BinOp(
            left=ast.Constant(value=float() | int() as above), right=ast.Constant(value=float() | int() as of)
        ):
            return f"{above / of:.4g}" if isinstance(value.op, ast.Div) else ast.unparse(value)
        case ast.Name(id=name):
            found = find(module, name)
            return name if found is None or isinstance(found[1], ast.ClassDef) else _text(found[1], found[0])
        case ast.Attribute():
            first, _, rest = ast.unparse(value).partition(".")
            origin = names_in(module).get(first)
            return f"{origin}.{rest}" if isinstance(origin, str) else ast.unparse(value)
    return ast.unparse(value)


@cache
def _about(doc: str) -> dict[str, str]:
    """What a docstring says of each argument, in one line."""
    if "Args:" not in doc:
        return {}
    from docstring_parser.google import parse

    return {each.arg_name: " ".join((each.description or "").split()) for each in parse(doc).params}
