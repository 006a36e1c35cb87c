#!/bin/sh
# Tell snakemake where a Slurm job stands.
case $(scontrol show job --oneliner "$1" | sed -n 's/.* JobState=\([A-Z_]*\).*/\1/p') in
    COMPLETED) echo success ;;
    PENDING | CONFIGURING | RUNNING | COMPLETING) echo running ;;
    *) echo failed ;;
esac
