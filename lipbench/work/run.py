"""The work on one cell, from its folder's present state to its result.

``python -m lipbench.work.run FOLDER`` does it in this process; every launcher does nothing else, many times.
"""

import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click
import torch
from threadpoolctl import threadpool_limits

from lipbench import terminal
from lipbench.disk import drawn
from lipbench.disk.claims import ClaimLostError
from lipbench.disk.files import sweep
from lipbench.disk.store import RunFolder
from lipbench.errors import Diverged, LipbenchError, StoreError
from lipbench.launch import BUSY, FAILED, FINISHED, STOPPED
from lipbench.launch.connection import command_line
from lipbench.launch.signals import Signals, Stopped, end
from lipbench.measures._dynamics import DIVERGES, dynamics
from lipbench.request import cell as cells
from lipbench.request.cell import Cell
from lipbench.train.streams import EVALUATION, seed_globally, seeded
from lipbench.work import basis, checkpoint, environment, failures
from lipbench.work.device import choose_device
from lipbench.work.job import Job
from lipbench.work.meter import Meter
from lipbench.work.prepare import create
from lipbench.work.stages import Stages

STRETCH = 25  # steps between two looks at the losses and the clock
CHECKPOINT_SECONDS = 60.0  # at the latest; every evaluation writes one anyway

Progress = Callable[[int], None]


def work(folder: RunFolder, device: str, progress: Progress, argv: list[str], signals: Signals | None = None) -> int:
    """Finish the cell in `folder`, going on from its checkpoint if it has one.

    Args:
        folder: holds ``cell.json``.
        device: ``auto``, ``cpu``, ``cuda``, …
        progress: is told the generator steps made so far.
        argv: the command line to record.
        signals: heard already; at the first, the checkpoint is written.

    Returns:
        FINISHED (a diverged run is finished), FAILED (``error.json`` says why), STOPPED (by a signal), or BUSY: another
        process has it.
    """
    with suppress(StoreError):  # of a damaged result, which is recorded below
        if folder.result() is not None:
            return FINISHED
    with folder.claimed() as mine:
        if not mine:
            return BUSY
        try:
            return _finish(folder, device, progress, argv, signals or Signals())
        except ClaimLostError as lost:  # nothing more is written
            print(lost, flush=True)
            return BUSY


def _finish(folder: RunFolder, device: str, progress: Progress, argv: list[str], signals: Signals) -> int:
    try:
        sweep([folder.path])
        if folder.result() is None:
            _run_cell(folder, device, progress, argv, signals)
    except Stopped as stopped:
        print(f"{stopped} It goes on when run again.", flush=True)
        return STOPPED
    except ClaimLostError:
        raise
    except Exception as error:  # whatever happens in a cell is recorded in its folder
        traceback.print_exc()  # into the log
        folder.record_failure(failures.kind_of(error), failures.message_of(error), traceback.format_exc())
        return FAILED
    return FINISHED


@dataclass
class _Run:
    """A cell under way."""

    folder: RunFolder
    cell: Cell
    job: Job
    device: torch.device
    signals: Signals
    meter: Meter = field(default_factory=Meter)
    losses: dict[str, float] = field(default_factory=dict)  # sums since the last evaluation
    evaluated: int = 0  # the step of the last evaluation
    saved: float = field(default_factory=time.monotonic)

    def save(self) -> None:
        state = {
            "trainer": self.job.training.state_dict(),
            "device": self.device.type,
            "basis": self.job.basis,
            "meter": asdict(self.meter),
            "losses": self.losses,
            "trace": self.folder.evaluations.signature(),
        }
        checkpoint.save(self.folder, state)
        self.saved = time.monotonic()

    def restore(self) -> None:
        state = checkpoint.load(self.folder, self.device.type, self.job.basis)
        if state is None:
            self.folder.evaluations.clear()
            return
        self.folder.evaluations.rewind(state["trace"])  # refused before anything is changed
        self.job.training.load_state_dict(state["trainer"])
        self.meter = Meter(**state["meter"])
        self.losses = state["losses"]
        records = self.folder.trace()[0]
        self.evaluated = records[-1]["step"] if records else 0

    @property
    def is_due(self) -> bool:
        """Whether the present step is to be evaluated, and was not."""
        step, protocol = self.job.training.step, self.cell.protocol
        return step > self.evaluated and (step % protocol.evaluate.every == 0 or step == protocol.train.steps)

    def advance(self, steps: int) -> None:
        """Train for `steps` steps, or for fewer where a checkpoint is due or a signal has come."""
        with self.meter.training(lambda: self.job.training.step, self.device):
            losses = self.job.training.advance(steps, self._must_save)
        for name, each in losses.items():
            # In this order, so that the sum is the same wherever training was interrupted.
            self.losses[name] = sum(each, start=self.losses.get(name, 0.0))

    def _must_save(self) -> bool:
        return self.signals.heard > 0 or time.monotonic() - self.saved > CHECKPOINT_SECONDS

    def save_if_due(self) -> None:
        """Save now and then, and at a signal, which ends the work.

        Raises:
            Stopped: a signal has come.
        """
        if self._must_save():
            self.save()
            self.signals.raise_if_heard()

    def evaluate(self) -> None:
        """Measure, and add a line to the trace; a signal ends it, and training is saved as it was.

        Raises:
            Stopped: a signal has come.
        """
        step = self.job.training.step
        try:
            # Innermost, so that random states are restored in peace.
            with self.meter.evaluating(), seeded(self.cell.seed, EVALUATION), self.signals.interrupting():
                record, samples = self.job.evaluate(final=step == self.cell.protocol.train.steps)
        except Stopped:
            self.save()
            raise
        losses = {name: total / (step - self.evaluated) for name, total in self.losses.items()}
        self.losses = {}
        if isinstance(samples, bytes):
            self.folder.write("samples.png", samples)
        elif samples is not None:
            drawn.add(self.folder, step, samples)
        self.folder.evaluations.append({"step": step, **record, **losses, **self.meter.costs()})
        self.evaluated = step
        self.save()


