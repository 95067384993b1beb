"""What is shown of the checks of networks."""

from io import StringIO

from rich.console import Console

from lipbench.launch.checking import Verdict
from lipbench.launch.listener import Forecast
from lipbench.request.plan import plan
from lipbench.screen import verdicts

SIZES = {"shape": [3, 32, 32], "generator_parameters": 1200, "critic_parameters": 34}


def shown(methods: str, *given: dict[str, object], datasets: str | None = None) -> str:
    planned = plan(methods, datasets, [0], "digits", {})
    console = Console(file=StringIO(), width=80)
    verdicts.show(console, [Verdict(item.cell, **each) for item, each in zip(planned, given, strict=True)])  # type: ignore[arg-type]
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert all(len(line) <= 80 for line in lines)
    return "\n".join(line.rstrip() for line in lines)


def accepted(engine: str, reason: object = None, notes: list[str] | None = None) -> dict[str, object]:
    facts = SIZES | {"engine": engine, "engine_reason": reason, "layout": "channels last"}
    return {"facts": facts, "forecast": Forecast(75.0, 9), "notes": notes or []}


def test_what_all_methods_share_is_said_once_and_what_is_a_methods_own_beside_it() -> None:
    text = shown("wc,gn", accepted("plain"), accepted("double-backward", ["softplus", "a mean"]))
    assert (
        text
        == """cnn-8, protocol digits
  shape                 3×32×32
  generator parameters  1,200
  critic parameters     34
  layout                channels last

wc: accepted
  a run takes  about 1 min 15 s
  engine       plain: no gradient norms are needed

gn: accepted
  a run takes    about 1 min 15 s
  engine         double-backward
  engine reason  softplus; a mean

2 of 2 accepted; nothing was trained"""
    )


def test_methods_that_are_refused_for_one_reason_stand_together() -> None:
    refused = [{"refusal": f"{method} on digits fails while x", "facts": SIZES} for method in ("gp", "gn")]
    text = shown("gp,wc,gn", refused[0], accepted("plain"), refused[1])
    assert "\n\ngp, gn: refused\n  fails while x\n\nwc: accepted\n" in text
    assert "1 of 3 accepted" in text


def test_a_note_says_whom_it_concerns_and_the_reason_for_an_engine_is_not_said_again() -> None:
    both, reason = "Of both [sic].", "softplus"
    slow = accepted("double-backward", reason, [both, f"Gradients by double backward: {reason}.", "Of one."])
    text = shown("wc,gn", accepted("plain", notes=[both]), slow)
    assert "Note: Of both [sic].\nNote (gn): Of one.\n2 of 2" in text
    assert text.count(reason) == 1


def test_data_sets_are_named_where_there_are_several() -> None:
    text = shown("gn", accepted("plain"), accepted("plain"), datasets="digits,noise")
    assert "gn on digits: accepted" in text
    assert "gn on noise: accepted" in text
