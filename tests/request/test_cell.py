"""Cells, and their text."""

import json

import pytest

from lipbench.errors import StoreError
from lipbench.request import cell
from lipbench.request.plan import plan


@pytest.mark.parametrize("protocol", ["digits", "w1"])
def test_a_text_is_read_as_the_cell_that_it_is_of(protocol: str) -> None:
    (planned,) = plan("gn", None, [0], protocol, {})
    assert cell.parse(planned.cell.to_json(), "here") == planned.cell


def test_everything_that_is_wrong_with_a_text_is_told_of_the_protocol_that_was_meant() -> None:
    (planned,) = plan("gn", None, [0], "w1", {})
    record = json.loads(planned.cell.to_json())
    record["seed"] = "x"
    record["protocol"]["train"]["decay"] = "slow"
    del record["protocol"]["train"]["steps"]
    with pytest.raises(StoreError) as refused:
        cell.parse(json.dumps(record), "here")
    for said in (
        "here is not the description of a run",
        "seed is 'x'; expected a valid integer",
        "protocol.train.decay is 'slow'; expected 'none' or 'linear'",
        "protocol.train.steps: Field required; ",
        ". It may be half-written",
    ):
        assert said in str(refused.value)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"protocol": 3}', '{"protocol": {"trains": "all"}}'])
def test_a_text_that_is_no_cell_is_refused(text: str) -> None:
    with pytest.raises(StoreError, match="not the description of a run"):
        cell.parse(text, "here")
