"""A methods paragraph from the config as used, ready for a paper, and the works that it cites."""

import re
from dataclasses import dataclass
from typing import Any

AXES = {
    "profile": "each drug's profile was normalized over its features",
    "feature": "each feature was normalized over the drugs",
    "profile_then_feature": "each drug's profile was normalized over its features, then each feature over the drugs",
}
METHODS = {  # what each method of the registry is, with the works to cite
    "raw": "the normalized profiles themselves",
    "pca": "principal component analysis [pedregosa2011]",
    "itml": "information-theoretic metric learning [davis2007; devazelhes2020], learned from the MoAs",
    "spherize": "whitening by the shrunken covariance",
    "replicates": "whitening by the shrunken covariance of the wells of one drug and dose",
    "lda": "linear discriminant analysis [fisher1936], learned from the MoAs",
    "rca": "relevant component analysis [shental2002], learned from the MoAs",
}
ENGINES = {
    "dense": "affinity propagation [frey2007] on minus the squared distances of all pairs",
    "sparse": "affinity propagation [frey2007] on minus the squared distances of each drug to its nearest",
    "louvain": "maximizing the modularity of the graph of nearest drugs [blondel2008]",
}
LETTERS = {r"\"o": "ö", r"\'e": "é", r"\v{c}": "č", r"\v{z}": "ž"}  # of the names in references.bib
PERMUTATIONS = {  # with and without a metric that is learned from labels, at least
    "quick": "199 (metrics learned from MoAs) or 999",
    "full": "999 (metrics learned from MoAs) or 9,999",
}


@dataclass(frozen=True)
class Reference:
    """A work of a BibTeX file: its key, its entry as it stands there, and its fields."""

    key: str
    entry: str
    fields: dict[str, str]

    @property
    def short(self) -> str:
        """As it is cited in a text: Davis et al. 2007."""
        names = [name.split(",")[0] for name in self.fields["author"].split(" and ")]
        who = {1: names[0], 2: " and ".join(names)}.get(len(names), f"{names[0]} et al.")
        return f"{who.replace(' and others', ' et al.')} {self.fields['year']}"

    @property
    def full(self) -> str:
        """As a list of references has it."""
        names = [" ".join(reversed(name.split(", "))) for name in self.fields["author"].split(" and ")]
        who = ", ".join(names).replace(", others", " et al.")
        where = next(self.fields[key] for key in ("journal", "booktitle", "publisher") if key in self.fields)
        doi = f", doi {self.fields['doi']}" if "doi" in self.fields else ""
        return f"{who} ({self.fields['year']}). {self.fields['title']}. {where}{doi}."


def references(bibtex: str) -> dict[str, Reference]:
    """The entries of a BibTeX file by their keys; each field stands on a line of its own."""
    found = {}
    for entry in re.findall(r"^@\w+\{.*?^\}$", bibtex, flags=re.MULTILINE | re.DOTALL):
        plain = entry
        for written, letter in LETTERS.items():
            plain = plain.replace(written, letter)
        key = re.match(r"@\w+\{(\w+),", entry)[1]  # type: ignore[index]
        found[key] = Reference(key, entry, dict(re.findall(r"^  (\w+) = \{(.*)\},?$", plain, flags=re.MULTILINE)))
    return found


def cite(text: str, works: dict[str, Reference]) -> tuple[str, list[Reference]]:
    """A text whose `[key; key]` are replaced by short citations, and the works in the order in which they are cited."""
    cited: dict[str, Reference] = {}

    def short(found: re.Match) -> str:
        """The short citation of the keys that were found, which are noted as cited."""
        some = [works[key] for key in found[1].split("; ")]
        cited.update({work.key: work for work in some})
        return f"({'; '.join(work.short for work in some)})"

    return re.sub(r"\[(\w+(?:; \w+)*)\]", short, text), list(cited.values())


