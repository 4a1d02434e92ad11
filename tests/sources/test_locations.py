import os

import pytest

from moamap.sources.locations import checksums_of, files_of, missing_sources, states, unusable_folder

NAMES = ["[plate] 1.csv", "plate[1].csv", "a*b?.csv", "{.csv", "}{ }.csv", "#1 %20 'x'.csv"]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_there_is_taken_by_its_name(name, tmp_path):
    (tmp_path / name).touch()
    (tmp_path / "plate1.csv").touch()
    source = {"location": str(tmp_path / name)}
    assert files_of(source) == [str(tmp_path / name)]
    assert not missing_sources({"profiles": source})


def test_a_pattern_is_replaced_by_the_files_that_match_it(tmp_path):
    for name in ("p2.csv", "p1.csv", "q.csv", "p3.tsv"):
        (tmp_path / name).touch()
    assert files_of({"location": f"{tmp_path}/p[12].csv"}) == [f"{tmp_path}/p1.csv", f"{tmp_path}/p2.csv"]
    given = [f"{tmp_path}/q.csv", f"{tmp_path}/p?.csv", "https://a.org/p*.csv"]
    assert files_of({"location": given}) == [
        f"{tmp_path}/q.csv",
        f"{tmp_path}/p1.csv",
        f"{tmp_path}/p2.csv",
        "https://a.org/p*.csv",
    ]


def test_each_file_of_a_list_may_have_its_checksum(tmp_path):
    for name in ("p2.csv", "p1.csv"):
        (tmp_path / name).touch()
    given = ["https://a.org/x.csv", {"location": "https://a.org/y.csv", "checksum": "md5:1"}, f"{tmp_path}/p?.csv"]
    source = {"location": given, "checksum": None}
    assert files_of(source) == [
        "https://a.org/x.csv",
        "https://a.org/y.csv",
        f"{tmp_path}/p1.csv",
        f"{tmp_path}/p2.csv",
    ]
    assert checksums_of(source) == [None, "md5:1", None, None]
    assert checksums_of({"location": f"{tmp_path}/p1.csv", "checksum": "md5:2"}) == ["md5:2"]
    assert not missing_sources({"profiles": source})


@pytest.mark.parametrize("many", [{}, {"location": ["{}/p1.csv", "{}/p2.csv"]}])
def test_one_checksum_of_many_files_is_refused(many, tmp_path):
    for name in ("p1.csv", "p2.csv"):
        (tmp_path / name).touch()
    location = [path.format(tmp_path) for path in many["location"]] if many else f"{tmp_path}/*.csv"
    [line] = missing_sources({"profiles": {"location": location, "checksum": "md5:1"}})
    assert line.startswith("sources.profiles.checksum: one checksum for 2 files; expected none, or one for each: ")


@pytest.mark.parametrize("name", ["{1}.csv", "plate {dataset}.csv", "{a,b+}.csv"])
def test_a_name_that_is_a_wildcard_to_snakemake_is_refused(name, tmp_path):
    (tmp_path / name).touch()
    [line] = missing_sources({"profiles": {"location": str(tmp_path / name)}})
    assert line.startswith("sources.profiles.location: ") and line.endswith("rename the file, or link to it")


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("{}/gone.csv", "there is no file"),
        ("{}", "is a folder; expected a file, or a pattern such as"),
        ("{}/p*.csv", "no file matches the pattern"),
    ],
)
def test_what_is_no_file_is_refused(location, expected, tmp_path):
    [line] = missing_sources({"profiles": {"location": location.format(tmp_path)}})
    assert expected in line


def test_a_home_folder_is_to_be_written_out():
    [line] = missing_sources({"profiles": {"location": "~/profiles.csv"}})
    assert line.endswith("there is no file '~/profiles.csv'; write the folder out, ~ is not your home here")


def without_rights(*_):
    return False  # the tests may run as root, who may do everything


def test_a_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    (tmp_path / "p.csv").touch()
    assert not missing_sources({"profiles": {"location": str(tmp_path / "p.csv")}})
    monkeypatch.setattr(os, "access", without_rights)
    [line] = missing_sources({"profiles": {"location": str(tmp_path / "p.csv")}})
    assert line.endswith("p.csv' may not be read; change its permissions (chmod u+r)")


def test_a_folder_that_cannot_take_the_results_is_refused(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    (tmp_path / "lost").symlink_to("unmounted")
    assert not unusable_folder([tmp_path / "new", tmp_path / "folder", tmp_path / "link"])
    assert "file is a file; the study writes into a folder" in unusable_folder([tmp_path / "file"])
    assert "lost is a link to unmounted, which is not there" in unusable_folder([tmp_path / "new", tmp_path / "lost"])
    monkeypatch.setattr(os, "access", without_rights)
    assert "folder may not be written; change its permissions" in unusable_folder([tmp_path / "folder"])


def test_a_file_that_an_older_one_replaces_has_another_state(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("new")
    new = states([str(path), "https://a.org/p.csv"])
    assert new == states([str(path)]) and len(new) == 1
    os.utime(path, (1e9, 1e9))
    assert states([str(path)]) != new
