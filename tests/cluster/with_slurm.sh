#!/usr/bin/env bash
# Run a command on a Slurm of its own: controller, one node, a fake GPU. Needs root; what it mounts, only this command sees.
#   tests/cluster/with_slurm.sh FOLDER COMMAND…
# FOLDER keeps configuration, state and logs. In it, ./controller starts the controller again after a test has ended it.
set -euo pipefail

folder=$(realpath -m "$1")
shift
if [ -z "${LOCIFLOW_IN_SLURM:-}" ]; then
    [ "$(id -u)" = 0 ] || { echo "tests/cluster starts a Slurm of its own and needs root, found $(id -un)" >&2; exit 1; }
    for program in slurmctld slurmd munged; do
        command -v "$program" >/dev/null && continue
        echo "installing Slurm from Debian's packages" >&2
        apt-get update -qq
        # Its services would start with the machine: the daemons here are this script's own.
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurmctld slurmd slurm-client munge >/dev/null
        break
    done
    LOCIFLOW_IN_SLURM=1 exec unshare --mount "$0" "$folder" "$@"
fi

mkdir -p "$folder"/{etc,state,spool,run,munge}
port=$((20000 + RANDOM % 10000))
host=$(hostname)
cat >"$folder/etc/slurm.conf" <<CONFIGURATION
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket
CryptoType=crypto/munge
SlurmctldPort=$port
SlurmdPort=$((port + 1))
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/run/slurmctld.pid
SlurmdPidFile=$folder/run/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
MinJobAge=3600
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
# Without cgroups it is the daemon that looks, every second, and ends what has more memory than it asked for.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
GresTypes=gpu
# More than the machine may have: the steps ask for what a real data set needs, and the run here is a small one.
SlurmdParameters=config_overrides
NodeName=$host NodeAddr=127.0.0.1 CPUs=4 RealMemory=64000 Gres=gpu:1 State=UNKNOWN
PartitionName=cpu Nodes=$host Default=YES MaxTime=INFINITE State=UP
PartitionName=gpu Nodes=$host MaxTime=INFINITE State=UP
CONFIGURATION
echo "NodeName=$host Name=gpu File=/dev/null" >"$folder/etc/gres.conf"
touch "$folder/etc/cgroup.conf"
mkdir -p /etc/slurm
mount --bind "$folder/etc" /etc/slurm

[ -s "$folder/munge/key" ] || head -c 1024 /dev/urandom >"$folder/munge/key"
chmod 700 "$folder/munge"
chmod 600 "$folder/munge/key"
munged --foreground --force --socket "$folder/munge/socket" --key-file "$folder/munge/key" \
    --pid-file "$folder/munge/pid" --log-file "$folder/munge/log" --seed-file "$folder/munge/seed" 2>"$folder/munge/errors" &
printf '#!/bin/sh\nexec slurmctld -D >>"%s/controller.out" 2>&1\n' "$folder" >"$folder/controller"
chmod +x "$folder/controller"
finish() {
    status=$?
    trap - EXIT
    squeue --noheader --format=%i | xargs --no-run-if-empty scancel --signal=KILL --full || true
    for _ in $(seq 100); do [ -z "$(squeue --noheader --format=%i)" ] && break; sleep 0.1; done
    for file in run/slurmd.pid run/slurmctld.pid munge/pid; do
        [ -f "$folder/$file" ] && kill "$(cat "$folder/$file")" 2>/dev/null
    done
    exit "$status"
}
trap finish EXIT
for _ in $(seq 100); do [ -S "$folder/munge/socket" ] && break; sleep 0.1; done
"$folder/controller" &
slurmd -D >"$folder/slurmd.out" 2>&1 &
for _ in $(seq 300); do
    sinfo --noheader --format=%T 2>/dev/null | grep -q idle && break
    sleep 0.2
done
sinfo --noheader --format=%T | grep -q idle || { echo "Slurm does not start; see $folder/slurmctld.log and slurmd.log" >&2; exit 1; }
export LOCIFLOW_SLURM=$folder
"$@"
