#!/bin/sh
# Submit a job script with what its rule asks for, and keep a line of it:
#   submit.sh RULE THREADS MEGABYTES MINUTES GPUS QUEUE SCRIPT
echo "$1 $2 $3 $4 $5 $6" >>submitted
exec sbatch --parsable --comment "rule_$1" --output logs/%j.log --ntasks 1 --cpus-per-task "$2" --mem "$3" --time "$4" \
    $([ "$5" = 0 ] || echo "--gpus=$5") --partition "$6" "$7"
