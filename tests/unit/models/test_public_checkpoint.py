import itertools
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lociflow.command import UserError
from lociflow.models.checkpoint import load_model, save_checkpoint
from lociflow.models.outputs import Outputs
from lociflow.models.public_checkpoint import PublicCheckpoint
from lociflow.sequence.alphabet import encode
from lociflow.sequence.one_hot import one_hot_table

TINY = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}

os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
transformers = pytest.importorskip("transformers", reason="transformers is an optional extra: not installed")


@pytest.fixture(scope="module", params=["dnabert2", "nucleotide_transformer"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoint(request.param, tmp_path_factory.mktemp(request.param))


def make_checkpoint(kind: str, folder: Path) -> Path:
    """Write a checkpoint as the library does, with a tokeniser of that family and random weights."""
    torch.manual_seed(0)
    if kind == "dnabert2":
        import tokenizers

        learner = tokenizers.Tokenizer(tokenizers.models.BPE(unk_token="[UNK]"))
        special = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
        trainer = tokenizers.trainers.BpeTrainer(vocab_size=11, special_tokens=special, show_progress=False)
        learner.train_from_iterator(["ATATATATAT", "C", "G"], trainer)
        learner.post_processor = tokenizers.processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
        )
        names = {f"{name}_token": f"[{name.upper()}]" for name in ("unk", "cls", "sep", "pad", "mask")}
        transformers.PreTrainedTokenizerFast(tokenizer_object=learner, **names).save_pretrained(folder)
        config = transformers.BertConfig(vocab_size=11, max_position_embeddings=70, pad_token_id=3, **TINY)
        transformers.BertModel(config).save_pretrained(folder)
        return folder
    words = ["<unk>", "<pad>", "<mask>", "<cls>"]
    words += ["".join(letters) for letters in itertools.product("ATCG", repeat=3)] + list("ATCGN")
    (folder / "vocab.txt").write_text("\n".join(words))
    transformers.EsmTokenizer(str(folder / "vocab.txt"), eos_token=None).save_pretrained(folder)
    config = transformers.EsmConfig(
        vocab_size=len(words), pad_token_id=1, mask_token_id=2, position_embedding_type="rotary", **TINY
    )
    transformers.EsmModel(config).save_pretrained(folder)
    return folder


OWN_CODE = """
import torch
from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizer
from transformers.modeling_outputs import BaseModelOutput


class OwnConfig(PretrainedConfig):
    model_type = "own"

    def __init__(self, d_model=6, **more):
        super().__init__(**more)
        self.d_model = d_model


class OwnModel(PreTrainedModel):
    config_class = OwnConfig

    def __init__(self, config):
        super().__init__(config)
        self.embedding = torch.nn.Embedding(12, config.d_model)
        self.post_init()

    def forward(self, input_ids):
        return BaseModelOutput(last_hidden_state=self.embedding(input_ids))


class OwnTokenizer(PreTrainedTokenizer):
    model_input_names = ["input_ids"]

    def __init__(self, **more):
        self.words = {w: n for n, w in enumerate("[CLS] [SEP] [BOS] [MASK] [PAD] [RESERVED] [UNK] A C G T N".split())}
        more = {"sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]", "padding_side": "left", **more}
        super().__init__(**more)

    @property
    def vocab_size(self):
        return len(self.words)

    def get_vocab(self):
        return dict(self.words)

    def _tokenize(self, text, **more):
        return list(text)

    def _convert_token_to_id(self, token):
        return self.words.get(token, 6)

    def _convert_id_to_token(self, index):
        return list(self.words)[index]

    def build_inputs_with_special_tokens(self, first, second=None):
        return first + [1]
"""


def one_hot(*texts: str) -> Tensor:
    table = torch.tensor(one_hot_table())
    return torch.stack([table[torch.from_numpy(encode(text)).long()].T for text in texts])


def test_every_base_has_one_token(folder: Path) -> None:
    trunk = PublicCheckpoint(14, 2, str(folder)).trunk.eval()
    features, tokens = trunk(one_hot("ACGTTAGCNATATC", "ATATATATATATAT"))
    assert features.shape == (*tokens.ids.shape, 16)
    for row in range(2):
        there = tokens.present[row]
        ends = tokens.ends[row, there].tolist()
        assert tokens.starts[row, there].tolist() == [0, *ends[:-1]]
        assert ends[-1] == 14
    texts = trunk.tokenizer.convert_ids_to_tokens(tokens.ids[0, tokens.present[0]].tolist())
    expected = {
        "dnabert2": ["A", "C", "G", "T", "T", "A", "G", "C", "[UNK]", "ATAT", "C"],
        "nucleotide_transformer": ["ACG", "TTA", "G", "C", "N", "ATA", "T", "C"],
    }
    assert texts == expected[next(name for name in expected if name in str(folder))]


def test_what_stands_for_unknown_bases_alone_says_nothing(folder: Path) -> None:
    _, tokens = PublicCheckpoint(14, 2, str(folder)).trunk(one_hot("ACGTTAGCNATATC"))
    silent = tokens.present & ~tokens.informed
    assert tokens.starts[silent].tolist() == [8]
    assert tokens.ends[silent].tolist() == [9]


def test_windows_and_positions(folder: Path) -> None:
    views = {"sequence": one_hot("ACGTTAGCNATATC", "ATATATATATATAT")}
    assert PublicCheckpoint(14, 3, str(folder), hidden=4)(views).shape == (2, 3)
    assert PublicCheckpoint(14, 3, str(folder), positions=5)(views).shape == (2, 5, 3)
    assert PublicCheckpoint(14, 3, str(folder)).encode(views).shape == (2, 16)
    with pytest.raises(ValueError, match=r"expected \(batch, 4, 14\)"):
        PublicCheckpoint(14, 3, str(folder))({"sequence": one_hot("ACGT")})


def test_the_pretrained_weights_are_there_and_the_head_is_fresh(folder: Path) -> None:
    encoder = transformers.AutoModel.from_pretrained(folder, local_files_only=True)
    torch.manual_seed(1)
    one = PublicCheckpoint(14, 2, str(folder))
    torch.manual_seed(2)
    other = PublicCheckpoint(14, 2, str(folder))
    found = one.trunk.encoder.state_dict()
    assert found
    for name, weights in found.items():
        assert torch.equal(weights, encoder.state_dict()[name]), name
    assert not torch.equal(one.head.output.weight, other.head.output.weight)


def test_a_batch_does_not_change_its_samples(folder: Path) -> None:
    model = PublicCheckpoint(14, 2, str(folder)).eval()
    both = model({"sequence": one_hot("ACGTTAGCNATATC", "ATATATATATATAT")})
    torch.testing.assert_close(both[1:], model({"sequence": one_hot("ATATATATATATAT")}))


def test_every_weight_is_fine_tuned(folder: Path) -> None:
    torch.manual_seed(0)
    model = PublicCheckpoint(14, 2, str(folder), hidden=3)
    codes = torch.randint(0, 4, (64, 14))
    model({"sequence": nn.functional.one_hot(codes, 4).float().transpose(1, 2)}).square().sum().backward()
    without = [name for name, one in model.named_parameters() if one.grad is None]
    # Positions are looked up nowhere where they are rotated.
    assert [name for name in without if "position_embeddings" not in name] == []


def test_a_fine_tuned_checkpoint_is_read_back(folder: Path, tmp_path: Path) -> None:
    target = "lociflow.models.public_checkpoint.PublicCheckpoint"
    config: dict[str, Any] = {
        "model": {"input_length": 14, "architecture": {"_target_": target, "source": str(folder)}}
    }
    model = PublicCheckpoint(14, 2, str(folder)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.01)
    save_checkpoint(tmp_path / "model.ckpt", model.state_dict(), config, Outputs("binary", ("a", "b")), {})
    views = {"sequence": one_hot("ACGTTAGCNATATC")}
    torch.testing.assert_close(load_model(tmp_path / "model.ckpt").model(views), model(views))


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="found no folder"):
        PublicCheckpoint(14, 2, str(tmp_path / "none"))
    with pytest.raises(UserError, match="cannot be loaded"):
        PublicCheckpoint(14, 2, str(tmp_path))


