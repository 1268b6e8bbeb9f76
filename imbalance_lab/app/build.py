"""One part of the configuration → the object that it describes; what its constructor refuses is one sentence."""

from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig

from imbalance_lab.arguments import accepted_arguments
from imbalance_lab.errors import UsageError


def instantiate_part(config: DictConfig, part: str, **available: Any) -> Any:
    """Instantiate ``config[part]``, with those of the ``available`` arguments that it takes and the config leaves open.

    Raises:
        UsageError: for what the constructor refuses.
    """
    return instantiate_node(part, config[part], **available)


def instantiate_node(name: str, node: DictConfig, **available: Any) -> Any:
    """Instantiate one ``_target_``; ``name`` is what a message calls it."""
    try:
        open_arguments = {key: value for key, value in available.items() if node.get(key) is None}
        return instantiate(node, **accepted_arguments(get_object(node._target_), open_arguments))
    except InstantiationException as error:
        cause = error.__cause__
        # Lightning's own by name: an error in the loss must not wait for the import of Lightning.
        expected = isinstance(cause, ValueError | TypeError | OSError | ImportError)
        if expected or type(cause).__name__ == "MisconfigurationException":
            raise usage_error(name, node, cause) from error
        raise
    except (ValueError, ImportError, AttributeError) as error:
        raise usage_error(name, node, error) from error


def usage_error(name: str, node: DictConfig, error: BaseException | None) -> UsageError:
    """Say which part of the configuration is wrong; a TypeError rarely says what was given."""
    given = " ".join(f"{key!s}={value}" for key, value in node.items() if not str(key).startswith("_"))
    return UsageError(f"{name}: {' '.join(str(error).split())}" + (f" (given {given})" * isinstance(error, TypeError)))
