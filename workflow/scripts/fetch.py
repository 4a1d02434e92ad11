"""A source by URL, through the cache, verified."""

import shutil
from pathlib import Path
from typing import Any

from _job import run
from moamap.sources.download import cache_folder, download


def fetch(job: Any) -> None:
    target = Path(job.output[0])
    cache = Path(job.params.cache or cache_folder())
    cached = download(job.params.url, cache, target.name, job.params.checksum, offline=job.params.offline)
    shutil.copyfile(cached, target)


if __name__ == "__main__":
    run(fetch, globals().get("snakemake"))
