"""Networks to ONNX files that need no PyTorch; the modules are imported one by one.

`snapshelf.export.onnx_model` writes the file; it needs the extra `torch`.
"""

__all__: list[str] = []
