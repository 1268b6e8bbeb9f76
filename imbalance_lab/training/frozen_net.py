"""A frozen backbone with the preparation before it: a function of the inputs, with a digest that names it."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


class FrozenNet(NamedTuple):
    """What computes features.

    Args:
        prepare, net: preparation and backbone, in evaluation mode.
        described: the backbone's configuration, plain values.
        device: where they compute.
    """

    prepare: nn.Module
    net: nn.Module
    described: Mapping[str, Any]
    device: torch.device

    @torch.no_grad()
    def __call__(self, inputs: Tensor) -> NDArray[np.float32]:
        """Inputs (n, …) → features (n, …), without autocast."""
        with torch.autocast(self.device.type, enabled=False):
            features: Tensor = self.net(self.prepare(inputs.to(self.device)))
        return features.float().cpu().numpy()

    def digest(self) -> bytes:
        """Of weights, modules and configuration."""
        digest = hashlib.blake2b(json.dumps(self.described, sort_keys=True, default=str).encode())
        for part in (self.prepare, self.net):
            digest.update(repr(part).encode())
            for name, tensor in sorted(part.state_dict().items()):
                plain = tensor.detach().cpu().contiguous().flatten()
                digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
                digest.update(plain.view(torch.uint8).numpy().data)
        return digest.digest()
