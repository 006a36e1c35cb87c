#!/bin/sh
# Tell snakemake where an SGE job stands: running, success or failed. A job in the state of error (Eqw) waits for ever: failed.
# Between the queue's end of a job and its account some seconds pass, in which it counts as running; a job that neither knows
# after a minute has failed. A server that does not answer says nothing of the job: it counts as running, since a repeat
# beside it would write the same files.
running() {
    echo "$1" >&2
    echo running
    exit 0
}
jobs=$(qstat -u "$(id -un)" 2>&1) || running "$jobs"
case $(printf '%s\n' "$jobs" | awk -v job="$1" '$1 == job {print $5; exit}') in
    "") ;;
    *E*) echo failed; exit 0 ;;
    *) echo running; exit 0 ;;
esac
for _ in $(seq "${SGE_ACCOUNT_TRIES:-12}"); do
    said=$(qacct -j "$1" 2>&1) && break
    case $said in
        *"not found"*) said="" ;;
        *) running "$said" ;;
    esac
    sleep "${SGE_ACCOUNT_SECONDS:-5}"
done
told=$(printf '%s\n' "$said" | awk '$1 == "failed" || $1 == "exit_status" {print $1 "=" $2}' | tail -n 2 | sort | tr '\n' ' ')
[ "$told" = "exit_status=0 failed=0 " ] && echo success || echo failed
