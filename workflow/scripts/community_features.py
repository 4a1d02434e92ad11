"""How little each feature varies inside each community."""

from _files import is_simulated, read_drugs, read_table, write_table
from _job import run
from moamap.communities.features import csif_overlap, intra_class_ratios


def community_features(job) -> None:
    _, features = read_drugs(job.input.profiles)
    communities = read_table(job.input.communities)["community"]
    ratios = intra_class_ratios(features, communities, threshold=job.params.csif_ratio)
    write_table(ratios, job.output.ratios, simulated=is_simulated(job))
    write_table(csif_overlap(ratios), job.output.overlap, simulated=is_simulated(job))


if __name__ == "__main__":
    run(community_features, globals().get("snakemake"))
