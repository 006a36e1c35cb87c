#!/bin/sh
# Tell snakemake where an LSF job stands: running, success or failed. A job that LSF has forgotten has failed.
case $(bjobs -noheader -o stat "$1" 2>/dev/null) in
    DONE) echo success ;;
    EXIT | ZOMBI | "") echo failed ;;
    *) echo running ;;
esac
