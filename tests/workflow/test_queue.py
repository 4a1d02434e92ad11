"""Jobs that a SLURM queue will never start."""

from queue_watch import stuck

QUEUE = """\
7|PartitionTimeLimit|4:00:00|short|rule_permute_wildcards_itml_0|/home/me/study
8|Priority|10:00|short|rule_enrich|/home/me/study
9|PartitionTimeLimit|4:00:00|short|rule_permute_wildcards_itml_0|/home/me/other
10|BadConstraints|10:00|short|my own job|/home/me/study
11|InvalidQOS|10:00|short|rule_tables|/home/me/study
"""


def test_only_jobs_of_this_run_that_can_never_start_are_told():
    found = stuck(QUEUE, "/home/me/study")
    assert list(found) == ["7", "11"]
    assert "will never start job 7 (rule_permute_wildcards_itml_0): PartitionTimeLimit" in found["7"]
    assert "4:00:00 in partition short" in found["7"] and "slurm_partition" in found["7"]
    assert stuck("", "/home/me/study") == {}
