"""slurm/fit.sbatch alone, with a shell script in the place of `lt`."""

import pytest

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(600)]
LT = """\
#!/bin/sh
trap 'echo "warned $SLURM_PROCID"' USR1
touch "began-$SLURM_PROCID"
for second in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1; done
"""


@pytest.mark.parametrize("batch", [(), ("--batch",)], ids=["SIGUSR1", "B:SIGUSR1"])
def test_a_warning_reaches_all_processes(jobs, batch):
    """A script's shell would die of B:, but srun has taken its place and passes it on."""
    jobs.put("lt", LT)
    job = jobs.fit("bbn", ())
    jobs.until_there(*(f"began-{rank}" for rank in range(4)))
    jobs.call("scancel", *batch, "--signal=USR1", f"{job}_0")
    jobs.finished(f"{job}_0")
    assert sorted(line for line in jobs.said().splitlines() if line.startswith("warned")) == [
        f"warned {rank}" for rank in range(4)
    ]
