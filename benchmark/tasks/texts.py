"""A small GPT on the characters of a text."""

from __future__ import annotations

from functools import partial

from benchmark import models
from benchmark.data.objective import NextToken
from benchmark.data.text import shakespeare
from benchmark.tasks.lenets import Width
from benchmark.tasks.registry import task
from benchmark.tasks.task import Task
from methods.core.optimizers import Adam

LENGTH, CHARACTERS = 128, 65


@task
def gpt_shakespeare(width: Width = 1.0) -> Task:
    """A GPT of two layers and 128 features on tiny Shakespeare. Expected: dense near 2.5 bits per character."""
    return Task(
        model=partial(models.gpt, CHARACTERS, LENGTH, width=width),
        data=shakespeare(LENGTH),
        dataset="tinyshakespeare",
        shape=(LENGTH,),
        vocabulary=CHARACTERS,
        classes=CHARACTERS,
        objective=NextToken(),
        examples=7_842,
        epochs=10,
        batch_size=32,
        learning_rate=2e-3,
        optimizer=Adam(),
    )
