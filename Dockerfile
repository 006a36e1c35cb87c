# The environment of `make setup` with its bedtools, and lociflow itself, in an image:
#   docker build --tag lociflow .
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/work" lociflow --cores all
# Everything that a run reads and writes lies below /work; a configfile there is named as outside of the image. For
# Apptainer: apptainer build lociflow.sif docker-daemon://lociflow:latest
#
# Not built by its authors' tests: no registry of images could be reached from where it was written. In a Debian 12 made by
# debootstrap its packages were installed and `make setup` installed the lock under Python 3.11.2, as the user below; pip
# found nothing broken, and another user imported the packages. The compilation that ends `make setup`, and a run, were not
# waited for there. The base image's digest is the one that several public projects give for that tag.
FROM debian:bookworm-20260824-slim@sha256:88200866dfff7ea7f5cbcb6ec7c8a701889efe6fe859fe64d6990e4b07ea4171

RUN apt-get update \
    && apt-get install --yes --no-install-recommends bedtools ca-certificates git make python3 python3-venv \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home lociflow \
    && install --directory --owner=lociflow /opt/lociflow /work \
    && git config --system --add safe.directory /opt/lociflow

USER lociflow
WORKDIR /opt/lociflow
# Where pip looks for torch: the CPU build. For a GPU: --build-arg TORCH_INDEX= (PyPI's CUDA build, 4 GB more).
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
# Compiled once in the image, and added to by whichever user runs it.
ENV NUMBA_CACHE_DIR=/opt/lociflow/numba
COPY --chown=lociflow Makefile requirements.lock requirements-torch.txt ./
COPY --chown=lociflow scripts scripts
RUN make setup TORCH_INDEX="$TORCH_INDEX" PYTHON=python3 && chmod --recursive a+rwX numba
COPY --chown=lociflow . .

# A user of any number has a home that can be written, for the caches of matplotlib and Snakemake.
ENV PATH=/opt/lociflow/.venv/bin:$PATH HOME=/tmp
# For `python -c "import lociflow"`: a script finds the package beside itself.
ENV PYTHONPATH=/opt/lociflow/scripts
WORKDIR /work
ENTRYPOINT ["snakemake", "--snakefile", "/opt/lociflow/Snakefile"]
CMD ["--cores", "all"]
