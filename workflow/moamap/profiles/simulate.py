"""Simulate a Cell Painting screen whose true phenotypes are known: the data set "demo".

The profile of drug i in feature j, on the raw scale, is

    x_ij = centre_j + spread_j ((1 + k severity_i) energy_i technical_ij + strength_i direction_ij + reach_j harm_ij)

technical    What no drug does: factors that act on groups of features, from all of them (the density of the well) over
             those of one channel (a stain, the same for a plate) to those of one measurement of one channel in one
             compartment, and white noise. Few cells are left of a harmed well, so its severity amplifies all of it.
direction    What the mechanism of action does, its phenotype: the features of one channel, or of the shape, of one
             compartment go up or down. Drugs of one MoA differ in potency, and some are inactive.
harm         What any toxic drug does. Its severity follows a Hill curve of a log-normal dose: next to nothing for most
             drugs, enormous for a few in a hundred. Dying cells have much in common, and a drug mostly one way to kill.
             Some features it reaches hardly, others far beyond all that they vary otherwise.

Harm and technical variation know nothing of MoAs. They dominate, as in real screens, and hide the phenotypes.
The constants were fitted to summary statistics of the 488 annotated drugs of the LINCS table LDS-1195 that the project
has at hand (by random search); tests/profiles/test_simulate.py names them and holds the simulated screen against them.
"""

from collections.abc import Callable
from itertools import product

import numpy as np
import pandas as pd
from scipy.special import expit, ndtri

from moamap.core.errors import InputError

# CellProfiler's grammar of names: Compartment_Measurement_Detail[_Channel][_suffix]
COMPARTMENTS = ("Cells", "Cytoplasm", "Nuclei")
DNA_STAIN = "Hoechst"
CHANNELS = ("ER", DNA_STAIN, "Mito", "Ph_golgi", "Syto")
SHAPES = (
    "Area Compactness Eccentricity Extent FormFactor MajorAxisLength MinorAxisLength Orientation Perimeter Solidity"
)
ZERNIKE_ORDERS = 10
INTENSITIES = (
    "IntegratedIntensity IntegratedIntensityEdge LowerQuartileIntensity MassDisplacement MaxIntensity MaxIntensityEdge "
    "MeanIntensity MeanIntensityEdge MedianIntensity MinIntensity MinIntensityEdge StdIntensity StdIntensityEdge "
    "UpperQuartileIntensity"
)
NEIGHBORS = (
    "AngleBetweenNeighbors FirstClosestDistance FirstClosestObjectNumber NumberOfNeighbors PercentTouching "
    "SecondClosestDistance SecondClosestObjectNumber"
)
RADIAL, RINGS = "FracAtD MeanFrac RadialCV", 4
TEXTURES = (
    "AngularSecondMoment Contrast Correlation DifferenceEntropy DifferenceVariance Entropy Gabor InfoMeas1 InfoMeas2 "
    "InverseDifferenceMoment SumAverage SumEntropy SumVariance Variance"
)
TEXTURE_SCALES = ("3", "5")
N_FEATURES = 812  # what this grammar generates

COMMON = 5  # drugs that make a MoA common: the paper's threshold for testing its enrichment
SIZE_DECAY = 7.0  # spare drugs go to the common MoAs in proportion to exp(-SIZE_DECAY * rank / n_common)

# Phenotypes. Amplitudes are root mean square shifts of the features they act on, in these features' spreads. What finds
# them at one grade: strong, distances of raw profiles; medium, whitening or a discriminant; weak, hardly anything.
COMMON_MOAS_PER_PHENOTYPE = 3
AMPLITUDE = {"strong": 3.2, "medium": 1.5, "weak": 0.5, "planted": 4.5}
GRADES = ("strong", "medium", "weak")  # of the phenotypes that MoAs have
POTENCY_SPREAD = 0.25  # standard deviation of its logarithm
INACTIVE = 0.15  # share of the drugs
PLANTED = 6  # drugs that show the planted phenotype: the pair and four fellows
UNANNOTATED_KNOWN = (
    0.5  # share of the unannotated drugs whose true MoA is one of the table's, as if it were not yet known
)

