"""A SparseOptimizer trains a model of Lightning; skipped where Lightning is not installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy

from methods import SparseOptimizer
from tests.builders import mlp

X, Y = torch.randn(64, 1, 4, 4, generator=torch.Generator().manual_seed(0)), torch.arange(64) % 4


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", ["dwf", "snip"])
def test_lightning_trains_saves_and_resumes_a_model(form: str, tmp_path: Path) -> None:
    lightning = pytest.importorskip("lightning")
    value = {"strength": 0.1} if form == "dwf" else {"density": 0.25}

    class Model(lightning.LightningModule):  # type: ignore[name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.network = mlp()

        def training_step(self, batch: Any, index: int) -> torch.Tensor:
            return cross_entropy(self.network(batch[0]), batch[1])

        def configure_optimizers(self) -> Any:
            steps = self.trainer.estimated_stepping_batches
            probe = lambda: cross_entropy(self.network(X), Y)  # noqa: E731
            optimizer = SparseOptimizer(self.network, form, steps=steps, lr=0.05, probe=probe, **value)
            scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
            return [optimizer], [{"scheduler": scheduler, "interval": "step"}]

        def on_train_epoch_end(self) -> None:
            if self.current_epoch == 0:
                self.trainer.save_checkpoint(tmp_path / "one.ckpt")

        def on_train_end(self) -> None:
            self.optimizers().optimizer.finish()

    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, Y), batch_size=16)

    def fitted(checkpoint: Path | None = None) -> Any:
        model = Model()
        trainer = lightning.Trainer(
            max_epochs=2,
            default_root_dir=tmp_path,
            enable_checkpointing=False,
            gradient_clip_val=1.0,
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            accelerator="cpu",
        )
        trainer.fit(model, loader, ckpt_path=checkpoint)
        assert trainer.global_step == 8
        return model.network

    whole, resumed = fitted(), fitted(tmp_path / "one.ckpt")
    for one, two in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, two) and one.grad is None
    if form == "snip":
        assert sum(int(parameter.count_nonzero()) for parameter in whole.parameters() if parameter.dim() > 1) == 60
