"""The paper's normalization on each axis, against scikit-learn and by hand."""

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler, scale

from moamap.core.errors import InputError
from moamap.profiles import normalize
from moamap.profiles.normalize import STEPS, apply_normalization, feature_statistics, learn_normalization

OPTIONS = {"scale": 2.0, "epsilon": 0.5, "bias": -0.25}


def screen(n_drugs=40, n_features=30, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.normal(rng.normal(0, 1, n_features), rng.uniform(0.5, 20, n_features), (n_drugs, n_features))
    return pd.DataFrame(values, columns=[f"f{j}" for j in range(n_features)])


def names(table):
    return [f"drug {i}" for i in range(len(table))]


def normalized(table, **options):
    return apply_normalization(table, learn_normalization(table, names(table), **options))


def test_without_epsilon_each_axis_is_scikit_learn_s_standardization():
    table = screen()
    x = table.to_numpy()
    expected = {
        "profile": scale(x, axis=1),
        "feature": StandardScaler().fit_transform(x),
        "profile_then_feature": StandardScaler().fit_transform(scale(x, axis=1)),
    }
    assert expected.keys() == STEPS.keys()
    for axis, values in expected.items():
        np.testing.assert_allclose(normalized(table, axis=axis, epsilon=0.0), values, rtol=1e-10, atol=1e-12)


def test_scale_epsilon_and_bias_by_hand_on_each_axis():
    table = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 2.0], "c": [5.0, 8.0]})
    first = 2 * (np.array([[-2.0, 0, 2], [-2, -2, 4]]) / np.sqrt(np.array([[8 / 3], [8.0]]) + 0.5) - 0.25)
    np.testing.assert_allclose(normalized(table, axis="profile", **OPTIONS), first)
    half = (first[0] - first[1]) / 2
    second = 2 * (np.array([half, -half]) / np.sqrt(half**2 + 0.5) - 0.25)
    np.testing.assert_allclose(normalized(table, axis="profile_then_feature", **OPTIONS), second)
    half = np.array([-0.5, 0.5, -1.5])
    alone = 2 * (np.array([half, -half]) / np.sqrt(half**2 + 0.5) - 0.25)
    np.testing.assert_allclose(normalized(table, axis="feature", **OPTIONS), alone)


@pytest.mark.parametrize("axis", STEPS)
def test_new_drugs_are_normalized_as_the_learned_ones_were(axis, tmp_path):
    table = screen()
    learned = learn_normalization(table.iloc[:30], names(table)[:30], axis=axis, **OPTIONS)
    learned.to_csv(tmp_path / "normalization.csv", index=False)
    read = pd.read_csv(tmp_path / "normalization.csv", float_precision="round_trip")
    new = apply_normalization(table.iloc[30:].iloc[:, ::-1], read)  # the order of the columns does not matter
    together = apply_normalization(table, learned)
    np.testing.assert_array_equal(new, together[30:])


def test_a_profile_s_normalization_depends_on_no_other_drug():
    table = screen()
    alone = normalized(table.iloc[:5], axis="profile")
    np.testing.assert_array_equal(alone, normalized(table, axis="profile")[:5])
    assert not np.allclose(normalized(table.iloc[:5], axis="feature"), normalized(table, axis="feature")[:5])


@pytest.mark.parametrize("axis", ["profile", "profile_then_feature"])
def test_a_constant_profile_is_refused_by_name(axis):
    table = screen()
    table.iloc[[7, 9]] = 3.0
    with pytest.raises(InputError, match=r"drug 'drug 7' has one value in all 30 features \(2 such drugs\)") as refusal:
        normalized(table, axis=axis)
    assert "\n" not in str(refusal.value) and "axis: feature" in str(refusal.value)
    assert np.isfinite(normalized(table, axis="feature")).all()


@pytest.mark.parametrize("axis", ["profile", "profile_then_feature"])
@pytest.mark.parametrize(
    "natural",
    [
        lambda x: x.assign(f3=1e4 * x["f3"]),  # one spread
        lambda x: x.assign(f3=1e5 + x["f3"]),  # one location
        lambda x: x * np.where(np.arange(30) < 15, 1e5, 1.0),  # half of the features
    ],
    ids=["spread", "location", "half"],
)
def test_natural_units_are_refused_with_the_cure(axis, natural):
    table = natural(screen())
    with pytest.raises(InputError, match="more than 1,000 times as large as others") as refusal:
        normalized(table, axis=axis)
    assert "\n" not in str(refusal.value) and "set normalization.axis: feature" in str(refusal.value)
    np.testing.assert_allclose(normalized(table, axis="feature").var(axis=0), 1, rtol=1e-4)


def test_a_few_features_that_hardly_vary_are_not_natural_units():
    table = screen()
    table[["f0", "f1"]] = 1e-4 * table[["f0", "f1"]]
    assert np.isfinite(normalized(table, axis="profile")).all()


def test_a_feature_that_the_profile_step_makes_constant_is_refused():
    table = pd.DataFrame({"a": [1.0, 2, 3], "b": [5.0, 7, 9]})
    with pytest.raises(InputError, match="feature 'a' is constant once each profile is normalized"):
        normalized(table, axis="profile_then_feature", epsilon=0.0)


@pytest.mark.parametrize("axis", STEPS)
def test_profiles_in_pieces_are_normalized_to_the_same_bits(axis, monkeypatch):
    table = screen(41, 31)
    table.iloc[3, 5], table["f9"] = np.nan, 1.0
    usable = table.drop(columns=["f5", "f9"])
    whole = feature_statistics(table), normalized(usable, axis=axis, **OPTIONS)
    monkeypatch.setattr(normalize, "PIECE", 100)
    pd.testing.assert_frame_equal(feature_statistics(table), whole[0], check_exact=True)
    np.testing.assert_array_equal(normalized(usable, axis=axis, **OPTIONS), whole[1])
    usable.iloc[:, 20] *= 1e6
    if axis != "feature":
        with pytest.raises(InputError, match=r"feature 'f22' .* times as large as others"):
            normalized(usable, axis=axis)
