"""Bad input: one clear line, an exit code, and no table. What was said is kept in results/tests/bad_input.csv."""

import gzip
import os
import subprocess
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pandas as pd
import pytest

from .study import ROOT, SMALL, snakemake

QUERY = "query: [simulated drug 001, simulated drug 002]"
FEATURES = [
    "Cells_AreaShape_Area",
    "Nuclei_Texture_Variance_Hoechst_3",
    "Cells_Intensity_Mean_ER",
    "Cytoplasm_Mean_Mito",
]
TARGET = "results/bad/profiles/normalized.parquet"
TARGETS = [TARGET, "results/bad/profiles/checked"]


def table(drugs=12, features=FEATURES, **changes):
    columns = {"pert_id": [f"c{i:02d}" for i in range(drugs)], "moa": (["a", "b"] * drugs)[:drugs]}
    columns |= {feature: [float((i * 7) % 11 + j) for i in range(drugs)] for j, feature in enumerate(features)}
    return pd.DataFrame(columns | changes)


def text(**options):
    return table().to_csv(index=False, **options).encode()


def zipped(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../evil.csv", text())


def odd(values):
    return table().astype(object).assign(**{FEATURES[1]: values})


@dataclass(frozen=True)
class Case:
    """What the one line must say; what is in the file; what the config says besides."""

    expected: str
    content: pd.DataFrame | bytes | None = None  # the good table if None
    file: str = "profiles.csv"
    source: str = ""
    extra: str = ""
    dataset: str = "bad"

    def write(self, folder):
        """Write file and config; the path of the config."""
        path = folder / self.file
        if callable(self.content):
            self.content(path)
        elif isinstance(self.content, bytes):
            path.write_bytes(self.content)
        else:
            (table() if self.content is None else self.content).to_csv(path, index=False)
        small = SMALL.read_text()
        tail = small[small.index("representations:") :].replace(QUERY, "query: []" if "query" not in self.extra else "")
        source = f"location: {path}" if "location" not in self.source else ""
        sources = f"sources: {{profiles: {{{', '.join(filter(None, [source, self.source.format(folder)]))}}}}}"
        config = folder / "bad.yaml"
        config.write_text(f"dataset: {self.dataset}\n{sources}\n{tail}{self.extra}\n")
        return config


WELLS = table(24, moa=["a", "b"] * 12, plate="p1", control=["drug"] * 20 + ["dmso"] * 4)
CASES = {
    "a config typo": Case("'enrichmnt'; did you mean 'enrichment'?", extra="enrichmnt: {}"),
    "a value out of range": Case("csif_ratio: 7 is greater than", extra="csif_ratio: 7"),
    "a wrong type": Case("neighbours: 'many' is not valid; expected a whole number", extra="neighbours: many"),
    "a data set's name that is too long": Case("the first a letter or digit, at most 100", dataset="a" * 101),
    "a path in the data set's name": Case("dataset: '../../etc' is not valid; expected letters", dataset="../../etc"),
    "a file that is not there": Case("there is no file", source="location: {}/gone.csv"),
    "a folder in place of a file": Case("is a folder; expected a file", source="location: {}"),
    "a pattern that fits no file": Case("no file matches the pattern", source="location: '{}/plate*.csv'"),
    "a wrong checksum": Case(f"expected md5:{'0' * 32}", source=f"checksum: 'md5:{'0' * 32}'"),
    "an unknown format": Case("profiles.dat: the name says no format; set", file="profiles.dat"),
    "an empty file": Case("profiles.csv: cannot be read as csv: No columns to parse", b""),
    "a header and nothing else": Case("0 rows x 4 features", table(0)),
    "a truncated gz": Case("Compressed file ended before", gzip.compress(text())[:-40], "profiles.csv.gz"),
    "a web page": Case("found a web page (HTML)", b"<!DOCTYPE html><html><body>404</body></html>"),
    "a Git LFS pointer": Case("found a Git LFS pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
    "an archive that leaves its folder": Case("'../../evil.csv' leaves its folder", zipped, "profiles.csv.zip"),
    "a Parquet file that is none": Case("profiles.parquet: cannot be read as parquet", text(), "profiles.parquet"),
    "the wrong delimiter": Case("looks semicolon-delimited, found one column", text(sep=";")),
    "decimal commas": Case("row 1: '0,5'; expected a number (with a point", odd([f"{i},5" for i in range(12)])),
    "a duplicate column": Case("duplicate column 'moa' (2 times)", b"pert_id,moa,moa,f1,f2,f3\na,m,m,1,2,3\n"),
    "duplicate ids": Case(
        "column 'pert_id', row 12: 'c10'; expected each pert_id once",
        table(pert_id=[f"c{i:02d}" for i in [*range(11), 10]]),
    ),
    "a row without an id": Case("row 2: None; expected a pert_id", table(pert_id=["a", None, *"cdefghijkl"])),
    "no pert_id column": Case(
        "no column 'pert_id'; the first columns are id", table().rename(columns={"pert_id": "id"})
    ),
    "no moa column": Case("no column 'moa'; set columns.moa", table().drop(columns="moa")),
    "a misspelt column": Case(
        "no column 'pert_ID' (columns.pert_id); did you mean 'pert_id'?", extra="columns: {pert_id: pert_ID}"
    ),
    "a pattern that fits no feature": Case(
        "no column fits columns.features '^Image_'", extra="columns: {features: ^Image_}"
    ),
    "text in a feature": Case(
        "column 'Nuclei_Texture_Variance_Hoechst_3', row 3: 'n/m'; expected a number", odd([1.0, 2.0, "n/m", *range(9)])
    ),
    "an extra text column": Case(
        "begin its name with Metadata_ or choose the features with columns.features", table(Notes="checked")
    ),
    "a value whose square overflows": Case("row 4: 1e+300; expected a magnitude", odd([1, 2, 3, 1e300, *range(8)])),
    "a file name that Snakemake would fill in": Case(
        "takes {1} for a wildcard; rename", file="plate {1}.csv", source="location: '{}/plate {{1}}.csv'"
    ),
    "one well on each plate": Case(
        "plate 'p0' has 1 well, expected 2 or more",
        table(24, moa=["a", "b"] * 12, plate=[f"p{i}" for i in range(24)]),
        extra="wells: {reference: all}",
    ),
    "a spreadsheet": Case("profiles.xlsx: a spreadsheet; expected a table as text", file="profiles.xlsx"),
    "wells without a plate": Case(
        "2 of 24 wells have no plate (the first is of pert_id 'c04')",
        WELLS.assign(plate=["p1"] * 4 + [None] * 2 + ["p1"] * 18),
        extra="wells: {controls: [dmso]}",
    ),
    "two wells of one place": Case(
        "profiles.csv: row 3 and row 2 of profiles.csv are both plate 'p1', well 'A1'",
        table(plate="p1", well=["A0", "A1", "A1", *(f"B{i}" for i in range(9))]),
    ),
    "MoAs of nothing but separators": Case(
        "none of 12 rows has a MoA", table(moa=["|", " | "] * 6), extra="moa: split"
    ),
    "a missing value": Case(
        "feature 'Cells_AreaShape_Area' has missing values", table(**{FEATURES[0]: [None, *map(float, range(11))]})
    ),
    "an infinite value": Case(
        "feature 'Cells_AreaShape_Area' has infinite values", table(**{FEATURES[0]: [float("inf"), *range(11)]})
    ),
    "a constant feature": Case(
        "feature 'Cells_AreaShape_Area' has constant values", table(**{FEATURES[0]: [1.0] * 12})
    ),
    "a constant profile": Case(
        "drug 'c03' has one value in all 4 features (1 such drugs), which cannot be normalized",
        table().assign(
            **{f: [5.0 if i == 3 else (i * 7 + 3 * j) % 11 for i in range(12)] for j, f in enumerate(FEATURES)}
        ),
    ),
    "features in natural units": Case(
        "feature 'Cells_AreaShape_Area' (median or standard deviation",
        table(**{FEATURES[0]: [1e5 + i for i in range(12)]}),
    ),
    "constant features only": Case(
        "has constant values (4 such features)",
        table(**dict.fromkeys(FEATURES, 1.0)),
        extra="normalization: {bad_features: drop}",
    ),
    "two features": Case("12 rows x 2 features; expected at least 1 x 3", table(features=FEATURES[:2])),
    "one drug": Case("every drug has the MoA 'a'; expected two MoAs", table(1)),
    "one MoA only": Case("every drug has the MoA 'a'; expected two MoAs", table(moa="a")),
    "no MoA at all": Case("none of 12 rows has a MoA", table(moa=[None] * 12)),
    "no MoA with five drugs": Case("no MoA has 5 drugs (the largest, 'a', has 4", table(moa=list("aaaabbbbcccc"))),
    "every drug its own MoA": Case("no MoA has 5 drugs", table(moa=list("abcdefghijkl"))),
    "two MoAs of one name": Case("drug 'x' has 2 different MoAs", table(pert_iname=["x", "x", *"cdefghijkl"])),
    "two MoAs of one drug's wells": Case(
        "pert_id 'c00' has 2 different values of moa (a; b); expected one",
        WELLS.assign(pert_id=[f"c{i // 2:02d}" for i in range(24)]),
        extra="wells: {controls: [dmso]}",
    ),
    "a plate without controls": Case(
        "plate 'p1' has 0 control wells, expected 2", WELLS, extra="wells: {controls: [water]}"
    ),
    "an unknown drug asked about": Case("no drug named 'c0l' among the 12 drugs", extra="query: [c0l]"),
}


def run_case(case, folder):
    folder.mkdir()
    return snakemake(*TARGETS, directory=folder, configfile=case.write(folder), cores=1)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """All cases, two at a time; leaves a table of what was said."""
    folder = tmp_path_factory.mktemp("bad")
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        folders = {name: folder / str(number) for number, name in enumerate(CASES)}
        finished = dict(zip(CASES, pool.map(run_case, CASES.values(), folders.values()), strict=True))
    said = [
        {"input": name, "exit_code": run.returncode, "said": next(iter(lines(run, CASES[name].expected)), "")}
        for name, run in finished.items()
    ]
    (ROOT / "results/tests").mkdir(parents=True, exist_ok=True)
    pd.DataFrame(said).to_csv(ROOT / "results/tests/bad_input.csv", index=False)
    return {name: (run, folders[name]) for name, run in finished.items()}


def lines(run, expected):
    return [line for line in run.stdout.splitlines() if expected in line]


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_refused_in_one_line(case, runs):
    run, folder = runs[case]
    assert run.returncode != 0
    assert len(lines(run, CASES[case].expected)) == 1, run.stdout
    assert "Traceback" not in run.stdout
    assert not all((folder / target).exists() for target in TARGETS)
    assert not list(folder.parent.rglob("evil.csv"))


def test_a_full_disk_is_said_and_nothing_is_left(tmp_path):
    """The results on a file system of 200 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(disk)], capture_output=True).returncode:
        pytest.skip("file systems may not be mounted here")
    try:
        (tmp_path / "results").symlink_to(disk)
        many = {f"Cells_f{i}": [float(i * j % 17 + j / 7) for j in range(400)] for i in range(200)}
        config = Case("", table(400, **many)).write(tmp_path)
        run = snakemake(*TARGETS, directory=tmp_path, configfile=config)
        assert run.returncode != 0
        assert len([line for line in lines(run, "No space left on device") if line.startswith("ERROR")]) == 1, (
            run.stdout
        )
        assert "Traceback" not in run.stdout
        assert not list(disk.rglob("*.parquet"))
    finally:
        subprocess.run(["umount", str(disk)], check=True)
