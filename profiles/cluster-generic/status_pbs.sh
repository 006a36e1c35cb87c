#!/bin/sh
# Tell snakemake where a PBS job stands: running, success or failed. A job that PBS does not know has failed. A server that
# does not answer says nothing of the job: it counts as running, since a repeat beside it would write the same files.
if ! said=$(qstat -x -f "$1" 2>&1); then
    case $said in
        *[Uu]"nknown Job Id"* | *[Uu]"nknown job id"*) echo failed ;;
        *) echo "$said" >&2; echo running ;;
    esac
    exit 0
fi
case $(printf '%s\n' "$said" | sed -n 's/^ *job_state = //p') in
    F | X | C)
        [ "$(printf '%s\n' "$said" | sed -n -E 's/^ *[Ee]xit_status = //p')" = 0 ] && echo success || echo failed
        ;;
    *) echo running ;;
esac
