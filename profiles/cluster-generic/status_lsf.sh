#!/bin/sh
# Tell snakemake where an LSF job stands: running, success or failed. A job that LSF does not know has failed. An LSF that
# does not answer says nothing of the job: it counts as running, since a repeat beside it would write the same files.
said=$(bjobs -noheader -o stat "$1" 2>&1)
status=$?
case $said in
    DONE*) echo success ;;
    EXIT* | ZOMBI* | *"is not found"*) echo failed ;;
    *)
        [ "$status" = 0 ] || echo "$said" >&2
        echo running
        ;;
esac
