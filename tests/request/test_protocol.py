"""Protocols."""

import re
import tomllib
from pathlib import Path

import pytest

from lipbench.errors import RequestError, UnknownNameError
from lipbench.plugins import kinds, registry
from lipbench.request import protocol
from lipbench.request.schema import CriticProtocol, Protocol, adversarial


def digits(**overrides: object) -> Protocol:
    changed = {key.replace("__", "."): value for key, value in overrides.items()}
    return adversarial(protocol.check(protocol.read("digits"), changed))


@pytest.mark.parametrize("name", protocol.named())
def test_every_named_protocol_is_valid_and_bears_its_files_name(name: str) -> None:
    assert protocol.check(protocol.read(name), {}).name == name


@pytest.mark.parametrize("name", protocol.named())
def test_a_smoke_run_of_every_protocol_is_valid_and_short(name: str) -> None:
    data = protocol.read(name)
    assert protocol.check(data, protocol.quick(data)).train.steps <= 200


def test_a_smoke_run_does_not_change_the_next_one() -> None:
    data = protocol.read("w1")
    protocol.quick(data)["train.steps"] = 3
    assert protocol.quick(data)["train.steps"] == 200


def test_a_protocol_that_trains_a_critic_alone_has_keys_of_its_own() -> None:
    checked = protocol.check(protocol.read("w1"), {"evaluate.transport_points": 10})
    assert isinstance(checked, CriticProtocol)
    assert (checked.trains, checked.evaluate.transport_points) == ("critic", 10)
    for key in ("train.latent_dim", "train.critic_steps", "evaluate.samples", "evaluate.extractor"):
        with pytest.raises(UnknownNameError, match=f"unknown setting '{key}'; expected one of: .*transport_points"):
            protocol.check(protocol.read("w1"), {key: 1})
    with pytest.raises(UnknownNameError, match="unknown setting 'evaluate.transport_points'"):
        digits(evaluate__transport_points=10)


@pytest.mark.parametrize("trains", ["generator", 1])
def test_a_protocol_that_trains_anything_else_is_refused(trains: object) -> None:
    with pytest.raises(RequestError, match=r"trains is .*; expected what the protocol says"):
        protocol.check(protocol.read("w1"), {"trains": trains})


def test_a_critic_protocol_that_lacks_a_key_is_shown_one_that_has_it() -> None:
    data = protocol.read("w1")
    del data["train"]["steps"]
    with pytest.raises(RequestError, match=r"'train.steps' is missing; `lipbench protocols w1` shows every key"):
        protocol.check(data, {})


@pytest.mark.parametrize("trains", ["generator", "", 3, ["critic"]])
def test_what_a_protocol_cannot_train_is_refused_with_what_it_can(trains: object) -> None:
    expected = "expected 'critic' or 'generator of points', or nothing where it trains a generator of pictures"
    with pytest.raises(RequestError, match=rf"trains is {re.escape(repr(trains))}; {expected}"):
        protocol.check(protocol.read("modes") | {"trains": trains}, {})


def test_a_protocol_for_a_critic_alone_is_refused_where_a_generator_is_needed() -> None:
    with pytest.raises(RequestError, match="protocol w1 trains a critic alone.*expected a protocol with pictures"):
        adversarial(protocol.check(protocol.read("w1"), {}))


def test_the_id_changes_with_any_setting_and_only_then() -> None:
    assert digits().id == digits(train__steps=digits().train.steps).id
    assert digits().id != digits(train__steps=7).id
    assert digits().id != digits(evaluate__samples=999).id


def test_whole_numbers_become_real_ones_where_torch_insists() -> None:
    assert [type(beta) for beta in digits(train__betas=[0, 0.9]).train.betas] == [float, float]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("train.steps", -5),
        ("train.steps", 0),
        ("train.steps", 2.5),
        ("train.steps", "many"),
        ("train.learning_rate", float("nan")),
        ("train.betas", [0.5]),
        ("train.betas", [0.5, 1.0]),
        ("train.flips", "yes"),
        ("evaluate.split", "test"),
    ],
)
def test_a_value_out_of_range_is_refused_with_key_value_and_expectation(key: str, value: object) -> None:
    with pytest.raises(RequestError) as refused:
        protocol.check(protocol.read("digits"), {key: value})
    assert key in str(refused.value)
    assert "expected" in str(refused.value) or "should" in str(refused.value)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    wrong = {"train.decay": "slow", "train.steps": -5, "train.step": 1}
    with pytest.raises(RequestError) as refused:
        protocol.check(protocol.read("digits"), wrong)
    for said in (
        "train.decay is 'slow'; expected 'none'",
        "train.steps is -5; expected greater",
        "Did you mean 'train.s",
    ):
        assert said in str(refused.value)
    with pytest.raises(RequestError, match=r"-5; expected greater than 0; .*; and 1 more$"):
        protocol.check(protocol.read("digits"), wrong | {"train.flips": 3})


