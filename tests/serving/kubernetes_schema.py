"""Reads a manifest by the types of the official Kubernetes client, and nothing else."""

import re


def read_strictly(value, kind: str, where: str = "manifest"):
    """Checks a value against a type as the client's models name it.

    Args:
        value: What YAML gave.
        kind: `V1Deployment`, `list[V1Container]`, `dict(str, str)`, `int`, ...

    Raises:
        ValueError: A field is unknown, missing, or of another type.
    """
    from kubernetes.client import models

    listed = re.fullmatch(r"list\[(.+)\]", kind)
    mapped = re.fullmatch(r"dict\(str, (.+)\)", kind)
    if listed:
        _require(isinstance(value, list), where, value, kind)
        for number, one in enumerate(value):
            read_strictly(one, listed[1], f"{where}[{number}]")
    elif mapped:
        _require(isinstance(value, dict), where, value, kind)
        for name, one in value.items():
            read_strictly(one, mapped[1], f"{where}.{name}")
    elif hasattr(models, kind):
        _require(isinstance(value, dict), where, value, kind)
        _read_model(value, getattr(models, kind), where)
    elif kind == "object":  # an int or a string: ports, shares, quantities
        _require(type(value) in (int, str), where, value, "int or str")
    else:
        types = {"str": str, "int": int, "bool": bool, "float": float}
        _require(type(value) is types[kind], where, value, kind)


def _read_model(value, model, where):
    # Python name → the name in YAML, and back.
    python_names = {name: key for key, name in model.attribute_map.items()}
    given = {}
    for name, one in value.items():
        if name not in python_names:
            raise ValueError(f"{where}: unknown field {name}")
        read_strictly(one, model.openapi_types[python_names[name]], f"{where}.{name}")
        given[python_names[name]] = one
    try:
        model(**given)  # refuses what is missing, out of range or not of an enum
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def _require(is_right, where, value, kind):
    if not is_right:
        raise ValueError(f"{where}: {value!r} is no {kind}")
