"""Every reranker of the comparison, by the name that commands take."""

import importlib

# Name to module and class. One line for each.
RERANKERS = {
    "midnn": "midnn:MiDNN",
    "dlcm": "dlcm:DLCM",
    "prm": "prm:PRM",
    "setrank": "setrank:SetRank",
    "seq2slate": "seq2slate:Seq2Slate",
    "crum": "crum:CRUM",
    "egrerank": "egrerank:EGRerank",
    "pier": "pier:PIER",
    "nar4rec": "nar4rec:NAR4Rec",
    "gref": "gref:GReF",
}


def reranker(name: str) -> type:
    """The class of a reranker; its module is loaded now.

    Raises:
        KeyError: There is no reranker of that name.
    """
    if name not in RERANKERS:
        raise KeyError(f"reranker {name!r} is unknown; there are {sorted(RERANKERS)}")
    module, _, found = RERANKERS[name].partition(":")
    return getattr(importlib.import_module(f"psad_tf.baselines.{module}"), found)


def build_reranker(name: str, config, **options):
    """A reranker with its weights made.

    Args:
        name: One of `RERANKERS`.
        config: A `PSADConfig`, or its values by name.
        options: Arguments of its own.
    """
    model = reranker(name)(config, **options)
    model.build()
    return model
