"""What the paper itself reports, for orders and ratios beside ours.

Figures are those of Tables 2 and 3 of Cheng et al., "Efficient Personalized Reranking
with Semi-Autoregressive Generation and Online Knowledge Distillation". Its data sets,
lists and machine are others than ours, so that nothing but the order of methods and
the ratios between them can be compared.
"""

PRM_PUBLIC = "PRM Public"
BATCHES = (64, 128, 256)

# Table 2: NDCG@10 on Ad and PRM Public. Avito has lists of 5, hence its NDCG@5.
NDCG = {
    "Ad": {
        "miDNN": 0.6952,
        "DLCM": 0.6989,
        "PRM": 0.7015,
        "Seq2Slate": 0.7062,
        "CRUM": 0.7037,
        "PIER": 0.7070,
        "NAR4Rec": 0.7101,
        "PSAD-G": 0.7184,
        "PSAD-S": 0.7091,
    },
    PRM_PUBLIC: {
        "miDNN": 0.3341,
        "DLCM": 0.3395,
        "PRM": 0.3430,
        "Seq2Slate": 0.3449,
        "CRUM": 0.3445,
        "PIER": 0.3423,
        "NAR4Rec": 0.3455,
        "PSAD-G": 0.3528,
        "PSAD-S": 0.3464,
    },
    "Avito": {
        "miDNN": 0.6737,
        "DLCM": 0.6912,
        "PRM": 0.7047,
        "Seq2Slate": 0.7245,
        "CRUM": 0.7110,
        "PIER": 0.7156,
        "NAR4Rec": 0.7315,
        "PSAD-G": 0.7427,
        "PSAD-S": 0.7285,
    },
}

# Table 3: seconds on PRM Public at batches of 64, 128 and 256, means of 10 steps.
TRAINING_SECONDS = {
    "miDNN": (0.0895, 0.1425, 0.2132),
    "DLCM": (0.2799, 0.4301, 0.6827),
    "PRM": (0.1238, 0.1852, 0.2806),
    "Seq2Slate": (0.3142, 0.5114, 0.8384),
    "CRUM": (0.2021, 0.3185, 0.4415),
    "PIER": (0.2428, 0.3608, 0.5482),
    "NAR4Rec": (0.1903, 0.2904, 0.4649),
    "PSAD-G": (0.1834, 0.2860, 0.4931),
    "PSAD-S": (0.1897, 0.2943, 0.5128),
}
INFERENCE_SECONDS = {
    "miDNN": (0.0764, 0.1256, 0.1893),
    "DLCM": (0.1497, 0.2409, 0.3940),
    "PRM": (0.1014, 0.1360, 0.2037),
    "Seq2Slate": (0.2176, 0.3993, 0.5873),
    "CRUM": (0.1589, 0.2850, 0.3048),
    "PIER": (0.2247, 0.3394, 0.4735),
    "NAR4Rec": (0.1356, 0.2215, 0.3572),
    "PSAD-G": (0.1568, 0.2376, 0.4239),
    "PSAD-S": (0.0801, 0.1290, 0.2161),
}


def ranks(values: dict[str, float]) -> dict[str, int]:
    """The place of each method, 1 for the highest value; equal values share one.

    >>> ranks({"a": 0.5, "b": 0.75, "c": 0.5})
    {'a': 2, 'b': 1, 'c': 2}
    """
    found = list(values.values())
    return {name: 1 + sum(v > mine for v in found) for name, mine in values.items()}


def seconds_ratio(phase: dict, method: str, other: str, batch: int = 256) -> float:
    """A method's seconds over another's.

    >>> round(seconds_ratio(INFERENCE_SECONDS, "PSAD-S", "PRM"), 2)
    1.06
    """
    at = BATCHES.index(batch)
    return phase[method][at] / phase[other][at]
