"""Makes a tiny text-image preset with random weights, and says what it makes of words and pictures.

    python -m tests.workers.ml.tinypreset FOLDER clip|siglip WORDS

Prints JSON: the numbers of the words, and how near three pictures of noise are to them, computed by hand and by
the network as a whole, not as the product does it. In a process of its own: no test's process loads TensorFlow.
"""

import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

SIDE = 32
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SIZES = {"hidden_dim": 16, "num_layers": 2, "num_heads": 2, "intermediate_dim": 32}
_MEAN, _STD = 0.5, 0.25


def noise(number: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """One picture: (32, 32, 3)."""
    return np.random.default_rng(number).integers(0, 256, (SIDE, SIDE, 3), np.uint8)


def make(folder: Path, kind: str, text: str) -> dict[str, Any]:
    """Write the preset; the numbers of a text, and the cosines of three pictures."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras

    keras.utils.set_random_seed(7)
    network, ids = _clip(folder, text) if kind == "clip" else _siglip(folder, text)
    pictures = np.stack([noise(number) for number in range(3)]).astype(np.float32)
    tokens = np.array([ids] * 3, np.int32)
    logits = network({"images": (pictures / 255 - _MEAN) / _STD, "token_ids": tokens})["vision_logits"]
    numbers = np.asarray(network.get_text_embeddings(tokens[:1]))[0]
    scale = float(np.exp(next(one.numpy() for one in network.weights if one.name == "logit_scale")))
    return {
        "text": (numbers / np.linalg.norm(numbers)).tolist(),
        "alike": (np.asarray(logits)[:, 0] / scale).tolist(),
    }


def _clip(folder: Path, text: str) -> tuple[Any, list[int]]:
    import keras_hub

    hub = keras_hub.models
    # Letters, letters at a word's end, and one pair that is a token of its own.
    words = [*_LETTERS, *(f"{one}</w>" for one in _LETTERS), "ed</w>", "<|startoftext|>", "<|endoftext|>"]
    known = {word: number for number, word in enumerate(words)}
    longest = 77  # as it is taken for where a preset says nothing
    network = hub.CLIPBackbone(
        hub.CLIPVisionEncoder(patch_size=8, image_shape=(SIDE, SIDE, 3), **_SIZES),
        hub.CLIPTextEncoder(len(words), embedding_dim=16, max_sequence_length=longest, **_SIZES),
        projection_dim=24,
    )
    prepare = hub.CLIPPreprocessor(
        hub.CLIPTokenizer(known, ["e d</w>"]), keras_hub.layers.CLIPImageConverter(**_square())
    )
    _save(folder, network, prepare)
    # Those that are published have none.
    (folder / "preprocessor.json").unlink()
    ids = [known["<|startoftext|>"]]
    for word in text.lower().split():
        start, end = (word[:-2], "ed</w>") if word.endswith("ed") else (word[:-1], f"{word[-1]}</w>")
        ids += [known[letter] for letter in start] + [known[end]]
    ids.append(known["<|endoftext|>"])
    return network, ids + [0] * (longest - len(ids))


def _siglip(folder: Path, text: str) -> tuple[Any, list[int]]:
    import keras_hub
    import sentencepiece

    hub, longest, made = keras_hub.models, 16, io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a red boat", "the green house by the sea", _LETTERS]),
        model_writer=made,
        vocab_size=40,
        model_type="BPE",
        pad_id=-1,
        bos_id=-1,
        eos_id=1,
        unk_id=0,
        minloglevel=2,
    )
    network = hub.SigLIPBackbone(
        hub.SigLIPVisionEncoder(patch_size=8, image_shape=(SIDE, SIDE, 3), **_SIZES),
        hub.SigLIPTextEncoder(40, embedding_dim=16, max_sequence_length=longest, **_SIZES),
    )
    prepare = hub.SigLIPPreprocessor(
        hub.SigLIPTokenizer(made.getvalue()),
        keras_hub.layers.SigLIPImageConverter(**_square()),
        sequence_length=longest,
    )
    _save(folder, network, prepare)
    ids = sentencepiece.SentencePieceProcessor(model_proto=made.getvalue()).encode(text.lower())
    return network, [*ids, *[1] * (longest - len(ids))]


def _square() -> dict[str, Any]:
    return {
        "image_size": (SIDE, SIDE),
        "scale": [1 / 255 / _STD] * 3,
        "offset": [-_MEAN / _STD] * 3,
        "crop_to_aspect_ratio": True,
    }


def _save(folder: Path, network: Any, prepare: Any) -> None:
    network.save_to_preset(str(folder))
    prepare.save_to_preset(str(folder))


if __name__ == "__main__":
    place, wanted, words = sys.argv[1:]
    print(json.dumps(make(Path(place), wanted, words)))
