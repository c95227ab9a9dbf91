#!/bin/bash
# A run on several machines of SLURM: sbatch docs/slurm.sh experiments/marrakchi_isic.yaml --data.root DIR
# Two minutes before its time is over the job is warned; it is then started again, and the run goes on after its last
# finished epoch. So it does after the failure of a machine.
#SBATCH --job-name=lightning_imbal
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=8
#SBATCH --time=24:00:00
#SBATCH --signal=USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.log

# A process for each GPU; if one fails, the others end at once.
srun --kill-on-bad-exit=1 lightning_imbal fit --config "$@" --run_dir "runs/$SLURM_JOB_NAME-$SLURM_JOB_ID" \
  --trainer.num_nodes "$SLURM_JOB_NUM_NODES" --trainer.devices "$SLURM_NTASKS_PER_NODE" --trainer.strategy ddp
