"""How little each feature varies inside each community, in each representation."""

from _files import is_simulated, read_drugs, read_index, read_unlabelled, write_table
from _job import run
from moamap.communities.features import csif_overlap, intra_class_ratios


def community_features(job) -> None:
    drugs = read_index(job.input.index)
    _, features = read_drugs(job.input.profiles, drugs)
    files = zip(job.input.communities, job.output.ratios, job.output.overlap, strict=True)
    for communities, ratios_file, overlap_file in files:
        numbers = read_unlabelled(communities, drugs)["community"]
        ratios = intra_class_ratios(features, numbers, threshold=job.params.csif_ratio)
        write_table(ratios, ratios_file, simulated=is_simulated(job))
        write_table(csif_overlap(ratios), overlap_file, simulated=is_simulated(job))


if __name__ == "__main__":
    run(community_features, globals().get("snakemake"))
