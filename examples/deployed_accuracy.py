"""The accuracy of every file of a folder `deployed`, without tunefront. Arguments: FOLDER, and an npz file of the
arrays `images` and `labels`.
"""

import json
import sys
from pathlib import Path

import numpy as np

if len(sys.argv) != 3:
    sys.exit(__doc__)
data = np.load(sys.argv[2])
for path in sorted(Path(sys.argv[1]).glob("trial-*.json")):
    facts = json.loads(path.read_text())
    taken, given, file = facts["input"], facts["output"], str(path.parent / facts["file"])
    images = data["images"].astype("float64")
    if taken["dtype"] == "int8":
        images = np.clip(np.rint(images / taken["scale"]) + taken["zero_point"], -128, 127)
    if facts["runtime"] == "onnx":
        import onnxruntime

        run = onnxruntime.InferenceSession(file).run
        answers = [run(None, {taken["name"]: image[None].astype("float32")})[0][0] for image in images]
    else:
        from ai_edge_litert.interpreter import Interpreter

        interpreter, answers = Interpreter(file), []
        interpreter.allocate_tensors()
        for image in images:
            interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image[None].astype(taken["dtype"]))
            interpreter.invoke()
            answers.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0].copy())
    print(facts["file"], np.mean(np.argmax(answers, axis=1) == data["labels"]))