def test_a_tokeniser_of_other_texts_is_refused(tmp_path: Path) -> None:
    folder = make_checkpoint("dnabert2", tmp_path)
    # Words that no window has, as those of DNABERT's first version.
    words = {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "[PAD]": 3, "[MASK]": 4, "ACG": 5}
    found = json.loads((folder / "tokenizer.json").read_text())
    found["model"] |= {"vocab": words, "merges": []}
    (folder / "tokenizer.json").write_text(json.dumps(found))
    model = PublicCheckpoint(30, 1, str(folder))
    with pytest.raises(UserError, match="its tokeniser has no word for a window of known bases"):
        model({"sequence": nn.functional.one_hot(torch.randint(4, (2, 30)), 4).float().transpose(1, 2)})


def test_more_tokens_than_positions_are_refused(tmp_path: Path) -> None:
    model = PublicCheckpoint(100, 1, str(make_checkpoint("dnabert2", tmp_path)))
    with pytest.raises(
        UserError, match=r"windows of 100 bases come to 102 tokens, more than the encoder has .* \(70\)"
    ):
        model({"sequence": nn.functional.one_hot(torch.full((1, 100), 2), 4).float().transpose(1, 2)})


def test_code_that_comes_with_a_checkpoint_does_not_run_unasked(tmp_path: Path) -> None:
    folder = make_checkpoint("dnabert2", tmp_path)
    text = (folder / "config.json").read_text().replace("{", '{"auto_map": {"AutoModel": "own.Own"},', 1)
    (folder / "config.json").write_text(text.replace('"model_type": "bert"', '"model_type": "own"'))
    (folder / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with pytest.raises(UserError, match="trust_remote_code: true where"):
        PublicCheckpoint(14, 2, str(folder))
    assert not (tmp_path / "ran").exists()


def test_trusted_code_that_comes_with_a_checkpoint_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As HyenaDNA comes: letters as tokens, one more token at the end, a width named d_model, no mask of attention.
    monkeypatch.setattr(transformers.dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "own.py").write_text(OWN_CODE)
    config = {
        "model_type": "own",
        "d_model": 6,
        "auto_map": {"AutoConfig": "own.OwnConfig", "AutoModel": "own.OwnModel"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    tokenizer = {"tokenizer_class": "OwnTokenizer", "auto_map": {"AutoTokenizer": ["own.OwnTokenizer", None]}}
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    weights = torch.arange(72.0).view(12, 6)
    torch.save({"embedding.weight": weights}, folder / "pytorch_model.bin")
    model = PublicCheckpoint(5, 2, str(folder), trust_remote_code=True, positions=3).eval()
    features, tokens = model.trunk(one_hot("ACGTN", "AAAAA"))
    assert tokens.ids.tolist() == [[7, 8, 9, 10, 11, 1], [7, 7, 7, 7, 7, 1]]
    assert tokens.present.tolist() == [[True] * 5 + [False]] * 2
    assert tokens.starts[0, :5].tolist() == [0, 1, 2, 3, 4]
    assert torch.equal(features, weights[tokens.ids])
    assert model({"sequence": one_hot("ACGTN", "AAAAA")}).shape == (2, 3, 2)


def test_pretraining_it_is_refused(folder: Path) -> None:
    with pytest.raises(UserError, match="asked for no outputs"):
        PublicCheckpoint(14, 0, str(folder))


def test_without_the_library_the_remedy_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(UserError, match=r"not installed; install lociflow\[checkpoints\]"):
        PublicCheckpoint(14, 2, str(folder))
