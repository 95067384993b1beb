"""torch-fidelity's other extractors: the same numbers, from files that are found, fetched once and read safely."""

import os
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch_fidelity.feature_extractor_clip import MODEL_METADATA, FeatureExtractorCLIP
from torch_fidelity.feature_extractor_dinov2 import FeatureExtractorDinoV2
from torch_fidelity.feature_extractor_vgg16 import FeatureExtractorVGG16

from lipbench.errors import RequestError
from lipbench.extractors import clip, dinov2, vgg16
from lipbench.extractors.clip import Clip
from lipbench.extractors.dinov2 import DinoV2
from lipbench.extractors.vgg16 import Vgg16
from lipbench.interfaces.extractor import Extractor
from lipbench.measuring.features import Features

PICTURES = torch.randint(0, 256, (3, 3, 40, 30), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
HUBCONF = """
import torch

assert torch.tensor(1)

def dinov2_vits14(pretrained):
    assert not pretrained
    return torch.nn.Sequential(torch.nn.AvgPool2d(56), torch.nn.Flatten(), torch.nn.Linear(48, 384))
"""


class SmallVgg(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(56)
        self.classifier = nn.Sequential(
            nn.Linear(48, 8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 3)
        )

    def forward(self, pictures: Tensor) -> Any:
        return self.classifier(self.pool(pictures).flatten(1))


def small_clip() -> dict[str, Tensor]:
    """The weights of a vision transformer of one layer, of the size of its pictures and features."""
    shapes = {
        "class_embedding": (64,), "positional_embedding": (50, 64), "proj": (64, 512), "conv1.weight": (64, 3, 32, 32),
        **{f"{name}.{part}": (64,) for name in ("ln_pre", "ln_post") for part in ("weight", "bias")},
    }  # fmt: skip
    block = {
        "attn.in_proj_weight": (192, 64), "attn.in_proj_bias": (192,), "attn.out_proj.weight": (64, 64),
        "attn.out_proj.bias": (64,), "mlp.c_fc.weight": (256, 64), "mlp.c_fc.bias": (256,),
        "mlp.c_proj.weight": (64, 256), "mlp.c_proj.bias": (64,),
        **{f"ln_{number}.{part}": (64,) for number in (1, 2) for part in ("weight", "bias")},
    }  # fmt: skip
    shapes |= {f"transformer.resblocks.0.{name}": shape for name, shape in block.items()}
    rng = torch.Generator().manual_seed(0)
    state = {f"visual.{name}": 0.2 * torch.randn(shape, generator=rng) for name, shape in shapes.items()}
    return state | {"text_projection": torch.zeros(64, 512), "logit_scale": torch.zeros(())}


@pytest.fixture(autouse=True)
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Torch's hub folder, which can fetch nothing."""

    def refuse(url: str, path: str, hash_prefix: str) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", refuse)
    (tmp_path / "checkpoints").mkdir()
    return tmp_path


def saved(path: Path, state: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path)
    return path


def test_vgg16_gives_the_numbers_of_torch_fidelity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torchvision.models.vgg16", SmallVgg)
    monkeypatch.setattr(vgg16, "vgg16", SmallVgg)
    path = saved(tmp_path / "vgg.pth", SmallVgg().state_dict())
    theirs = FeatureExtractorVGG16("vgg16", ["fc2_relu"], feature_extractor_weights_path=path)
    mine = Features(Vgg16(path=str(path)), "vgg16")
    assert torch.equal(mine.extract(PICTURES)["features"], theirs(PICTURES)[0])
    assert mine.no_score is not None


def test_clip_gives_the_numbers_of_torch_fidelity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, state = saved(tmp_path / "clip.pt", small_clip()), SimpleNamespace(state_dict=small_clip)
    monkeypatch.setattr("torch.jit.load", lambda path, map_location: state)
    theirs = FeatureExtractorCLIP("clip-vit-b-32", ["clip"], feature_extractor_weights_path=path)
    mine = Features(Clip(path=str(path)), "clip")
    found = mine.extract(PICTURES)["features"]
    assert found.shape == (3, 512)
    assert torch.equal(found, theirs(PICTURES)[0])


def test_the_published_file_of_clip_is_known_by_its_digest(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content, asked = b"a program", []
    digest = sha256(content).hexdigest()
    monkeypatch.setitem(MODEL_METADATA["clip-vit-b-32"], "hash", digest)

    def fetch(url: str, path: str, hash_prefix: str) -> None:
        asked.append((url, hash_prefix))
        Path(path).write_bytes(content)

    monkeypatch.setattr("torch.hub.download_url_to_file", fetch)
    monkeypatch.setattr("torch.jit.load", lambda path, map_location: SimpleNamespace(state_dict=small_clip))
    extractor = Features(Clip(), "clip")
    assert extractor.id == f"clip@{digest[:8]}"
    assert extractor.extract(PICTURES)["features"].shape == (3, 512)
    ((url, prefix),) = asked
    assert url.startswith("https://openaipublic.azureedge.net/clip/models/")
    assert prefix == digest
    assert (hub / "checkpoints" / f"clip-vit-b-32-{digest}.pt").exists()


def test_dinov2_gives_the_numbers_of_torch_fidelity(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XFORMERS_DISABLED", raising=False)
    code = hub / "facebookresearch_dinov2_main"
    code.mkdir()
    (code / "hubconf.py").write_text(HUBCONF)
    made = torch.hub.load(str(code), "dinov2_vits14", source="local", pretrained=False)
    saved(hub / "checkpoints" / "dinov2_vits14_pretrain.pth", made.state_dict())
    mine = Features(DinoV2(variant="vit-s-14"), "dinov2[variant=vit-s-14]")
    monkeypatch.setattr("torch.hub.load", lambda repository, name: made)
    theirs = FeatureExtractorDinoV2("dinov2-vit-s-14", ["dinov2"])
    assert torch.equal(mine.extract(PICTURES)["features"], theirs(PICTURES)[0])


@pytest.mark.parametrize(
    ("extractor", "expected"),
    [
        (Vgg16(), "the VGG-16 weights are not at .*vgg16-397923af.pth' and cannot be downloaded .*path="),
        (Clip(), "the CLIP weights are not at .*clip-vit-b-32-40d3.*.pt' and cannot be downloaded .*path="),
        (DinoV2(), r"DINOv2 weights .*vitb14_pretrain.pth': No such file.*; expected .*torch.hub.load\(\"facebookres"),
        (Vgg16(path="nowhere.pth"), "VGG-16 weights 'nowhere.pth': No such file or directory; expected a copy of http"),
        (Clip(path="nowhere.pt"), "CLIP weights 'nowhere.pt': No such file or directory; expected a copy of https"),
        (DinoV2(path="nowhere.pth"), "DINOv2 weights 'nowhere.pth': No such file or directory; expected dinov2_vitb14"),
    ],
    ids=lambda case: repr(case) if isinstance(case, Extractor) else "",
)
def test_weights_that_are_not_there_are_named_with_the_cure(extractor: Extractor, expected: str) -> None:
    with pytest.raises(RequestError, match=expected):
        Features(extractor, "x")


def test_code_that_is_not_there_is_named_with_the_cure(tmp_path: Path) -> None:
    path = saved(tmp_path / "weights.pth", {})
    with pytest.raises(RequestError, match=r"the code of DINOv2 is not at .*_main'; expected .*brings both"):
        DinoV2(path=str(path)).load()


class Harmful:
    def __reduce__(self) -> Any:
        return os.mkdir, ("harmed",)


@pytest.mark.parametrize("of", [Vgg16, Clip, DinoV2])
def test_a_file_that_would_run_code_is_refused_and_runs_none(
    of: type[Extractor], hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(hub)
    (hub / "facebookresearch_dinov2_main").mkdir()
    (hub / "facebookresearch_dinov2_main" / "hubconf.py").write_text(HUBCONF)
    path = saved(hub / "weights.pth", Harmful())
    with pytest.raises(RequestError, match=r"weights.pth' \(.* cannot be used: it is not a checkpoint of plain"):
        of(path=str(path)).load()
    assert not Path("harmed").exists()


@pytest.mark.filterwarnings("ignore:`torch.jit:FutureWarning", "ignore:`torch.jit:DeprecationWarning")
def test_a_program_that_nobody_published_is_refused(tmp_path: Path) -> None:
    torch.jit.save(torch.jit.script(nn.Linear(2, 2)), tmp_path / "mine.pt")
    with pytest.raises(RequestError, match="mine.pt' .* cannot be used: .*TorchScript.*; expected a copy of https"):
        Clip(path=str(tmp_path / "mine.pt")).load()


@pytest.mark.parametrize("of", [Clip, DinoV2])
def test_a_variant_that_does_not_exist_is_refused(of: type[Extractor]) -> None:
    with pytest.raises(ValueError, match="variant is 'vit-x-1'; expected one of: .*vit-b"):
        of(variant="vit-x-1")


def test_the_features_of_each_variant_are_counted() -> None:
    assert clip.FEATURES.keys() == {name.removeprefix("clip-") for name in MODEL_METADATA}
    assert [DinoV2(variant=name).features for name in dinov2.FEATURES] == [384, 768, 1024, 1536]
