# docker build -t moamap .
# docker run --rm --user "$(id -u)" -v "$PWD:/data" moamap --cores 4 --configfile my.yaml      (results come into $PWD/results)
FROM python:3.11-slim
WORKDIR /moamap
COPY requirements.txt .
RUN pip install --no-cache-dir --require-hashes --no-deps -r requirements.txt
COPY Snakefile .
COPY config config
COPY envs envs
COPY profiles profiles
COPY resources resources
COPY workflow workflow
ENV HOME=/tmp
WORKDIR /data
ENTRYPOINT ["snakemake", "--snakefile", "/moamap/Snakefile"]
