"""The command line: quick to help, clear about bad input, honest about our faults."""

import subprocess
import sys

import pytest

from psad_tf import __version__, cli
from psad_tf.data.errors import DataError
from psad_tf.errors import ConfigError, InputError
from tfx_pipeline import command

COMMANDS = ([], ["data"], ["data", "build"], ["pipeline"], ["pipeline", "run"])
COMMANDS += (["pipeline", "seeds"], ["model", "size"], ["bench"], ["bench", "study"])
COMMANDS += (["serve"], ["rerank"])
HEAVY = {"numpy", "tensorflow", "keras", "jax", "tfx", "apache_beam", "grpc", "jinja2"}
LOADED = f"""
import sys
from psad_tf.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    print("LOADED", end.code, sorted({HEAVY!r} & set(sys.modules)))
"""


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_loads_nothing_heavy(words):
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *words, "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("usage: psad")
    assert done.stdout.splitlines()[-1] == "LOADED 0 []"


def test_the_version_is_the_packages(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"psad {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["data"],
        ["data", "build"],
        ["data", "build", "--out=a", "--raw=b", "--size=fixture"],
        ["pipeline", "run", "--seed", "x"],
        ["bench"],
        ["bench", "study", "--seeds=x"],
        ["model", "size", "--rows=item_id"],
        ["serve"],
        ["serve", "--model-base-path=a", "--model-config-file=b"],
        ["rerank", "--unknown"],
    ],
    ids=" ".join,
)
def test_wrong_arguments_are_2(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    assert end.value.code == 2
    assert "usage: psad" in capsys.readouterr().err


BUILD, RUN = ["data", "build", "--out=out"], ["pipeline", "run"]


@pytest.mark.parametrize("words", [BUILD, RUN])
@pytest.mark.parametrize(
    ("flag", "told"),
    [
        ("--dataset=netflix", "--dataset: data set 'netflix' is unknown; the known"),
        ("--raw=no/where", "--raw=no/where: no such folder; give the folder that"),
        (
            "--size=study",
            "--size=study: movielens-100k is real data of one size; leave",
        ),
    ],
)
def test_bad_input_is_3_with_its_remedy(words, flag, told, capsys):
    assert cli.main([*words, flag]) == 3
    captured = capsys.readouterr()
    assert captured.err.startswith("psad: error: ") and told in captured.err
    assert captured.out == "" and len(captured.err.splitlines()) == 1


def test_a_missing_or_wrong_configuration_is_3(capsys, tmp_path):
    file, raw = tmp_path / "config.json", f"--raw={tmp_path}"
    assert cli.main([*RUN, f"--config={file}"]) == 3
    assert f"--config={file}: no such file" in capsys.readouterr().err
    file.write_text('{"sed": 1}')
    assert cli.main([*RUN, raw, f"--root={tmp_path}/r", f"--config={file}"]) == 3
    assert "'sed' is unknown; known: " in capsys.readouterr().err


def test_a_raw_folder_without_the_files_is_3(capsys, tmp_path):
    (tmp_path / "raw").mkdir()
    out = tmp_path / "out"
    assert cli.main(["data", "build", f"--out={out}", f"--raw={tmp_path}/raw"]) == 3
    assert "u.data" in capsys.readouterr().err
    assert not out.exists()


@pytest.fixture
def command_that(monkeypatch):
    """Makes `pipeline run` do what a function does."""

    def make(action):
        monkeypatch.setattr(command, "run_pipeline", lambda parsed: action())

    return make


def raising(error):
    def action():
        raise error

    return action


@pytest.mark.parametrize("kind", [InputError, DataError, ConfigError])
def test_an_error_of_the_users_is_3(kind, command_that, capsys, monkeypatch):
    command_that(raising(kind("age=-1; give a positive number")))
    assert cli.main(RUN) == 3
    assert capsys.readouterr().err == "psad: error: age=-1; give a positive number\n"
    monkeypatch.setenv("PSAD_TRACEBACK", "1")
    with pytest.raises(kind):
        cli.main(RUN)


@pytest.mark.parametrize("kind", [ValueError, KeyError, FileNotFoundError, OSError])
def test_a_fault_of_ours_keeps_its_traceback(kind, command_that):
    command_that(raising(kind("deep inside")))
    with pytest.raises(kind, match="deep inside"):
        cli.main(RUN)


def test_the_processs_exit_code_of_a_fault_is_1():
    script = (
        "import sys\n"
        "from psad_tf.cli import main\n"
        "from tfx_pipeline import command\n"
        "def run(parsed): raise ValueError('deep inside')\n"
        "command.run_pipeline = run\n"
        "sys.exit(main(['pipeline', 'run']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr and "in run\n" in done.stderr


@pytest.mark.parametrize("code", [0, cli.REFUSED])
def test_the_commands_exit_code_is_handed_on(code, command_that):
    command_that(lambda: code)
    assert cli.main(RUN) == code


def test_an_interrupt_is_130(command_that):
    command_that(raising(KeyboardInterrupt()))
    assert cli.main(RUN) == 130


@pytest.fixture
def served(monkeypatch):
    """The options that `psad serve` starts a server with."""
    import serving.launch

    given = []
    monkeypatch.setattr(serving.launch, "serve", lambda o: given.append(o) or 0)
    return given


@pytest.mark.parametrize(
    "flags",
    [
        ["--model-config-file=m_c", "--port=1", "--model-name=a_b", "--host=h"],
        ["--model_config_file=m_c", "--port=1", "--model_name=a_b", "--host=h"],
        "--model_config_file m_c --port 1 --model_name a_b --host h".split(),
    ],
)
def test_serve_takes_flags_in_either_spelling(flags, served):
    from serving.options import Options

    assert cli.main(["serve", *flags]) == 0
    (options,) = served
    assert str(options.model_config_file) == "m_c"
    assert (options.port, options.model_name, options.host) == (1, "a_b", "h")
    assert options.model_base_path is None
    untouched = ("file_system_poll_wait_seconds", "grpc_max_threads")
    for name in untouched:
        assert getattr(options, name) == getattr(Options(), name)


def test_serve_without_its_folder_is_3(capsys, tmp_path):
    assert cli.main(["serve", f"--model-base-path={tmp_path}/none"]) == 3
    assert "is no folder; give the folder" in capsys.readouterr().err


def test_rerank_hands_its_flags_on(monkeypatch):
    import serving.rerank_command

    given = []
    monkeypatch.setattr(
        serving.rerank_command, "rerank", lambda *arguments: given.append(arguments)
    )
    flags = ["--target=h:1", "--request=r.json", "--json", "--model-name=m"]
    assert cli.main(["rerank", *flags]) == 0
    assert cli.main(["rerank", *flags, "--version=3"]) == 0
    usual = "h:1", "r.json", "movielens-100k", True, "m"
    assert given == [(*usual, None), (*usual, 3)]
