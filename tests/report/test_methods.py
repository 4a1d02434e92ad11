"""The methods paragraph says what the config says, and cites only what is in the BibTeX file."""

import re
from pathlib import Path

import pytest
import yaml

from moamap.core.config import load_schema, with_defaults
from moamap.report.methods import ENGINES, METHODS, cite, methods, references
from moamap.representations import registry

ROOT = Path(__file__).resolve().parents[2]
WORKS = references((ROOT / "workflow/report/page/references.bib").read_text(encoding="utf-8"))
COUNTS = {"drugs": 1105, "features": 812, "moas": 372, "common": 49}


def text_of(config, engine="dense", **changes):
    filled = with_defaults(
        yaml.safe_load((ROOT / config).read_text()) | changes, load_schema(ROOT / "workflow/schemas")
    )
    made = {"moamap": {"version": "9.8"}, "python": "3.11.0", "packages": {"numpy": "2.0", "gone": None}}
    return cite(methods(made | {"config": filled}, COUNTS, engine), WORKS)


def test_every_method_and_engine_can_be_described_and_every_work_be_cited():
    assert set(METHODS) == set(registry.METHODS)
    assert set(ENGINES) == {"dense", "sparse", "louvain"}
    every = [text_of("config/lincs.yaml", engine, wells={})[1] for engine in ENGINES]
    lda = text_of("config/config.yaml", representations={"itml": {"method": "lda"}}, compare=["itml"])[1]
    assert {work.key for cited in (*every, lda) for work in cited} == set(WORKS)


def test_the_text_holds_the_numbers_of_the_config():
    text, _ = text_of("config/config.yaml", csif_ratio=0.02, validation="full")
    for said in (
        "1,105 drugs",
        "812 features",
        "simulated, not measured",
        "n constraints 20",
        "below 0.02 of",
        "P < 0.01",
    ):
        assert said in text
    assert (
        "999 (metrics learned from MoAs) or 9,999 permutations" in text and "numpy 2.0" in text and "gone" not in text
    )
    assert "simulated" not in text_of("config/lincs.yaml")[0]
    assert "permutations" not in text_of("config/config.yaml", validation="off")[0]
    assert not re.findall(r"\[\w+\]", text)


@pytest.mark.parametrize(
    ("key", "short", "full"),
    [
        ("frey2007", "Frey and Dueck 2007", "Brendan J. Frey, Delbert Dueck (2007). Clustering by passing"),
        ("policar2024", "Poličar et al. 2024", "Pavlin G. Poličar, Martin Stražar"),
        ("molder2021", "Mölder et al. 2021", "Felix Mölder et al. (2021). Sustainable data analysis"),
        ("fisher1936", "Fisher 1936", "Ronald A. Fisher (1936). The use of multiple"),
    ],
)
def test_references(key, short, full):
    assert WORKS[key].short == short and WORKS[key].full.startswith(full)
    assert WORKS[key].entry.startswith("@") and WORKS[key].entry.endswith("}")


def test_a_work_is_listed_once_in_the_order_in_which_it_is_cited():
    text, cited = cite("a [frey2007; davis2007] b [frey2007] c [1] d", WORKS | {"1": WORKS["hubert1985"]})
    assert text.startswith("a (Frey and Dueck 2007; Davis et al. 2007) b (Frey and Dueck 2007)")
    assert [work.key for work in cited[:2]] == ["frey2007", "davis2007"]
