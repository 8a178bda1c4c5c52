"""A tour of the Python interface, as a notebook: every `# %%` starts a cell in Jupyter, VS Code or Spyder."""

# %% [markdown]
# # Train one network
# Magnitude pruning to a tenth of the weights, on handwritten digits that come with scikit-learn.

# %%
from pathlib import Path
from tempfile import mkdtemp

from benchmark import Experiment, run_experiment, train_once

trained = train_once("lenet300-digits", "magnitude", 0.1, epochs=5)
print(f"{trained.measurement.test_accuracy:.1f} % at compression {trained.measurement.compression:.1f}")
print([(name, f"{kept} of {total}") for name, kept, total in trained.layers])

# %% [markdown]
# # Write a method
# A method is a dataclass with an update rule. This one keeps the weights that come first.

# %%
from dataclasses import dataclass

import torch

from methods import Masked, Network, Probe, register


@register("keep-first", knob="density")
@dataclass
class KeepFirst(Masked):
    """Keep the first weights of the network."""

    def setup(self, net: Network, probe: Probe) -> None:
        super().setup(net, probe)
        places = torch.arange(net.weights.shape[1], device=net.weights.device)
        self.prune_to(-places.float().expand_as(net.weights))


print(train_once("lenet300-digits", "keep-first", 0.1, epochs=5).measurement.test_accuracy)

# %% [markdown]
# # Run an experiment
# A grid of methods, values and seeds. Its rows are written to a folder; call it again, and it goes on where it was.

# %%
experiment = Experiment(
    tasks=("lenet300-digits",),
    methods=("dense", "magnitude", "keep-first"),
    values={"density": (0.2, 0.05)},
    seeds=(0, 1),
    epochs=3,
)
folder = run_experiment(experiment, name="my-first", results=mkdtemp(), quiet=True)

# %%
from plots import front, leaderboard, load, summary

runs = load(folder)
print(summary(runs)[["method", "value", "n", "test_mean", "test_std", "compression"]])
print(leaderboard(runs))
figure = front(runs)  # a matplotlib figure, which a notebook shows

# %% [markdown]
# # Three methods on one figure, from committed results

# %%
runs = load(Path(__file__).parent.parent.parent / "results" / "reference" / "families-grid")
chosen = runs[runs["label"].isin(["dense", "dwf[depth=4]", "gmp", "rigl"])]
figure = front(chosen)
figure.savefig(folder / "three-methods.png")
