#!/bin/sh
# Tell snakemake where an SGE job stands: running, success or failed. Between the queue's end of a job and its account some
# seconds pass, in which it counts as running; a job that neither knows after a minute has failed.
qstat -j "$1" >/dev/null 2>&1 && { echo running; exit 0; }
for _ in $(seq "${SGE_ACCOUNT_TRIES:-12}"); do
    job=$(qacct -j "$1" 2>/dev/null) && break
    sleep 5
done
told=$(printf '%s\n' "$job" | awk '$1 == "failed" || $1 == "exit_status" {print $1 "=" $2}' | tail -n 2 | sort | tr '\n' ' ')
[ "$told" = "exit_status=0 failed=0 " ] && echo success || echo failed
