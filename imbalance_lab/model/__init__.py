"""A trained model from its checkpoint alone: no Hydra, no training data.

model = load_model("runs/DATE/TIME")
output = model.predict(frame)
output.probabilities, output.labels, output.flags
"""

from imbalance_lab.model.load import check_state_dict, load_model, read_checkpoint
from imbalance_lab.model.model import Model, ModelOutput

__all__ = ["Model", "ModelOutput", "check_state_dict", "load_model", "read_checkpoint"]
