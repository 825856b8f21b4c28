"""What the documentation states is what the committed results say."""

import json
from pathlib import Path

from tfx_pipeline.seeds import as_markdown, summarize_seeds

DOCS = Path(__file__).parents[2] / "docs"


def test_the_results_page_is_made_from_its_file():
    summary = json.loads((DOCS / "results" / "seeds.json").read_text())
    assert as_markdown(summary) in (DOCS / "results.md").read_text()


def test_a_seeds_table_on_paper():
    def run(served, is_simulated=False):
        one = {
            "means": {"initial": {"mean": 0.5}, "served": {"mean": served}},
            "gains": {"initial": {"mean": served - 0.5, "low": 0.0, "high": 0.2}},
        }
        overall = {"ndcg_at_10": one, "map_at_10": one}
        settings = {"dataset": "d", "model": {}, "training": {}}
        test = {"lists": 7, "overall": overall}
        data = {"is_simulated": is_simulated}
        return {"test": test, "data": data, "versions": {}, "settings": settings}

    summary = summarize_seeds({0: run(0.6), 1: run(0.8)})
    # Mean 0.7; deviations of 0.1 either way over n - 1 = 1: sqrt(0.02).
    text = as_markdown(summary)
    assert "7 test lists, seeds 0, 1" in text
    assert "| served scorer | 0.7000 ± 0.1414 | 0.7000 ± 0.1414 |" in text
    assert "| initial order | 0.5000 ± 0.0000 | 0.5000 ± 0.0000 |" in text
    assert "| 1 | +0.3000 (+0.0000 to +0.2000) |" in text
    simulated = as_markdown(summarize_seeds({0: run(0.6, is_simulated=True)}))
    assert "7 simulated test lists, seeds 0;" in simulated
