"""`psad gate explain`: what passed, by how much, and what would have to change."""

import json
import subprocess
import sys

import pytest
from gate_records import CHECKS, FIRST, gain, write_gate

from psad_tf import cli
from psad_tf.errors import InputError
from tfx_pipeline.gate.explain import explain
from tfx_pipeline.gate.record import as_record, read_record

REFUSED = [gain(0.0139), *CHECKS[1:], gain(-0.02, "age: 25-34")]


def test_what_passed_and_by_how_much():
    lines = explain(as_record(CHECKS)).splitlines()
    assert lines[0] == (
        "The gate passed the model: 0 of 2 checks failed, 2 had nothing to judge."
    )
    assert lines[2] == (
        "passed  NDCG@10 gain over the initial order is +0.0231 (+0.0181 to +0.0281); "
        "lower end must be > +0.0100: passed by 0.0081"
    )
    assert lines[3] == f"  -     {FIRST.finding}"
    assert "no model was blessed before" in lines[3]
    assert lines[4].startswith("passed  groups: 1 checks; nearest to its bound: NDCG")
    assert "of age: 18-24" in lines[4]
    assert lines[5] == "  -     groups: 1 checks had too few test lists"
    assert len(lines) == 6


def test_all_groups_on_demand():
    lines = explain(as_record(CHECKS), every=True).splitlines()
    assert sum("of age:" in line for line in lines) == 2
    assert not any("nearest" in line for line in lines)


def test_what_failed_is_told_with_reason_and_remedy():
    text = explain(as_record(REFUSED))
    assert text.startswith("The gate refused the model: 2 of 3 checks failed")
    assert "lower end must be > +0.0100: failed by 0.0011" in text
    _, changes = text.split("What would have to change:")
    assert changes.count("why asked: It must help.") == 2
    assert changes.count("remedy: train longer") == 2
    # A group that failed is told by name, without being asked for.
    assert "of age: 25-34 is -0.0200" in changes
    assert all(len(line) <= 88 for line in changes.splitlines())


@pytest.mark.parametrize("place", [".", "report/latest"])
def test_it_reads_a_pipelines_root_or_a_reports_folder(tmp_path, place, capsys):
    write_gate(tmp_path / place)
    assert cli.main(["gate", "explain", str(tmp_path)]) == 0
    assert "The gate passed the model" in capsys.readouterr().out


def test_the_exit_code_tells(tmp_path, capsys):
    write_gate(tmp_path, REFUSED)
    assert cli.main(["gate", "explain", str(tmp_path)]) == cli.REFUSED
    assert "refused" in capsys.readouterr().out
    assert cli.main(["gate", "explain", str(tmp_path), "--json"]) == cli.REFUSED
    printed = json.loads(capsys.readouterr().out)
    assert printed == read_record(tmp_path / "gate.json")
    first = printed["checks"][0]
    assert (first["name"], first["passed"]) == ("gain_over_initial", False)
    assert first["interval"] == pytest.approx([0.0089, 0.0189])
    assert first["margin"] == pytest.approx(-0.0011)


def test_a_run_without_a_gate_is_told(tmp_path, capsys):
    assert cli.main(["gate", "explain", str(tmp_path)]) == cli.BAD_INPUT
    assert "no gate.json there or in report/latest" in capsys.readouterr().err
    (tmp_path / "gate.json").write_text("{")
    with pytest.raises(InputError, match="is no gate.json"):
        read_record(tmp_path)


def test_nothing_heavy_is_imported(tmp_path):
    write_gate(tmp_path)
    code = (
        "import sys; from psad_tf import cli;"
        f"cli.main(['gate', 'explain', {str(tmp_path)!r}]);"
        "heavy = {'tensorflow', 'keras', 'tfx', 'apache_beam'} & set(sys.modules);"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
