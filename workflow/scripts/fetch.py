"""A source by URL, through the cache, verified."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import shutil

from scripts.download import cache_folder, download
from scripts.job import run


def fetch(job) -> None:
    source, target = job.params.source, Path(job.output[0])
    cache = Path(job.params.cache or cache_folder())
    cached = download(job.params.url, cache, target.name, source.get("checksum"), offline=job.params.offline)
    shutil.copyfile(cached, target)


if __name__ == "__main__":
    run(fetch, globals().get("snakemake"))
