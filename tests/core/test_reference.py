import json

import pytest

from moamap.core.config import load_schema
from moamap.core.reference import EACH, ONCE, is_simulated, with_reference

SCHEMA = load_schema("workflow/schemas")
STUDY = {"representations": {"raw": {"method": "raw"}}, "main": "raw", "wells": {"controls": ["dmso"], "select": ["a"]}}
NEW = {"dataset": "new", "sources": {"profiles": {"location": "t.csv"}}}


@pytest.fixture
def study(tmp_path, monkeypatch):
    """The folder of a finished study, seen from where Snakemake runs."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "results/old"
    for file in [*ONCE, *(f"raw/{file}" for file in EACH)]:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()
    (folder / "provenance.json").write_text(json.dumps({"config": STUDY, "simulated": True}))
    return folder


def test_a_config_without_reference_stays_as_it_is():
    for config in (NEW, NEW | {"reference": None}, NEW | {"reference": 7, "query": []}):
        assert with_reference(config, SCHEMA) == (config, [])


def test_representations_are_taken_from_the_reference(study):
    config = NEW | {"reference": "results/old"}
    assert with_reference(config, SCHEMA) == (config | {"representations": STUDY["representations"], "main": "raw"}, [])
    assert is_simulated("results/old")


@pytest.mark.parametrize("given", [{}, {"controls": ["water"]}])
def test_wells_take_the_options_of_the_reference_and_its_features(study, given):
    found, problems = with_reference(NEW | {"reference": "results/old", "wells": given}, SCHEMA)
    assert not problems and found["wells"] == {"controls": ["dmso"], "select": []} | given


@pytest.mark.parametrize("option", ["representations", "normalization", "query", "main"])
def test_what_belongs_to_the_reference_cannot_be_given(study, option):
    [line] = with_reference(NEW | {"reference": "results/old", option: {}}, SCHEMA)[1]
    assert line.startswith(f"{option}: with `reference`, this is not for the new table to set")
    assert not with_reference(NEW | {"reference": "results/old", "mispelt": 1}, SCHEMA)[1]  # the schema's to refuse


def test_parts_that_belong_to_the_reference_cannot_be_given(study):
    sources = NEW["sources"] | {"samples": {"location": "s"}, "drugs": {"location": "d"}}
    config = NEW | {"reference": "results/old", "sources": sources, "wells": {"select": ["variance"]}}
    lines = with_reference(config, SCHEMA)[1]
    assert [line.split(":")[0] for line in lines] == ["sources.samples", "sources.drugs", "wells.select"]


def break_nothing_there(folder):
    folder.rename(folder.with_name("gone"))


def break_no_provenance(folder):
    (folder / "provenance.json").unlink()


def break_cut_off(folder):
    (folder / "provenance.json").write_text('{"config": {')


def break_another_form(folder):
    (folder / "provenance.json").write_text("[]")


def break_unfinished(folder):
    (folder / "raw/tsne.csv").unlink()


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        (break_nothing_there, "reference: there is no folder 'results/old'; expected the folder of a finished study"),
        (break_no_provenance, "reference: there is no results/old/provenance.json; expected the folder of a finished"),
        (break_cut_off, "reference: results/old/provenance.json is damaged"),
        (break_another_form, "reference: results/old/provenance.json is damaged"),
        (break_unfinished, "reference: there is no results/old/raw/tsne.csv; run the reference's study to its end"),
    ],
)
def test_an_unfinished_or_damaged_reference_is_refused_in_one_line(study, harm, expected):
    harm(study)
    [line] = with_reference(NEW | {"reference": "results/old"}, SCHEMA)[1]
    assert line.startswith(expected) and "\n" not in line


def test_a_table_is_not_placed_into_the_folder_of_its_reference(study):
    [line] = with_reference(NEW | {"reference": "results/old/", "dataset": "old"}, SCHEMA)[1]
    assert "is the folder that this config writes to" in line
