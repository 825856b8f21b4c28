"""What each bench tries: its topics, and the variants that answer them.

A variant is a name and a trial. Trials of the same content are run once, whichever
topics they answer.
"""

from collections.abc import Iterator
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


# Topic → name → changes to the model; the first is the default, the trial `base`.
_CHOICES: dict[str, dict[str, dict[str, Any]]] = {
    "eq 1: P in the attention's": {
        "logits": {},
        "weights, as printed": {"position_placement": "weights"},
    },
    "P": {"2L-1 relative values": {}, "full table": {"position": "table"}},
    "initial order": {
        "steps of P and an embedding of the place": {},
        "steps of P alone": {"candidates": "sequence"},
        "not seen": {"candidates": "set"},
    },
    "items given to a slot in training": {
        "sampled from the student": {},
        "clicked first, as shown": {"target_order": "shown"},
        "clicked first, shuffled": {"target_order": "shuffled"},
        "as shown, each slot its own click": {"target_order": "exposed"},
    },
    "eq 6: cross-entropy": {
        "both halves": {},
        "softmax": {"generation_loss": "softmax"},
        "clicks alone, as printed": {"generation_loss": "clicks"},
    },
    "eq 6: hinge": {
        "none": {},
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
    "losses of a list": {"mean": {}, "sum, as printed": {"loss_reduction": "sum"}},
    "eq 7: scorer": {
        "both halves": {},
        "softmax": {"scorer_loss": "softmax"},
        "clicks alone, as printed": {"scorer_loss": "clicks"},
    },
    "eq 8-9: distilled from": {
        "logits": {},
        "probabilities, as printed": {"distill_from": "probabilities"},
    },
}
_GRIDS: dict[str, tuple[str, float, tuple[float, ...]]] = {
    "block size K": ("block_size", 2, (1, 2, 5, 10)),
    "refined slots γ": ("refine_size", 1, (0, 1, 2, 3)),
    "distillation weight α": ("distillation_weight", 0.5, (0, 0.2, 0.5, 1, 2)),
    "temperature τ": ("temperature", 1, (0.5, 1, 2, 4)),
}
_ABLATIONS: dict[str, dict[str, Any]] = {
    "PSAD": {},
    "w/o sa": {"block_size": "all"},
    "w/o ce": {"refine_size": 0},
    "w/o sace": {"block_size": "all", "refine_size": 0},
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
DECODINGS = (
    Decoding(),
    Decoding("unrefined", changes={"refine_size": 0}),
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
        slate_length: T, which K can reach.
        seeds: Of every trial.
        **limits: Further fields of every `Trial`.
    """

    def __init__(self, slate_length: int, seeds: tuple[int, ...], **limits):
        self.slate_length, self.seeds, self.limits = slate_length, seeds, limits
        self.trials: dict[str, Trial] = {}
        self.variants: list[Variant] = []
        self._named: dict[str, str] = {}

    def trial(self, changes: dict[str, Any], **others) -> str:
        """The name of the trial with these changes, which is added when new."""
        t = self.slate_length
        model = {k: t if v == "all" else v for k, v in changes.items()}
        if model.get("block_size", 1) > t or model.get("refine_size", 0) > t:
            return ""
        key = repr((sorted(model.items()), sorted(others.items())))
        if key not in self._named:
            name = "-".join(
                str(x) for pair in [*others.items(), *model.items()] for x in pair
            )
            name = name.replace(".", "_").replace(" ", "") or BASE
            self._named[key] = name
            found = {"model": model, **self.limits, **others}
            if name == BASE:
                found["decodings"] = DECODINGS
            self.trials[name] = Trial(name, seeds=self.seeds, **found)
        return self._named[key]

    def ask(self, topic: str, answers, values=None, **others) -> None:
        """Adds a topic: name to changes, the first one the reference."""
        reference = next(iter(answers))
        for i, (name, changes) in enumerate(answers.items()):
            trial = self.trial(changes, **others)
            if trial:
                value = None if values is None else values[i]
                self.variants.append(
                    Variant(topic, name, trial, reference, value=value)
                )


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
    """Figure 3: K, γ, α; and τ."""
    for topic, (field, usual, grid) in _GRIDS.items():
        values = [usual, *(v for v in grid if v != usual)]
        # The default itself is the base, whatever its number.
        answers = {f"{v:g}": {} if v == usual else {field: v} for v in values}
        plan.ask(topic, answers, values)


def ablation(plan: Plan) -> None:
    """Table 4."""
    plan.ask("ablation", _ABLATIONS)


def interaction(plan: Plan) -> None:
    """Figure 4, by user activity."""
    plan.ask("interaction", _INTERACTIONS)


def distillation(plan: Plan) -> None:
    """Table 5: which teacher, and whether it learns along; and no teacher at all."""
    topic, reference = "distillation", "block, online"
    student = (("student", "student"),)
    for name, changes, kind in (
        (reference, {}, "psad"),
        ("autoregressive, online", {"block_size": 1}, "psad"),
        ("non-autoregressive, online", {"block_size": "all"}, "psad"),
        ("block, offline", {}, "offline"),
        ("not distilled, shared encoder", {"distillation_weight": 0}, "psad"),
        ("no teacher", {}, "scorer"),
    ):
        others = {} if kind == "psad" else {"kind": kind}
        trial = plan.trial(changes, **others)
        plan.variants.append(Variant(topic, name, trial, reference, student))


BENCHES = {
    "study": study,
    "ablation": ablation,
    "distillation": distillation,
    "hyperparameters": hyperparameters,
    "interaction": interaction,
}


def plan_of(bench: str, slate_length: int, seeds, **limits) -> Plan:
    """The plan of a bench; see `Plan` for the arguments."""
    plan = Plan(slate_length, tuple(seeds), **limits)
    BENCHES[bench](plan)
    return plan


def all_trials(slate_length: int, seeds, **limits) -> Iterator[Trial]:
    """The trials of every bench, each once."""
    plan = Plan(slate_length, tuple(seeds), **limits)
    for add in BENCHES.values():
        add(plan)
    return iter(plan.trials.values())
