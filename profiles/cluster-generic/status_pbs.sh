#!/bin/sh
# Tell snakemake where a PBS job stands: running, success or failed. A job that PBS has forgotten has failed.
job=$(qstat -x -f "$1" 2>/dev/null) || { echo failed; exit 0; }
case $(printf '%s\n' "$job" | sed -n 's/^ *job_state = //p') in
    F | X | C)
        [ "$(printf '%s\n' "$job" | sed -n -E 's/^ *[Ee]xit_status = //p')" = 0 ] && echo success || echo failed
        ;;
    *) echo running ;;
esac
