"""Files that people have of their models, and that are no targets: what to name instead."""

import re
from pathlib import PurePath

from costlab.messages import named

CODE = "name what makes the model, file.py:Net or package.module:Net"
EXPORT = "or save it by torch.export.save as a .pt2 file"
NOTEBOOK = (
    "is a notebook, which is not run: in it, import costlab and call costlab.count(model, (3, 224, 224)), or "
    "put the model into a .py file, as jupyter nbconvert --to script does, and name that, {stem}.py:Net"
)
WEIGHTS = f"holds weights, and no model that runs: {CODE}"
TENSORFLOW = (
    "is a model of TensorFlow, which is not read: convert it to ONNX, by tf2onnx, and name the .onnx file"
)
BUILT = "is built for a runtime from another model: name that, the .onnx file or the PyTorch model"
SETTINGS = "holds settings, and no model: name a function that makes the model of them, file.py:make"
WORDS = {
    ".ipynb": NOTEBOOK,
    **dict.fromkeys((".ckpt", ".bin", ".safetensors", ".gguf", ".npz"), WEIGHTS),
    **dict.fromkeys((".h5", ".hdf5", ".keras", ".pb", ".tflite"), TENSORFLOW),
    **dict.fromkeys((".mlmodel", ".mlpackage", ".engine", ".trt", ".plan", ".ort", ".ptl"), BUILT),
    **dict.fromkeys((".pkl", ".pickle", ".joblib"), f"may be anything, and is not read: {CODE}"),
    **dict.fromkeys((".yaml", ".yml", ".json", ".toml"), SETTINGS),
}
"""What is said of a file, by the ending of its name."""
MAY_BE_SCRIPT = (".pt", ".pth")
"""The endings of weights and of TorchScript alike."""
MODULE = r"\w+(?:\.\w+)*"


def told_of(target: str) -> str:
    """What to name instead of such a file, whether or not it is there; empty if it is none.

    What may be a module of Python, ``package.json:net``, is none unless it is there, but for a notebook.
    """
    from costlab.targets.resolve import FORMS  # which asks this
    from costlab.targets.user_code import is_file

    name, joint, _ = target.partition(":")
    file = PurePath(name)
    ending = file.suffix.lower()
    if ending not in WORDS and ending not in MAY_BE_SCRIPT:
        return ""
    if joint and ending != ".ipynb" and re.fullmatch(MODULE, name) and not is_file(name):
        return ""
    if ending in MAY_BE_SCRIPT:
        hint = f"a {ending} file holds weights, or TorchScript, which is not read: {CODE}, {EXPORT}"
        return f"{named(target)} names nothing: a target is {FORMS}; {hint}"
    return f"{named(target)} {WORDS[ending].format(stem=file.stem)}"
