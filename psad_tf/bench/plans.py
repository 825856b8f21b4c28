"""What each bench tries: its topics, and the variants that answer them.

A variant is a name and a trial. Trials of the same content are run once, whichever
topics they answer.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psad_tf.bench.trial import Decoding, Trial

BASE = "base"


@dataclass(frozen=True)
class Variant:
    """One answer to a topic's question.

    Args:
        topic: The question.
        name: Of the answer.
        trial: Which trial, by name.
        branches: Branch of the trial to the name it is reported by.
        reference: The answer that this topic's others are compared with.
        value: The number that was tried, for plots.
    """

    topic: str
    name: str
    trial: str
    reference: str
    branches: tuple[tuple[str, str], ...] = (
        ("student", "student"),
        ("teacher", "teacher"),
    )
    value: float | None = None


# Topic → name → fields of `PSADConfig`; the others are compared with the first. What
# is usual anyway is no change.
_CHOICES: dict[str, dict[str, dict[str, Any]]] = {
    "eq 1: P in the attention's": {
        "logits": {"position_placement": "logits"},
        "weights, as printed": {"position_placement": "weights"},
    },
    "P": {
        "2L-1 relative values": {"position": "relative"},
        "full table": {"position": "table"},
    },
    "initial order": {
        "steps of P and an embedding of the place": {"candidates": "ranked"},
        "steps of P alone": {"candidates": "sequence"},
        "not seen": {"candidates": "set"},
    },
    "history": {
        "attended to in every layer": {"history": "attended"},
        "encoded with the candidates, as printed": {"history": "encoded"},
        "met before the encoder": {"history": "personal"},
    },
    "items given to a slot in training": {
        "sampled from the student": {"target_order": "sampled"},
        "clicked first, as shown": {"target_order": "shown"},
        "clicked first, shuffled": {"target_order": "shuffled"},
        "as shown, each slot its own click": {"target_order": "exposed"},
    },
    "eq 6: cross-entropy": {
        "both halves": {"generation_loss": "bce"},
        "softmax": {"generation_loss": "softmax"},
        "clicks alone, as printed": {"generation_loss": "clicks"},
    },
    "eq 6: hinge": {
        "none": {"hinge_weight": 0.0},
        "on logits": {"hinge_weight": 1.0},
        "on probabilities, as printed": {
            "hinge_weight": 1.0,
            "hinge_on": "probabilities",
        },
        "the whole loss as printed": {
            "generation_loss": "clicks",
            "hinge_weight": 1.0,
            "hinge_on": "probabilities",
            "loss_reduction": "sum",
        },
    },
    "losses of a list": {
        "mean": {"loss_reduction": "mean"},
        "sum, as printed": {"loss_reduction": "sum"},
    },
    "eq 7: scorer": {
        "both halves": {"scorer_loss": "bce"},
        "softmax": {"scorer_loss": "softmax"},
        "clicks alone, as printed": {"scorer_loss": "clicks"},
    },
    "eq 8-9: distilled from": {
        "logits": {"distill_from": "logits"},
        "probabilities, as printed": {"distill_from": "probabilities"},
    },
}
_GRIDS: dict[str, tuple[str, tuple[float, ...]]] = {
    "block size K": ("block_size", (1, 2, 5, 10)),
    "refined slots γ": ("refine_size", (0, 1, 2, 3)),
    "distillation weight α": ("distillation_weight", (0, 0.2, 0.5, 1, 2, 5)),
    "temperature τ": ("temperature", (0.5, 1, 2, 4)),
}
_WHOLE = "all slots"  # K = T, whatever T is
_ABLATIONS: dict[str, dict[str, Any]] = {
    "PSAD": {},
    "w/o sa": {"block_size": _WHOLE},
    "w/o ce": {"refine_size": 0},
    "w/o sace": {"block_size": _WHOLE, "refine_size": 0},
    "w/o ppe": {"personal_position": False},
    "w/o pg": {"interaction": "concatenation"},
}
_PLAIN = {"personal_position": False}
_INTERACTIONS: dict[str, dict[str, Any]] = {
    "UPN": {},
    "no interaction": {"interaction": "none", **_PLAIN},
    "concatenation": {"interaction": "concatenation", **_PLAIN},
    "late fusion": {"interaction": "late_fusion", **_PLAIN},
}
_STUDENT = (("student", "student"),)
_UNTAUGHT = "no teacher"
_FEW = (500, 2000)  # training lists
_FEW_TRAINING = {"epochs": 40}  # Steps of a few lists each; the best epoch counts.
DECODINGS = (
    Decoding(),
    Decoding("unrefined", refine_size=0),
    Decoding("beam", 4),
    Decoding("wide", 16),
    Decoding("prm_dcg", 4, "dcg"),
    Decoding("prm_clicks", 4, "clicks"),
)
_DECODED = {
    "teacher": "greedy",
    "unrefined": "greedy, not refined",
    "beam": "beam of 4",
    "wide": "beam of 16",
    "prm_dcg": "beam of 4, PRM by discounted clicks",
    "prm_clicks": "beam of 4, PRM by clicks",
}


class Plan:
    """The trials and the variants of one bench.

    Args:
        usual: The fields of `PSADConfig` as the data set's preset has them.
        seeds: Of every trial.
        **limits: Further fields of every `Trial`.
    """

    def __init__(self, usual: Mapping[str, Any], seeds: Sequence[int], **limits):
        self.usual, self.seeds, self.limits = usual, tuple(seeds), limits
        self.trials: dict[str, Trial] = {}
        self.variants: list[Variant] = []

    def trial(self, fields: Mapping[str, Any], **others) -> str:
        """The name of the trial with these fields, which is added when new."""
        slate = self.usual["slate_length"]
        model = {k: slate if v == _WHOLE else v for k, v in fields.items()}
        model = {k: v for k, v in model.items() if v != self.usual[k]}
        named = {**others, **others.get("training", {}), **model}
        parts = [str(x) for k in named.items() if k[0] != "training" for x in k]
        name = "-".join(parts).replace(".", "_") or BASE
        if name not in self.trials:
            found = {"model": model, **self.limits, **others}
            if name == BASE:
                found["decodings"] = DECODINGS
            self.trials[name] = Trial(name, seeds=self.seeds, **found)
        return name

    def ask(self, topic: str, answers: Mapping[str, Mapping], values=None) -> None:
        """Adds a topic: name to fields, the first one the reference."""
        reference = next(iter(answers))
        for name, fields in answers.items():
            value = None if values is None else values[name]
            trial = self.trial(fields)
            self.variants.append(Variant(topic, name, trial, reference, value=value))


def study(plan: Plan) -> None:
    """Every open choice of the paper, and how the teacher is read out."""
    for topic, answers in _CHOICES.items():
        plan.ask(topic, answers)
    hyperparameters(plan)
    for branch, name in _DECODED.items():
        plan.variants.append(
            Variant("generation", name, BASE, "greedy", ((branch, "teacher"),))
        )


def hyperparameters(plan: Plan) -> None:
    """Figure 3: K, γ, α; and τ. What a short list has no room for is left out."""
    slate = plan.usual["slate_length"]
    for topic, (field, grid) in _GRIDS.items():
        most = slate if field in ("block_size", "refine_size") else max(grid)
        usual = plan.usual[field]
        values = {f"{v:g}": v for v in (usual, *grid) if v <= most}
        plan.ask(topic, {name: {field: v} for name, v in values.items()}, values)


def ablation(plan: Plan) -> None:
    """Table 4."""
    plan.ask("ablation", _ABLATIONS)


def interaction(plan: Plan) -> None:
    """Figure 4, by user activity."""
    plan.ask("interaction", _INTERACTIONS)


def distillation(plan: Plan) -> None:
    """Table 5: which teacher, and whether it learns along; and no teacher at all."""
    topic, reference = "distillation", "block, online"
    for name, changes, kind in (
        (reference, {}, "psad"),
        ("autoregressive, online", {"block_size": 1}, "psad"),
        ("non-autoregressive, online", {"block_size": _WHOLE}, "psad"),
        ("block, offline", {}, "offline"),
        ("not distilled, shared encoder", {"distillation_weight": 0}, "psad"),
        (_UNTAUGHT, {}, "scorer"),
    ):
        others = {} if kind == "psad" else {"kind": kind}
        trial = plan.trial(changes, **others)
        plan.variants.append(Variant(topic, name, trial, reference, _STUDENT))
    # A teacher may count for more where there is less to learn from.
    most = plan.limits.get("train_lists", math.inf)
    for lists in _FEW:
        few = {"train_lists": lists, "training": _FEW_TRAINING}
        for name, others in ((reference, {}), (_UNTAUGHT, {"kind": "scorer"})):
            if lists * 10 <= most:
                trial = plan.trial({}, **others, **few)
                about = f"distillation, {lists:,} training lists"
                found = Variant(about, name, trial, reference, _STUDENT)
                plan.variants.append(found)


BENCHES = {
    "study": study,
    "ablation": ablation,
    "distillation": distillation,
    "hyperparameters": hyperparameters,
    "interaction": interaction,
}


def plan_of(bench: str, usual: Mapping[str, Any], seeds, **limits) -> Plan:
    """The plan of a bench; see `Plan` for the arguments."""
    plan = Plan(usual, seeds, **limits)
    BENCHES[bench](plan)
    return plan
