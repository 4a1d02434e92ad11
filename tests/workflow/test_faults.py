"""A sample of `make faults`, which tries every fault in every rule."""

import pytest

from ..faults import FAULTS, jobs_of, tried

SAMPLE = [("enrich", "disk full"), ("community_features", "input cut off"), ("tsne", "kill -9 of the job")]
SAID = {"disk full": "File too large", "input cut off": "delete it and run again", "kill -9 of the job": "killed"}


@pytest.fixture(scope="module")
def jobs(small_run):
    return {job.rule: job for job in jobs_of(small_run.parents[1])}


def test_there_is_a_job_of_every_rule_and_a_fault_of_every_kind(jobs):
    assert {"simulate", "normalize", "crossfit", "permute", "verdict", "figures"} < set(jobs)
    assert all(job.outputs and job.seconds > 0 for job in jobs.values()) and {fault for _, fault in SAMPLE} < set(
        FAULTS
    )


@pytest.mark.parametrize(("rule", "fault"), SAMPLE)
def test_after_a_fault_the_same_command_makes_the_same_bytes(small_run, jobs, tmp_path, rule, fault):
    row = tried(small_run.parents[1], tmp_path / "copy", jobs[rule], fault)
    assert row["exit"] != 0 and SAID[fault] in row["said"], row
    assert row["exit of the second run"] == 0 and row["same bytes"], row
