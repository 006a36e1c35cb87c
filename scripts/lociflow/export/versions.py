"""With which versions a model was exported."""

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("torch", "numpy", "onnx", "onnxscript", "onnxruntime")


def versions() -> dict[str, str]:
    """Return the version of Python and of each package that an export uses and that is installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
