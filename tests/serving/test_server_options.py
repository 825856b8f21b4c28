"""Flags and configuration files, and what is refused before anything starts."""

import subprocess
from pathlib import Path

import pytest
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
    wrappers_pb2,
)

import serving
from serving.options import OptionError, Options, parse

HOME = Path(serving.__file__).parent
CONFIG = HOME / "config"


def test_flags_are_those_of_the_real_server(tmp_path):
    options = parse([f"--model_base_path={tmp_path}", "--port=1", "--model_name=m"])
    assert options == Options(port=1, model_name="m", model_base_path=tmp_path)
    assert options.host == "127.0.0.1"
    assert parse(options.flags()) == options


def test_paths_are_made_absolute_for_the_real_server(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flags = Options(model_base_path=Path("models")).flags()
    assert f"--model_base_path={tmp_path}/models" in flags


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ([], "give either --model_base_path or --model_config_file"),
        (["--model_base_path={tmp}", "--model_config_file=x"], "give either"),
        (["--model_base_path={tmp}/none"], "is no folder; give the folder"),
        (["--model_config_file={tmp}/none"], "is no file; give a text"),
        (["--model_base_path={tmp}", "--port=65536"], "not in 0..65535"),
        (["--model_base_path={tmp}", "--port=many"], "--port"),
        (["--model_base_path={tmp}", "--file_system_poll_wait_seconds=0"], "at least"),
        (["--model_base_path={tmp}", "--grpc_max_threads=0"], "at least 1"),
    ],
)
def test_options_that_cannot_work_exit_with_3(flags, told, tmp_path, capsys):
    with pytest.raises(SystemExit) as raised:
        parse([flag.format(tmp=tmp_path) for flag in flags])
    assert raised.value.code == 3
    assert told in capsys.readouterr().err


def config(tmp_path, text):
    path = tmp_path / "models.config"
    path.write_text(text)
    return path


def models(*configs):
    return "model_config_list {" + "".join(configs) + "}"


def model(name="psad", path="/", more=""):
    return f'config {{ name: "{name}" base_path: "{path}" {more} }}'


def test_a_config_file_names_models_and_folders(tmp_path):
    from serving.model_config import base_paths

    path = config(tmp_path, models(model("a", tmp_path), model("b")))
    paths = base_paths(Options(model_config_file=path))
    assert paths == {"a": tmp_path, "b": Path("/")}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("model {", "no text ModelServerConfig"),
        ("", "names no model"),
        (models(), "names no model"),
        (models(model(), model()), "two models are named 'psad'"),
        (models(model(name="")), "give a name and an absolute base_path"),
        (models(model(path="models")), "give a name and an absolute base_path"),
        (models(model(path="/no/such/folder")), "is no folder"),
        (models(model(more='model_platform: "torch"')), "must be 'tensorflow'"),
        (
            models(model(more="model_version_policy { all {} }")),
            "the newest version alone",
        ),
        (
            models(model(more="model_version_policy { latest { num_versions: 2 } }")),
            "the newest version alone",
        ),
        (
            models(model(more='version_labels { key: "canary" value: 1 }')),
            "remove model_version_policy and version_labels",
        ),
    ],
)
def test_a_config_that_cannot_be_served_is_refused(tmp_path, text, told):
    from serving.model_config import read_config

    with pytest.raises(OptionError, match=told):
        read_config(config(tmp_path, text))


def test_the_shipped_model_config_is_the_official_message():
    pb2 = pytest.importorskip("tensorflow_serving.config.model_server_config_pb2")
    text = (CONFIG / "models.config").read_text()
    (one,) = text_format.Parse(text, pb2.ModelServerConfig()).model_config_list.config
    assert (one.name, one.base_path) == ("psad", "/models/psad")


# The package of the official messages leaves these two out, so their public
# declarations are repeated: field → (number, type).
MONITORING = {"enable": (1, "BOOL"), "path": (2, "STRING")}
INT64 = ".google.protobuf.Int64Value"
BATCHING = {
    "max_batch_size": (1, INT64),
    "batch_timeout_micros": (2, INT64),
    "max_enqueued_batches": (3, INT64),
    "num_batch_threads": (4, INT64),
    "allowed_batch_sizes": (6, "INT64"),
    "pad_variable_length_inputs": (7, "BOOL"),
}


def declared(name, fields):
    """A message class of these fields; `..._sizes` are repeated."""
    file = descriptor_pb2.FileDescriptorProto(
        name=name, syntax="proto3", dependency=[wrappers_pb2.DESCRIPTOR.name]
    )
    message = file.message_type.add(name=name)
    for field_name, (number, kind) in fields.items():
        field = message.field.add(name=field_name, number=number)
        field.label = 3 if field_name.endswith("_sizes") else 1
        if kind.startswith("."):
            field.type, field.type_name = field.TYPE_MESSAGE, kind
        else:
            field.type = field.Type.Value(f"TYPE_{kind}")
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


def test_the_shipped_batching_parameters_are_ones_the_server_takes():
    text = (CONFIG / "batching_parameters.txt").read_text()
    batching = text_format.Parse(text, declared("Batching", BATCHING)())
    sizes = list(batching.allowed_batch_sizes)
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == batching.max_batch_size.value
    assert not batching.pad_variable_length_inputs


def test_the_shipped_monitoring_config_turns_metrics_on():
    text = (CONFIG / "monitoring.config").read_text()
    start, end = text.index("{") + 1, text.rindex("}")
    prometheus = text_format.Parse(text[start:end], declared("M", MONITORING)())
    assert text[:start].endswith("prometheus_config {")
    assert prometheus.enable and prometheus.path.startswith("/")


@pytest.mark.parametrize("batching", ["", "1"])
def test_the_entry_script_starts_the_binary_with_the_shipped_files(tmp_path, batching):
    binary = tmp_path / "tensorflow_model_server"
    binary.write_text('#!/bin/sh\necho "$@"\n')
    binary.chmod(0o755)
    run = subprocess.run(
        ["/bin/sh", HOME / "docker" / "entry.sh", "--extra=1"],
        env={"PATH": str(tmp_path), "PSAD_BATCHING": batching},
        capture_output=True,
        text=True,
        check=True,
    )
    flags = dict(flag.split("=", 1) for flag in run.stdout.split())
    named = [Path(v).name for k, v in flags.items() if k.endswith("_file")]
    assert all((CONFIG / name).is_file() for name in named)
    assert flags["--extra"] == "1"
    assert len(named) == (3 if batching else 2)
    assert flags.get("--enable_batching") == ("true" if batching else None)