def methods(provenance: dict[str, Any], counts: dict[str, int], engine: str) -> str:
    """The methods of a study in words, citations as `[key]`.

    Parameters
    ----------
    provenance : as the study writes it, with the config as used and the versions
    counts : numbers of drugs, features, MoAs and common (tested) MoAs of the study
    engine : that found the communities of the main representation: dense, sparse or louvain
    """
    config = provenance["config"]
    parts = [_data(config, counts), _representations(config), _communities(config, engine), _enrichment(config, counts)]
    parts += [_validation(config)] if config["validation"] != "off" else []
    versions = ", ".join(f"{name} {number}" for name, number in provenance["packages"].items() if number)
    parts.append(
        f"The study was made with moamap {provenance['moamap']['version']} [han2021] under Snakemake [molder2021], "
        f"Python {provenance['python']} and {versions}. Seeds, checksums and the whole config are in provenance.json."
    )
    return " ".join(parts)


def _data(config: dict[str, Any], counts: dict[str, int]) -> str:
    made = "simulated, not measured, " if "simulation" in config else ""
    text = f"The {made}profiles of {counts['drugs']:,} drugs have {counts['features']:,} features"
    text += " of the kind that Cell Painting [bray2016] gives. "
    if config["wells"] is not None:
        text += (
            f"Wells were normalized by plate ({config['wells']['normalize'] or 'as they came'}) and combined into one "
            f"profile per drug ({config['wells']['consensus']}) with pycytominer [serrano2025]. "
        )
    if "drugs" in config.get("sources", {}):
        text += "Mechanisms of action (MoAs) are those of the Drug Repurposing Hub [corsello2017]. "
    normalization = config["normalization"]
    numbers = ", ".join(f"{name} {normalization[name]:g}" for name in ("scale", "epsilon", "bias"))
    return text + f"There are {counts['moas']:,} MoAs. {_capital(AXES[normalization['axis']])} ({numbers})."


def _representations(config: dict[str, Any]) -> str:
    named = [f"{name}, {_method(**given)}" for name, given in config["representations"].items()]
    return f"Drugs were compared by their distances in {len(named)} representations: {'; '.join(named)}."


def _method(method: str, **parameters: Any) -> str:
    given = ", ".join(f"{name.replace('_', ' ')} {_value(value)}" for name, value in parameters.items())
    return METHODS[method] + (f" ({given})" if given else "")


def _value(value: Any) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _communities(config: dict[str, Any], engine: str) -> str:
    options = config["communities"]
    if engine == "louvain":
        how = f"resolution {options['resolution']:g}, seed {options['seed']}"
    else:
        preference = "the median similarity" if options["preference"] is None else f"{options['preference']:g}"
        how = f"preference {preference}, damping {options['damping']:g}, seed {options['seed']}"
    return (
        f"Communities were found by {ENGINES[engine]} ({how}); the maps were made with t-SNE [vandermaaten2008; "
        f"policar2024] at perplexity {config['tsne']['perplexity']:g}."
    )


def _enrichment(config: dict[str, Any], counts: dict[str, int]) -> str:
    least, alpha = config["enrichment"]["min_drugs"], config["enrichment"]["alpha"]
    return (
        f"Each community was tested for each of the {counts['common']:,} MoAs of {least} or more drugs with the "
        f"one-sided hypergeometric test (enriched: P < {alpha:g}), with q values [benjamini1995]. A feature "
        f"whose mean distance within a community is below {config['csif_ratio']:g} of that among all drugs is a "
        "community-specific image feature (CSIF)."
    )


def _validation(config: dict[str, Any]) -> str:
    folds, splits, seed = (config["crossfit"][name] for name in ("folds", "splits", "seed"))
    return (
        "The whole procedure, learning included, was repeated on at least "
        f"{PERMUTATIONS[config['validation']]} permutations of the labels; p values over MoAs are "
        "step-down adjusted [westfall1993]. Where a metric was learned from MoAs, "
        "the distance of every two drugs was also taken from metrics learned without the folds of both "
        f"({folds} folds, {splits} splits, seed {seed}). Stability is the adjusted Rand index [hubert1985] of "
        "communities found again with other seeds, 80% of the drugs and other preferences."
    )


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
