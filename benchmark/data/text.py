"""Texts as sequences of characters."""

from __future__ import annotations

import hashlib
import itertools
import urllib.request
from collections.abc import Callable
from pathlib import Path

from benchmark.data.split import Batch, Data, digest
from benchmark.errors import UsageError, last_line
from benchmark.records.files import replacing
from methods.core.lazy import torch

SHAKESPEARE = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
SHAKESPEARE_SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"


def shakespeare(length: int) -> Callable[[Path], Data]:
    """Return a loader of tiny Shakespeare (Karpathy, 2015): 1,115,394 characters, of which there are 65.

    Its file is <folder>/tinyshakespeare.txt, which is downloaded if it is missing.
    """

    def load(folder: Path) -> Data:
        return windows(_text(folder.absolute() / "tinyshakespeare.txt"), length)

    return load


def windows(text: str, length: int) -> Data:
    """Cut a text into sequences of `length` characters, each with the next character at every place as its target.

    Characters are numbered in the order of their code points. The first nine tenths of the text are for training, and
    the halves of the rest for validation and test, so that no sequence of one reaches into another.
    """
    number = {character: place for place, character in enumerate(sorted(set(text)))}
    tokens = torch.tensor([number[character] for character in text])
    ends = 0, len(text) * 9 // 10, len(text) * 19 // 20, len(text)
    train, val, test = (_sequences(tokens[start:stop], length) for start, stop in itertools.pairwise(ends))
    loaded = Data.in_memory(train, val, test)
    return Data(loaded.train, loaded.val, loaded.test, digest([text.encode()]))


def _sequences(tokens: torch.Tensor, length: int) -> Batch:
    """Return inputs and targets [n, length]; characters that fill no sequence are left out."""
    count = (len(tokens) - 1) // length
    return tokens[: count * length].view(count, length), tokens[1 : count * length + 1].view(count, length)


def _text(path: Path) -> str:
    """Return the text of the file, after a download if there is none; raise UsageError for another text."""
    if not path.exists():
        try:
            with urllib.request.urlopen(SHAKESPEARE, timeout=60) as answer:
                content = answer.read()
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as file:
                file.write(content)
        except OSError as error:
            raise UsageError(
                f"there is no {path}, and it could not be downloaded ({last_line(error)}); put tiny Shakespeare there, "
                "or name with --data the folder that holds it"
            ) from error
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror})") from None
    if hashlib.sha256(content).hexdigest() != SHAKESPEARE_SHA256:
        raise UsageError(f"{path} is not the published tiny Shakespeare; replace it, or delete it to download it")
    return content.decode()
