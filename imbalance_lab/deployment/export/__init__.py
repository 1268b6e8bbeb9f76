"""A trained model as one file that other programs run: PyTorch's, ONNX's, or a directory of MLflow's."""
