"""F-2: the scenario vectors, as every language runs them; `tests/vectors/README.md` describes the format."""

from __future__ import annotations


import inspect
import json


from datetime import date, datetime, timezone
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import passes

VECTORS = Path(__file__).parents[3] / "tests" / "vectors"
FILES = sorted(VECTORS.glob("*.json"))


def scenarios() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Every scenario, with its file."""
    files = [json.loads(path.read_text(encoding="utf-8")) for path in FILES]
    return [(file, scenario) for file in files for scenario in file["scenarios"]]


ALL = scenarios()


class Scope:
    """What words that begin with `$` stand for."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values
        self.answers: dict[str, Any] = {}

    def expand(self, value: Any) -> Any:
        """The value with all that it names put in its place."""
        if isinstance(value, str) and value.startswith("$"):
            return self.find(value[1:])
        if isinstance(value, list):
            return [self.expand(each) for each in value]
        if isinstance(value, dict):
            fields = dict(self.find(value["$"])) if "$" in value else {}
            fields.update({name: self.expand(each) for name, each in value.items() if name != "$"})
            return fields
        return value

    def find(self, path: str) -> Any:
        """What a path leads to."""
        name, *words = path.split(".")
        found = self.answers[name] if name in self.answers else self.expand(self.values[name])
        for word in words:
            found = found[int(word)] if isinstance(found, list) else found[word]
        return found


