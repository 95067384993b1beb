"""Whether the method does what it is there for, by random numbers that a seed sets, and goes on as if never stopped."""

import pickle
from contextlib import suppress
from io import BytesIO
from typing import Any

import torch

from lipbench.interfaces.method import Method, overrides
from lipbench.tools.authors.finding import Failed, NotApplicable
from lipbench.tools.authors.subject import Subject
from lipbench.tools.authors.variants import TOGETHER, first_difference, own_hooks, same, without
from lipbench.train.streams import kept

OWN_NUMBERS = (
    "take all random numbers from the rng of penalty_points or regulariser: torch.rand(…, generator=rng, "
    "device=real.device)"
)
SHARED = ("latents", "flips", "pair")  # streams from which methods draw nothing


def is_no_control(subject: Subject) -> str:
    """See that it differs from the control, and that leaving out any hook makes a difference."""
    method = subject.method
    if type(method).control:
        raise NotApplicable("it is a control, which is meant to change nothing")
    mine = subject.trained.ended["generator"]
    if same(mine, subject.control.ended["generator"]):
        raise Failed(
            f"after {subject.compared} steps its weights are those of the control at the same seed, bit by bit",
            "let a hook change something from the first steps on: is a weight 0, or a bound so wide that none reaches "
            "it?",
        )
    groups = [hooks for hooks in TOGETHER if overrides(method, hooks[-1])]
    for hooks in groups if len(groups) > 1 else []:
        if same(mine, subject.train(without(subject.make(), hooks)).ended["generator"]):
            raise Failed(
                f"without {hooks[-1]} it trains the same weights over {subject.compared} steps, bit by bit",
                f"let {hooks[-1]} change something from the first steps on, or leave it out",
            )
    each = " and without any one of its hooks" if len(groups) > 1 else ""
    return f"other weights than the control's{each} after {subject.compared} steps at the same seed"


def draws_by_seed(subject: Subject) -> str:
    """See that it moves no global random state, and gives the same bits twice."""
    for hook, libraries in subject.trained.watch.drew.items():
        if hook == "regulariser" and subject.control.drew:  # the critic itself draws, as by dropout
            continue
        raise Failed(f"{hook} draws from the global random numbers of {' and '.join(sorted(libraries))}", OWN_NUMBERS)
    again = subject.train()
    if where := first_difference(again.ended, subject.trained.ended):
        raise Failed(
            f"two trainings with the same seed differ after {subject.compared} steps ({where} first){_kept(subject)}",
            f"{OWN_NUMBERS}; and keep nothing from one call to the next",
        )
    return f"the same bits twice after {subject.compared} steps of one seed, and no global random state moved by a hook"


def shares_streams(subject: Subject) -> str:
    """See that pictures, latents and the generator's first weights are those of every other method."""
    mine, theirs = subject.trained, subject.control
    if not same(mine.begun["generator"], theirs.begun["generator"]):
        raise Failed(
            "the generator starts with other weights than under the control",
            "let constrain change the critic that it is given, and nothing else",
        )
    for name in SHARED:
        if not same(mine.ended["streams"][name], theirs.ended["streams"][name]):
            raise Failed(
                f"the stream of {name} has gone on otherwise than under the control after {subject.compared} steps",
                OWN_NUMBERS,
            )
    if mine.ended["critic_steps"] != theirs.ended["critic_steps"]:
        raise Failed("the critic was updated more or less often than the control's", "leave updates to lipbench")
    return "pictures, latents and the generator's first weights are those of the control"


def resumes(subject: Subject) -> str:
    """Save half-way, load into a new job, and see that it ends with the same bits."""
    file = BytesIO()
    torch.save(subject.trained.halfway, file)
    state = torch.load(BytesIO(file.getvalue()), map_location="cpu", weights_only=True)
    with kept():
        trainer = subject.build()
        trainer.load_state_dict(state)
        trainer.advance(subject.compared - subject.half)
        where = first_difference(trainer.state_dict(), subject.trained.ended)
    if where:
        raise Failed(
            f"saved after {subject.half} steps and loaded anew, it ends with other weights than uninterrupted "
            f"({where} first){_kept(subject)}",
            "keep what decides how training goes on in buffers of the critic, which checkpoints hold",
        )
    return f"the same bits after {subject.compared} steps, whether saved and loaded after {subject.half} or not"


def _kept(subject: Subject) -> str:
    """What of class and module changes as hooks are called, for a message."""
    method = subject.make()
    before = _memory(method)
    subject.train(method)
    changed = sorted(name for name, value in _memory(method).items() if value != before.get(name))
    return f": {', '.join(changed)} changes from one call to the next" if changed else ""


def _memory(method: Method) -> dict[str, bytes]:
    """The values that class and module of a method hold, by their names."""
    found: dict[str, Any] = {}
    for kind in type(method).__mro__:
        if issubclass(kind, Method) and kind is not Method:
            found |= {f"{kind.__name__}.{name}": value for name, value in vars(kind).items()}
    for hook in own_hooks(method):
        found |= getattr(getattr(type(method), hook), "__globals__", {})
    memory = {}
    for name, value in found.items():
        if isinstance(value, torch.Generator):
            memory[name] = value.get_state().numpy().tobytes()
        elif "__" not in name and not callable(value):
            with suppress(Exception):  # a module, or whatever else pickle knows nothing of
                memory[name] = pickle.dumps(value)
    return memory
