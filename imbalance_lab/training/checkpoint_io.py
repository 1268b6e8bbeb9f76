"""How Lightning writes and reads checkpoints: whole, flushed to the disk, with a digest that is verified."""

from pathlib import Path
from typing import Any

from lightning.fabric.plugins import CheckpointIO

from imbalance_lab.checkpoint_file import read_checkpoint_file, write_checkpoint


class VerifiedCheckpointIO(CheckpointIO):
    """Files of `imbalance_lab.checkpoint_file`.

    Lightning's own are staged in the directory for temporary files, which may be full or on another disk, and a flipped
    bit in one is loaded without an error.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        """Write the file, or leave it as it is."""
        write_checkpoint(Path(path), checkpoint)

    def load_checkpoint(
        self, path: Any, map_location: Any | None = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Read and verify the file, on the CPU."""
        return read_checkpoint_file(Path(path))

    def remove_checkpoint(self, path: Any) -> None:
        """Remove the file, if it is there."""
        Path(path).unlink(missing_ok=True)
