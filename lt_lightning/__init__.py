"""Long-tailed image classification: PyTorch Lightning modules and the command `lt`.

This file imports nothing, so that `lt --help` answers before torch is loaded.
"""

__version__ = "0.1.0"
