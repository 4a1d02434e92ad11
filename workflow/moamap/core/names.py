"""Names that more than one stage uses: columns, claims, ways of scoring, cross-fitted representations."""

ID_COLUMNS = ["pert_id", "pert_iname", "moa"]
ROLES = (*ID_COLUMNS, "plate", "well", "dose", "control")  # every column that is not a feature
FOLDERS = frozenset(  # of a data set's results, beside those of its representations
    [
        "sources",
        "profiles",
        "supplement",
        "figures",
        "validation",
        "placed",
        "all",
        "reproduction",
        "logs",
        "benchmarks",
    ]
)
TEXT_COLUMNS = frozenset(  # columns of the run's tables that are text, however much a cell looks like a number or NA
    {
        *ROLES,
        *(
            "drug",
            "known_moa",
            "called",
            "partner",
            "evidence",
            "queried",
            "feature",
            "representation",
            "phenotype",
            "block",
            "grade",
        ),
        *("compound", "true_moa", "nearest_drug", "nearest_moa"),
        *(f"moa_{place}" for place in range(1, 6)),
        *("kind", "relation", "step", "detail", "reason", "problem", "q_family", "data"),
        *("enriched_moas", "exemplar", "members", "target", "clinical_phase"),
    }
)
MISSING_LOOKALIKES = frozenset({"na", "n/a", "nan", "none", "null", "<na>"})  # lower case; text all the same

LABEL_FREE, IN_SAMPLE, CROSSFIT = "label-free", "in-sample", "cross-fitted"
HELD_OUT_DRUGS, HELD_OUT_MOAS = "held-out drugs", "held-out MoAs"
HOW = {  # gallery and metric of each way of scoring a retrieval
    LABEL_FREE: "every drug against all others; no label was used",
    IN_SAMPLE: "every drug against all others, by the metric learned from all labels",
    CROSSFIT: "every drug against all others; each pair by metrics learned without the folds of both",
    HELD_OUT_DRUGS: "the drugs of a fold against all others, by the metric learned without that fold",
    HELD_OUT_MOAS: "the drugs of a fold of MoAs against the others of it, by the metric learned without those MoAs",
}

TOGETHER = "same-MoA pairs in one community"
TOGETHER_BY_MOA = "share of a MoA's pairs in one community, mean over MoAs"
WITHIN = {  # the same claims beside labels that are permuted among drugs of similar profile strength only
    claim: f"{claim}, within quintiles of profile strength" for claim in (TOGETHER, TOGETHER_BY_MOA)
}
CLUSTERS, ENRICHED, EXPECTATION = "Clustering Number", "Enrichment Number", "Enrichment Expectation"
SINGLETONS, ENRICHED_BY_TWO, COMMUNITIES_ENRICHED = (
    "singleton communities",
    "MoAs enriched with k >= 2",
    "communities with any enrichment",
)
PROPOSED = "proposals at 0.5 or more"
CLAIMS = [TOGETHER, TOGETHER_BY_MOA, CLUSTERS, ENRICHED, EXPECTATION, SINGLETONS, ENRICHED_BY_TWO]
CLAIMS += [COMMUNITIES_ENRICHED]
UNTESTED = {CLUSTERS, SINGLETONS}  # more is not better: they get an interval but no p value
MAP, NEAREST = "mean average precision", "1-nearest-neighbour accuracy"
MAP_BY_MOA = "mean average precision, mean over MoAs"
RETRIEVAL = [MAP, MAP_BY_MOA, NEAREST]

_SUFFIX = "_crossfit"
WITH_COMMUNITIES = (IN_SAMPLE, LABEL_FREE, CROSSFIT)  # the ways that give every pair of drugs a distance


def crossfitted(representation: str) -> str:
    """The name under which a representation's cross-fitted distances appear in the study."""
    return representation + _SUFFIX


def learned_as(name: str) -> str:
    """The representation, as named in the config, that a name of the study (cross-fitted or not) belongs to."""
    return name.removesuffix(_SUFFIX)


def name_of(representation: str, way: str) -> str:
    """The study's name for the communities of a representation, given the way of scoring."""
    return crossfitted(representation) if way == CROSSFIT else representation


DENSE_UP_TO = 25_000  # drugs of which there are tables of all pairs; three n x n arrays of float32 take 7.5 GB there
