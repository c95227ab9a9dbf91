"""A trained classifier as one ONNX file."""