# Harm, in spreads of its features. The small sum of the Dirichlet weights makes a drug kill in one way rather than all.
HILL_SLOPE, HILL_SHIFT = 2.5, 5.7  # logit severity = slope z - shift, z standard normal over the drugs
HARM = 42.0  # per feature, at severity 1
IN_COMMON = 0.15  # share of its variance that does not depend on the way
WAYS_TO_DIE = (0.057, 0.051, 0.028, 0.006)  # Dirichlet
REACH_SPREAD = 0.46  # standard deviation of the logarithm
AMPLIFICATION = 8.0  # k above

# Technical variation: its standard deviation is the spread of a feature, divided among families. A family has `number`
# factors for each group of features that have the named properties in common; their scores differ by plate or by drug.
ENERGY_SPREAD = 0.24  # standard deviation of the logarithm, over the drugs
FAMILIES = (  # share, number, properties, scores by
    (0.33, 2, (), "drug"),
    (0.16, 1, ("channel",), "plate"),
    (0.23, 1, ("compartment", "channel"), "drug"),
    (0.11, 2, ("compartment", "measurement", "channel"), "drug"),
)
WHITE = 0.17
DRUGS_PER_PLATE = 60
WELLS_PER_PLATE, CONTROLS_PER_PLATE = 384, 32  # of the screens of wells

# Raw scale. The real table is normalized to its controls: centred near 0, the spreads of a log-normal distribution,
# alike where measurement and channel are the same.
SPREAD_MEDIAN, SPREAD_SPREAD, SPREAD_SHARED = 1.03, 0.41, 0.32  # median, sd of the logarithm, its shared variance
CENTRE_SD = 0.12
ROWS = 4096  # drugs whose profiles are computed at a time


