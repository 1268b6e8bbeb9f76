"""What holds for every module: its tensors are parameters or buffers, and its state can be moved and restored."""

import copy
import io

import torch
from torch import Tensor, nn


def check_tensors_are_registered(module: nn.Module) -> None:
    """Every tensor of the module and its parts follows the device and is saved."""
    known = {id(tensor) for tensor in (*module.parameters(), *module.buffers())}
    for name, part in module.named_modules():
        for attribute, value in vars(part).items():
            loose = isinstance(value, Tensor) and id(value) not in known
            where = f"{name}.{attribute}" if name else attribute
            assert not loose, f"{where} is a tensor but neither a parameter nor a buffer: use register_buffer"


def check_state_dict(module: nn.Module, other: nn.Module) -> None:
    """The state of ``module`` passes through a file into ``other``, a second one of its kind."""
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True))
    for name, tensor in module.state_dict().items():
        same = not isinstance(tensor, Tensor) or torch.equal(tensor, other.state_dict()[name])
        assert same, f"{name} is not restored from its state_dict"


def check_moves(module: nn.Module) -> None:
    """``to`` takes every tensor along; tried with the device that holds no values, which is everywhere."""
    moved = copy.deepcopy(module).to("meta")
    for name, tensor in (*moved.named_parameters(), *moved.named_buffers()):
        assert tensor.device.type == "meta", f"{name} stays on {tensor.device} when the module is moved"