def _run_cell(folder: RunFolder, device_name: str, progress: Progress, argv: list[str], signals: Signals) -> None:
    """Build, check, train and measure the cell, and write its result."""
    cell = cells.parse(folder.cell_text(), str(folder.file("cell.json")))
    train = cell.protocol.train
    torch.set_num_threads(train.threads)
    with threadpool_limits(train.threads):  # NumPy's sums, too, depend on the number of threads
        with signals.interrupting():  # there is nothing to save yet
            device = choose_device(device_name)
            place = environment.describe(device, train.threads, argv)
            folder.write_json("environment.json", place)
            job = create(cell, folder.file, device)
            if job.measures:
                folder.write_json("environment.json", place | {"measures": job.declared})
            results, own = folder.path.parent.parent, [folder.file(name) for name in cell.copies]
            stages = Stages(f"{cell.method} on {cell.dataset}", {path: path for path in own})
            if not basis.check(results, cell, job.basis):  # no launcher has prepared it
                with basis.preparing(results, cell):
                    job.prepare(results, stages, measure=True)
            folder.write_json("basis.json", job.basis)
            job.check(stages)
            seed_globally(cell.seed, "training")  # for networks that draw numbers of their own (dropout)
            run = _Run(folder, cell, job, device, signals)
            run.restore()
        try:
            _train_and_evaluate(run, progress)
            outcome = {"status": "done", **folder.trace()[0][-1]}
            folder.check_claim()
            folder.file("error.json").unlink(missing_ok=True)  # of an earlier attempt
        except Diverged as diverged:
            outcome = {"status": "diverged", "diverged_at": diverged.step, "step": diverged.step}
            folder.record_failure("diverged", str(diverged))
        if "dynamics" in (common := _common(run)) and outcome["status"] == "diverged":
            common["dynamics"] = DIVERGES  # beyond all numbers, however few evaluations there were before
        folder.write_json("result.json", outcome | common)


def _train_and_evaluate(run: _Run, progress: Progress) -> None:
    trainer, steps = run.job.training, run.cell.protocol.train.steps
    every = run.cell.protocol.evaluate.every
    progress(trainer.step)
    while trainer.step < steps or run.is_due:
        if run.is_due:
            run.evaluate()
        else:
            run.advance(min(STRETCH, every - trainer.step % every, steps - trainer.step))
            progress(trainer.step)
            if not run.is_due:
                run.save_if_due()


def _common(run: _Run) -> dict[str, Any]:
    """What stands in every result: what was built, the best FID, costs and device."""
    scored = [record for record in run.folder.trace()[0] if record.get("fid") is not None]
    if [record["step"] for record in scored] == [run.cell.protocol.train.steps]:
        scored = []  # the end alone is known, and the best is no news
    best = min(scored, key=lambda record: record["fid"], default=None)
    places = [(record["theta"], record["psi"]) for record in run.folder.trace()[0] if "theta" in record]
    return {
        **run.job.describe(),
        "trace": run.folder.evaluations.signature(),
        "fid_best": best["fid"] if best else None,
        "best_step": best["step"] if best else None,
        **({"dynamics": dynamics(*zip(*places, strict=True))} if places else {}),
        **run.meter.costs(),
        "device": str(run.device),
    }


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--device", default="auto", show_default=True)
def main(folder: Path, device: str) -> None:
    """Finish the cell in FOLDER in this process."""
    terminal.write_anything()
    signals = Signals(again=end)
    run = RunFolder(folder.resolve())
    try:
        with signals.hearing():
            code = work(run, device, lambda step: click.echo(f"step {step}"), command_line(), signals)
    except LipbenchError as error:  # the folder cannot be claimed or written to
        terminal.say(f"Error: {error}", error=True)
        sys.exit(2)
    sys.exit(128 + signals.heard if code == STOPPED else code)


if __name__ == "__main__":
    main()