def test_all_keys_that_are_missing_are_told_at_once() -> None:
    with pytest.raises(
        RequestError, match=r"settings 'datasets', .*'evaluate' are missing; `lipbench protocols digits`"
    ):
        protocol.check({"name": "mine"}, {})


@pytest.mark.parametrize("key", ["train.step", "loos", "evaluate.sample", "training.steps", "loss.weight"])
def test_an_unknown_key_is_refused_with_the_nearest_one(key: str) -> None:
    with pytest.raises(UnknownNameError, match="unknown setting"):
        protocol.check(protocol.read("digits"), {key: 1})


def test_an_unknown_protocol_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'digits'"):
        protocol.read("digit")


def test_a_file_of_ones_own_is_read_by_its_path(tmp_path: Path) -> None:
    text = (protocol.FOLDER / "digits.toml").read_text().replace("steps = 2500", "steps = 3", 1)
    path = tmp_path / "mine.toml"
    path.write_text(text)
    assert protocol.check(protocol.read(str(path)), {}).train.steps == 3


@pytest.mark.parametrize("text", ["steps = ", 'name = "x"'])
def test_a_broken_or_incomplete_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(RequestError, match="cannot be read|are missing"):
        protocol.check(protocol.read(str(path)), {})


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="there is no protocol file"):
        protocol.read(str(tmp_path / "mine.toml"))


def test_real_samples_that_are_left_out_do_not_show_in_text_or_id() -> None:
    assert "real_samples" not in digits().model_dump_json()
    assert digits().id == "76d4b918"  # that of the committed results
    assert digits(evaluate__real_samples=100).id != digits().id


def test_a_curve_extractor_that_is_left_out_or_empty_does_not_show_in_text_or_id() -> None:
    for left_out in (digits(), digits(evaluate__curve_extractor="")):
        assert "curve_extractor" not in left_out.model_dump_json()
        assert left_out.id == digits().id
    assert digits(evaluate__curve_extractor="digits-cnn").id != digits().id


@pytest.mark.parametrize("name", protocol.named())
def test_what_is_recommended_names_methods_and_is_valid(name: str) -> None:
    data = protocol.read(name)
    for method, own in protocol.recommendations(data).items():
        assert method in registry.installed(kinds.METHOD)
        assert protocol.check(data, own.settings).id != ""


def test_a_table_of_recommended_settings_is_read_by_dotted_key_and_apart_from_the_protocol() -> None:
    data = tomllib.loads('loss = "hinge"\n[recommended.wc]\nloss = "x"\ntrain.steps = 3\nparameters.bound = 0.1')
    expected = protocol.Recommended({"loss": "x", "train.steps": 3}, {"bound": 0.1})
    assert protocol.recommendations(data) == {"wc": expected}
    assert protocol.check(protocol.read("digits") | {"recommended": data["recommended"]}, {}) == digits()


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        (3, r"recommended is 3; expected a table for each method"),
        ({"gn": 3}, r"\[recommended.gn\] is 3; expected a table of settings"),
        ({"gn": {"evaluate": {"samples": 3}}}, r"\[recommended.gn\] sets evaluate.samples to 3; expected loss, train"),
        ({"gn": {"architecture": "mlp"}}, "sets architecture to 'mlp'"),
        ({"gn": {"datasets": "noise"}}, "sets datasets to 'noise'"),
        ({"gn": {"parameters": 3}}, "sets parameters to 3"),
    ],
)
def test_a_recommendation_may_set_loss_training_and_parameters_alone(tables: object, expected: str) -> None:
    with pytest.raises(RequestError, match=expected):
        protocol.recommendations({"recommended": tables})


def test_a_protocol_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(protocol.text("digits"), encoding="utf-8-sig")
    assert protocol.read(str(path)) == protocol.read("digits")


@pytest.mark.parametrize(
    ("text", "value"),
    [("a.b=64", 64), ("a.b=5e-4", 5e-4), ("a.b=true", True), ("a.b=hinge", "hinge"), ("a.b=[0.5,0.9]", [0.5, 0.9])],
)
def test_a_setting_is_read_as_toml_or_else_as_text(text: str, value: object) -> None:
    assert protocol.read_setting(text) == ("a.b", value)


@pytest.mark.parametrize("text", ["a.b", "=1", "a.b="])
def test_a_setting_without_key_or_value_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="expected the form"):
        protocol.read_setting(text)


def test_an_argument_is_laid_over_the_settings_where_it_is_given() -> None:
    assert protocol.with_arguments({"a": 1}, {"b": 2, "c": None}) == {"a": 1, "b": 2}
    assert protocol.with_arguments({"a": 1}, {"a": 1}) == {"a": 1}
    with pytest.raises(RequestError, match="setting a is given twice, as 1 and 2; expected one value"):
        protocol.with_arguments({"a": 1}, {"a": 2})