def instant(text: str) -> datetime:
    """An instant of its text."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def python_name(name: str) -> str:
    """A name as Python has it."""
    return f"{name}_" if name in ("from", "pass") else name


def plain_name(name: str) -> str:
    """A name as the library has it."""
    return name.rstrip("_")


def snake(name: str) -> str:
    """`NewCredit` as `new_credit`."""
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name)).rstrip("_")


TEXTS: dict[type, Any] = {
    passes.Money: passes.Money.parse,
    passes.Period: passes.Period.parse,
    passes.CodeHash: passes.CodeHash.from_hex,
    datetime: instant,
    date: date.fromisoformat,
    Decimal: Decimal,
}


def read(hint: str, value: Any) -> Any:
    """A value of a type, as the stub writes types."""
    hint = hint.strip()
    if (alternatives := split(hint, "|"))[1:]:
        if value is None:
            return None
        # What may stand for another is tried last.
        return read(next(each for each in alternatives if each != "None"), value)
    name, inner = hint.split("[")[0], hint[hint.find("[") + 1 : -1] if "[" in hint else ""
    if name in ("Sequence", "Iterable"):
        return [read(inner, each) for each in value]
    if name == "Mapping":
        of_key, of_value = split(inner, ",")
        return {read(of_key, key): read(of_value, each) for key, each in value.items()}
    if name in ("bool", "int", "str"):
        return value
    if name.startswith("_"):
        return TEXTS[{"_datetime": datetime, "_date": date}[name]](value)
    if name == "Decimal":
        return Decimal(value)
    cls = getattr(passes, name)
    if issubclass(cls, Enum):
        return cls[value.upper()]
    if cls in TEXTS:
        return TEXTS[cls](value)
    variants = {snake(k): k for k, v in vars(cls).items() if isinstance(v, type) and issubclass(v, cls)}
    if variants:
        tag, held = (value, None) if isinstance(value, str) else next(iter(value.items()))
        return construct(getattr(cls, variants[tag]), f"{name}.{variants[tag]}", held)
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        return cls(value)
    return construct(cls, name, value)


def construct(cls: type, name: str, held: Any) -> Any:
    """An object of a class, by what its constructor takes."""
    parameters = [p for p in inspect.signature(cls).parameters.values()]
    types_of = STUB[name]
    names = {p.name for p in parameters}
    if parameters and (isinstance(held, dict) or held is None) and {python_name(key) for key in held or {}} <= names:
        named = {python_name(key): read(types_of[python_name(key)], each) for key, each in (held or {}).items()}
        return cls(**named)
    if not parameters:
        return cls()
    values: list[Any] = list(held or []) if len(parameters) > 1 else [held]
    return cls(*[read(types_of[p.name], each) for p, each in zip(parameters, values, strict=True)])


def split(text: str, at: str) -> list[str]:
    """The parts of a type, at what stands outside of brackets."""
    parts, depth = [""], 0
    for c in text:
        depth += (c == "[") - (c == "]")
        if c == at and depth == 0:
            parts.append("")
        else:
            parts[-1] += c
    return [part.strip() for part in parts]


def stub() -> dict[str, dict[str, str]]:
    """The parameters of every constructor and method, from the stub that is shipped."""
    import ast

    source = Path(passes.__file__).with_name("_native.pyi").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = {}

    def parameters(function: ast.FunctionDef) -> dict[str, str]:
        every = [*function.args.args, *function.args.kwonlyargs]
        return {arg.arg: ast.unparse(arg.annotation) for arg in every if arg.annotation}

    def walk(body: list[ast.stmt], prefix: str) -> None:
        for item in body:
            if isinstance(item, ast.ClassDef):
                walk(item.body, f"{prefix}{item.name}.")
            elif isinstance(item, ast.FunctionDef):
                own = prefix.removesuffix(".")
                found[own if item.name == "__new__" else f"{prefix}{item.name}"] = parameters(item)

    walk(ast.parse(source).body, "")
    return found


STUB = stub()


def write(value: Any) -> Any:
    """A value as a vector writes it."""
    if value is None or isinstance(value, (bool, int)) and not isinstance(value, Enum):
        return value
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, (date, Decimal, UUID)):
        return str(value)
    if isinstance(value, passes.Passcode):
        return value.reveal()
    if isinstance(value, passes.CodeHash):
        return value.reveal_hex()
    if isinstance(value, passes.Refusal):
        return {"code": value.code, **({"values": value.values} if value.values else {})}
    if isinstance(value, frozenset):
        # Weekdays have an order of their own; texts that of the alphabet.
        places: dict[Any, Any] = {member: place for place, member in enumerate(passes.Weekday)}

        def order(each: Any) -> Any:
            return places.get(each, each)

        several: frozenset[Any] = value
        return [write(each) for each in sorted(several, key=order)]
    if isinstance(value, (tuple, list)):
        return [write(each) for each in value]
    if isinstance(value, dict):
        return {write(key): write(each) for key, each in value.items()}
    if isinstance(value, passes.PassesError):
        return outcome(value)
    return write_object(value)


def write_object(value: Any) -> Any:
    """An object of the library: a text, a record, a pair or a variant."""
    cls = type(value)
    names = getattr(cls, "__match_args__", None)
    if names is None or cls is passes.Money or cls is passes.Currency:
        return str(value)
    fields = [(plain_name(name), write(getattr(value, name))) for name in names]
    base = cls.__mro__[1]
    positional = is_positional(cls)
    if positional:
        held: Any = fields[0][1] if len(fields) == 1 else [each for _, each in fields]
    else:
        held = {name: each for name, each in fields if each is not None}
    if base is object:
        return held
    tag = snake(cls.__qualname__.split(".")[-1])
    return {tag: held} if fields else tag


def is_positional(cls: type) -> bool:
    """Whether the fields have no names in the library."""
    parameters = inspect.signature(cls).parameters.values()
    return all(p.kind is not inspect.Parameter.KEYWORD_ONLY for p in parameters)


def outcome(error: passes.PassesError) -> dict[str, Any]:
    """What a call came to that raised."""
    if error.reasons:
        return {"refused": [write(reason) for reason in error.reasons]}
    return {"failed": error.code}


def call(library: passes.Passes, name: str, args: dict[str, Any]) -> dict[str, Any]:
    """Makes a call, and tells what it came to."""
    try:
        if name == "redeem_all":
            requests = [
                passes.Asked(read("By", by), read("Redeem", request)) for by, request in args["requests"]
            ]
            answers = library.redeem_all(requests)
            told = [outcome(each) if isinstance(each, passes.PassesError) else {"answer": write(each)} for each in answers]
            return {"answer": told}
        if name == "Spec::from_toml":
            return {"answer": write(passes.plan_from_toml(args["text"], read("Settings", args["settings"])))}
        if name == "Spec::to_toml":
            return {"answer": passes.plan_to_toml(read("Spec", args["spec"]))}
        if name == "Passcode::hash":
            code, business = passes.Passcode(args["code"]), passes.BusinessId(args["business"])
            return {"answer": code.hash(business).reveal_hex()}
        types_of = STUB[f"Passes.{python_name(name)}"]
        named = {python_name(key): read(types_of[python_name(key)], each) for key, each in args.items()}
        return {"answer": write(getattr(library, python_name(name))(**named))}
    except passes.PassesError as error:
        return outcome(error)


@pytest.mark.parametrize(("file", "scenario"), ALL, ids=[scenario["name"] for _, scenario in ALL])
def test_scenario(file: dict[str, Any], scenario: dict[str, Any]) -> None:
    """F-2: a scenario answers as it is written down."""
    start = file["start"]
    clock = passes.FixedClock(instant(start["clock"]))
    keyring = passes.Keyring.from_master(start["keys"]["id"], bytes.fromhex(start["keys"]["master"]))
    library = passes.open("memory:", keyring, clock=clock, seed=start["seed"])
    scope = Scope(file["values"])
    steps = file["setups"][scenario["setup"]] if "setup" in scenario else []
    for number, step in enumerate([*steps, *scenario["steps"]]):
        if "clock" in step:
            clock.set(instant(step["clock"]))
            continue
        args = scope.expand(step.get("args", {}))
        if "by" in step:
            args["by"] = scope.expand(step["by"])
        told = call(library, step["call"], args)
        assert told == step["expect"], f"step {number}: {step['call']}"
        if "as" in step:
            scope.answers[step["as"]] = step["expect"]["answer"]


def test_there_are_many() -> None:
    """F-2: the files are there."""
    assert len(ALL) >= 80


def test_every_method_is_called() -> None:
    """F-1, F-2: whatever the library does can be asked for in Python, and is."""
    made = {step["call"] for file, scenario in ALL for step in [*scenario["steps"], *sum(file["setups"].values(), [])] if "call" in step}
    methods = {plain_name(name) for name in dir(passes.Passes) if not name.startswith("_")}
    assert methods <= made
    assert {name for name in made if "::" not in name} <= methods