def simulate(
    *,
    seed: int,
    n_drugs: int = 1105,
    n_annotated: int | None = None,
    n_moas: int = 372,
    n_common_moas: int = 49,
    largest_moa: int = 43,
    n_features: int = N_FEATURES,
    signal: float = 1.0,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Profiles of simulated drugs, one row a drug, and the truth about them.

    Parameters
    ----------
    seed : of numpy's default generator
    n_drugs, n_moas : how many
    n_annotated : drugs with a MoA, the first rows; None for all. Half of the others (`UNANNOTATED_KNOWN`) have a true
        MoA all the same, drawn in proportion to the annotated drugs of each MoA, and show its phenotype where it has
        one; the other half has no mechanism.
    n_common_moas : MoAs of five drugs or more; a third of them have a phenotype, the small MoAs have none
    largest_moa : drugs of the most common MoA
    n_features : up to 812, the names that the grammar generates; fewer are spread evenly over them
    signal : factor on the strength of all phenotypes. Screens of one seed differ by their phenotypes only,
        and at 0 there are none.

    Returns
    -------
    profiles : pert_id, pert_iname, moa, features on the raw scale (float64), named in CellProfiler's manner
    truth : in the same order, pert_iname, moa, true_moa (where there are unannotated drugs), and the phenotype that the
        drug shows ('' or 0 if none): phenotype (its id), block (of `feature_table`: the features it acts on), grade
        (strong, medium, weak; or planted: no MoA's own, shared by six drugs of six MoAs that have none), strength (root
        mean square shift of these features, in units of their technical standard deviations), planted_pair (two of the
        six, whom a user might ask about)

    A seed gives the same bits on one machine with any number of threads: BLAS is not called.
    Raises InputError (a ValueError) where no screen has these sizes.
    """
    n_annotated = n_drugs if n_annotated is None else n_annotated
    _check(n_drugs, n_annotated, n_moas, n_common_moas, largest_moa, n_features, signal)
    rng = np.random.default_rng(seed)
    features = feature_table(n_features)
    sizes = moa_sizes(rng, n_annotated, n_moas, n_common_moas, largest_moa)
    severity = expit(HILL_SLOPE * _shuffled_normal(rng, n_drugs) - HILL_SHIFT)
    loadings = [_unit_uniform(rng, (n_features, number)) for _, number, *_ in FAMILIES]
    truth, phenotype, direction = _mechanisms(
        rng, sizes, n_common_moas, severity, features["block"], loadings[-1], signal
    )
    energy = (1 + AMPLIFICATION * severity) * np.exp(ENERGY_SPREAD * _shuffled_normal(rng, n_drugs))
    spread = _spreads(rng, features)
    harm = _harm(rng, severity, n_features)
    values, technical = _technical(rng, n_drugs, features, loadings)
    centre, strength = rng.normal(0, CENTRE_SD, n_features), truth["strength"].to_numpy()
    for start in range(0, n_drugs, ROWS):  # so that no second table of all drugs and features is made
        rows = slice(start, start + ROWS)
        shown = strength[rows, None] * direction[phenotype[rows]]
        values[rows] = centre + spread * (harm(rows) + energy[rows, None] * technical(rows) + shown)
    profiles = pd.DataFrame(values, columns=features["feature"].to_numpy())
    for place, (name, column) in enumerate(truth[["pert_iname", "moa"]].items()):
        profiles.insert(place, name, column)
    profiles.insert(0, "pert_id", _numbered("SIM-D", n_drugs, width=6))
    return profiles, truth


def simulate_wells(
    profiles: pd.DataFrame,
    *,
    seed: int,
    replicates: int = 4,
    doses: int = 2,
    plate_effect: float = 2.0,
    noise: float = 0.5,
) -> pd.DataFrame:
    """The wells from which such profiles would have come: plates, replicates, doses and DMSO controls.

    A well shows its drug's difference from DMSO, at the lower doses a share of it that halves with each step, and adds
    the effect of its plate and noise. Replicates of a drug are on different plates, its doses on one.

    Parameters
    ----------
    profiles : as `simulate` gives them
    seed : of numpy's default generator
    plate_effect, noise : standard deviations, in units of each feature's median absolute deviation over the drugs

    Returns
    -------
    pert_id, pert_iname, moa, plate, well, dose, control (`dmso` or `drug`), then the features, shuffled by plate
    """
    rng = np.random.default_rng([seed, 1])
    features = profiles.columns[3:]
    values = profiles[features].to_numpy()
    dmso = np.median(values, axis=0)
    spread = np.median(np.abs(values - dmso), axis=0)
    per_plate = (WELLS_PER_PLATE - CONTROLS_PER_PLATE) // doses
    plates = [
        _plate(rng, profiles.iloc[first : first + per_plate, :3], values[first : first + per_plate] - dmso, doses)
        for first in range(0, len(profiles), per_plate)
        for _ in range(replicates)
    ]
    wells = []
    for number, (ids, effect) in enumerate(plates, start=1):
        shift = plate_effect * rng.standard_normal(len(features))
        shown = dmso + effect + spread * (shift + noise * rng.standard_normal(effect.shape))
        table = pd.concat([ids, pd.DataFrame(shown, columns=features)], axis=1)
        table.insert(3, "plate", f"plate {number:03d}")
        wells.append(table)
    return pd.concat(wells, ignore_index=True)


def _plate(rng, drugs, effects, doses):
    """Ids and effects of the wells of one plate, in random places."""
    shares = 0.5 ** np.arange(doses)[::-1]
    ids = pd.concat([drugs.assign(dose=f"{10 * share:g}", control="drug") for share in shares])
    dmso = pd.DataFrame({"pert_id": [None] * CONTROLS_PER_PLATE, "dose": None, "control": "dmso"})
    ids = pd.concat([ids, dmso], ignore_index=True).reindex(columns=[*drugs.columns, "dose", "control"])
    effect = np.vstack([*(share * effects for share in shares), np.zeros((CONTROLS_PER_PLATE, effects.shape[1]))])
    order = rng.permutation(len(ids))
    places = [f"{chr(65 + place // 24)}{place % 24 + 1:02d}" for place in range(len(ids))]
    ids = ids.iloc[order].reset_index(drop=True)
    ids.insert(3, "well", places)
    return ids, effect[order]


def feature_table(n_features: int = N_FEATURES) -> pd.DataFrame:
    """Names by CellProfiler's grammar: frame feature, compartment, measurement, channel ('' for shapes), block.

    A block, on which a phenotype acts, is the features of one channel, or of the shape, of one compartment.
    """
    rows = [
        ("_".join(filter(None, (compartment, measurement, detail, channel, suffix))), compartment, measurement, channel)
        for compartment in COMPARTMENTS
        for measurement, details, channels, suffixes in _measurements(compartment)
        for detail, channel, suffix in product(details, channels, suffixes)
    ]
    table = pd.DataFrame(rows, columns=["feature", "compartment", "measurement", "channel"])
    table["block"] = table["compartment"] + " " + table["channel"].replace("", "shape")
    return table.iloc[np.linspace(0, N_FEATURES - 1, n_features).astype(int)].reset_index(drop=True)


def _measurements(compartment: str):
    """Yield each measurement with its details, the channels it is made in, and what follows the channel in the name."""
    zernike = [f"Zernike_{n}_{m}" for n in range(ZERNIKE_ORDERS) for m in range(n % 2, n + 1, 2)]
    yield "AreaShape", SHAPES.split() + zernike, [""], [""]
    yield "Intensity", INTENSITIES.split(), CHANNELS, [""]
    if compartment != "Cytoplasm":
        yield "Neighbors", NEIGHBORS.split(), [""], ["Adjacent"]
    if compartment == "Cells":
        stains = [channel for channel in CHANNELS if channel != DNA_STAIN]
        yield "RadialDistribution", RADIAL.split(), stains, [f"{ring}of{RINGS}" for ring in range(1, RINGS + 1)]
    yield "Texture", TEXTURES.split(), CHANNELS, TEXTURE_SCALES


def moa_sizes(rng: np.random.Generator, n_drugs: int, n_moas: int, n_common: int, largest: int) -> np.ndarray:
    """Drugs of each MoA: exactly `largest`, then n_common - 1 of at least 5 and at most `largest`, then 1 to 4.

    From these least sizes on, the spare drugs are dealt one by one to MoAs that are not full: half of them to common
    MoAs, with exponentially falling weights, half to small MoAs.
    """
    rank = np.arange(n_moas)
    common = rank < n_common
    sizes, full = np.where(common, COMMON, 1), np.where(common, largest, COMMON - 1)
    sizes[0] = largest
    weights = np.where(common, np.exp(-SIZE_DECAY * rank / n_common), 1.0)
    weights /= np.where(common, weights[common].sum(), n_moas - n_common)
    for _ in range(n_drugs - sizes.sum()):
        room = weights * (sizes < full)
        sizes[rng.choice(n_moas, p=room / room.sum())] += 1
    return sizes


def _mechanisms(rng, sizes, n_common, severity, blocks, axes, signal) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """The truth table, the row of each drug's phenotype (n_drugs,), and the directions in which phenotypes move the
    features (n_phenotypes, n_features).
    """
    n_drugs, n_annotated, n_own = len(severity), sizes.sum(), _n_own_phenotypes(n_common)
    moa = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    own = np.full(len(sizes) + 1, -1)  # the last, where index -1 points, is no MoA
    own[rng.permutation(n_common)[:n_own]] = np.arange(n_own)
    true_moa = np.append(moa, _unannotated(rng, moa, n_drugs - n_annotated))
    phenotype = own[true_moa]
    potency = rng.lognormal(0, POTENCY_SPREAD, n_drugs) * (rng.random(n_drugs) >= INACTIVE)

    planted = _mildest(moa, severity[:n_annotated], phenotype[:n_annotated] < 0)
    phenotype[planted], potency[planted] = n_own, 1.0

    kinds, direction = _phenotypes(rng, n_own, blocks, axes)
    strength = signal * potency * kinds["amplitude"].to_numpy()[phenotype]
    shown = kinds.drop(columns="amplitude").iloc[np.where(strength > 0, phenotype, -1)].reset_index(drop=True)
    names = np.array([*rng.permutation(_numbered("simulated MoA ", len(sizes))), None], dtype=object)[true_moa]
    annotated = np.arange(n_drugs) < n_annotated
    truth = pd.DataFrame(
        {
            "pert_iname": _numbered("simulated drug ", n_drugs),
            "moa": np.where(annotated, names, None),
            **({} if annotated.all() else {"true_moa": names}),
            **shown,
            "strength": strength,
            "planted_pair": np.isin(np.arange(n_drugs), planted[:2]) & (strength > 0),
        }
    )
    return truth, phenotype, direction


def _unannotated(rng, moa, number) -> np.ndarray:
    """The true MoAs of drugs whose MoA the table does not tell: that of a random annotated drug, or -1 for none."""
    if not number:
        return np.empty(0, dtype=int)
    return np.where(rng.random(number) < UNANNOTATED_KNOWN, rng.choice(moa, number), -1)


def _mildest(moa, severity, free) -> np.ndarray:
    """The free drugs that do the least harm, each of another MoA: among them a shared phenotype can be seen."""
    mild = np.argsort(severity)
    mild = mild[free[mild]]
    first_of_moa = np.sort(np.unique(moa[mild], return_index=True)[1])
    return mild[first_of_moa[:PLANTED]]


def _phenotypes(rng, n_own, blocks, axes) -> tuple[pd.DataFrame, np.ndarray]:
    """The phenotypes of MoAs, the planted one, and as the last row, where index -1 points, none.

    A direction is a random combination of `axes`, the finest technical loadings, with mean square 1 over its block:
    features that vary together respond together, and no method is given the signal where there is no noise.
    """
    kinds = pd.DataFrame(
        {
            "phenotype": [*_numbered("P", n_own + 1), ""],
            "block": [*np.resize(rng.permutation(blocks.unique()), n_own + 1), ""],
            "grade": [*np.resize(GRADES, n_own), "planted", ""],
        }
    )
    kinds["amplitude"] = kinds["grade"].map(AMPLITUDE).fillna(0.0)
    inside = kinds["block"].to_numpy()[:, None] == blocks.to_numpy()
    direction = inside * np.einsum("pk,jk->pj", rng.standard_normal((len(kinds), axes.shape[1])), axes)
    length = np.sqrt((direction**2).sum(axis=1) / np.maximum(inside.sum(axis=1), 1))
    return kinds, direction / np.where(length > 0, length, 1)[:, None]


def _spreads(rng, features) -> np.ndarray:
    """Of the features, log-normal; a part of the logarithm is shared by one measurement of one channel."""
    group = features.groupby(["measurement", "channel"]).ngroup().to_numpy()
    shared = rng.standard_normal(group.max() + 1)[group]
    own = _shuffled_normal(rng, len(features))
    logarithm = np.sqrt(SPREAD_SHARED) * shared + np.sqrt(1 - SPREAD_SHARED) * own
    return SPREAD_MEDIAN * np.exp(SPREAD_SPREAD * logarithm)


def _harm(rng, severity, n_features) -> Callable[[slice], np.ndarray]:
    """What gives the toxicity of some of the drugs: severity times what all ways to die have in common and each drug's
    mixture of them, feature by feature as far as it reaches.
    """
    weights = np.sqrt(rng.dirichlet(WAYS_TO_DIE, len(severity)))
    ways = _unit_uniform(rng, (n_features, len(WAYS_TO_DIE)))
    common = np.sqrt(IN_COMMON) * _unit_uniform(rng, n_features)
    reach = np.exp(REACH_SPREAD * _shuffled_normal(rng, n_features))

    def harm(rows):
        """What harm does to the profiles of some drugs: (n_rows, n_features)."""
        mixture = np.einsum("ik,jk->ij", weights[rows], ways)
        return HARM * severity[rows, None] * reach * (common + np.sqrt(1 - IN_COMMON) * mixture)

    return harm


def _technical(rng, n_drugs, features, loadings) -> tuple[np.ndarray, Callable[[slice], np.ndarray]]:
    """White noise (n_drugs, n_features), and what gives the technical variation of some of the drugs, as long as their
    noise has not been overwritten: noise, and factors times loadings, family by family.
    """
    drugs = {"drug": np.arange(n_drugs), "plate": rng.integers(-(-n_drugs // DRUGS_PER_PLATE), size=n_drugs)}
    white = rng.standard_normal((n_drugs, len(features)))
    families = []
    for (share, number, properties, by), family_loadings in zip(FAMILIES, loadings, strict=True):
        group = features.groupby(list(properties)).ngroup().to_numpy() if properties else np.zeros(len(features), int)
        scores = rng.standard_normal((drugs[by].max() + 1, group.max() + 1, number))
        families.append((np.sqrt(share / number), scores, drugs[by], group, family_loadings))

    def technical(rows):
        """Noise and technical factors of some drugs: (n_rows, n_features)."""
        total = np.sqrt(WHITE) * white[rows]
        for weight, scores, of, group, family_loadings in families:
            total += weight * np.einsum("ijk,jk->ij", scores[of[rows]][:, group], family_loadings)
        return total

    return white, technical


def _unit_uniform(rng, shape) -> np.ndarray:
    """Loadings of mean 0 and variance 1, bounded, so that no feature follows one factor only."""
    return rng.uniform(-np.sqrt(3), np.sqrt(3), shape)


def _shuffled_normal(rng, n) -> np.ndarray:
    """Standard normal quantiles in random order: what is heavy-tailed has the same extremes whatever the seed."""
    return rng.permutation(ndtri((np.arange(n) + 0.5) / n))


def _numbered(prefix, n, width=None) -> np.ndarray:
    """Names 1 ... n, padded with zeros so that they sort."""
    return np.array([f"{prefix}{number:0{width or len(str(n))}d}" for number in range(1, n + 1)], dtype=object)


def _n_own_phenotypes(n_common) -> int:
    return round(n_common / COMMON_MOAS_PER_PHENOTYPE)


def _check(n_drugs, n_annotated, n_moas, n_common, largest, n_features, signal):
    """Raise InputError unless such MoAs can add up to the drugs, with enough of them left for the planted phenotype."""
    if not 1 <= n_features <= N_FEATURES:
        raise InputError(f"simulate: n_features is {n_features}; expected 1 to {N_FEATURES}")
    if largest < COMMON:
        raise InputError(f"simulate: largest_moa is {largest}; expected {COMMON} or more")
    if not 1 <= n_common <= n_moas:
        raise InputError(f"simulate: n_common_moas is {n_common}; expected 1 to n_moas = {n_moas}")
    if n_moas < (fewest := _n_own_phenotypes(n_common) + PLANTED):
        raise InputError(f"simulate: n_moas is {n_moas}; expected {fewest} or more for {n_common} common MoAs")
    least = largest + COMMON * (n_common - 1) + (n_moas - n_common)
    most = largest * n_common + (COMMON - 1) * (n_moas - n_common)
    if n_annotated > n_drugs:
        raise InputError(f"simulate: n_annotated is {n_annotated}; expected at most n_drugs = {n_drugs}")
    if not least <= n_annotated <= most:
        option = "n_annotated" if n_annotated < n_drugs else "n_drugs"
        raise InputError(f"simulate: {option} is {n_annotated}; MoAs of these sizes take {least} to {most} drugs")
    if signal < 0:
        raise InputError(f"simulate: signal is {signal}; expected 0 or more")
