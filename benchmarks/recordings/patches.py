"""Patches of two photographs of scikit-learn; the class of a patch is its picture and the quarter it is from."""

import numpy as np


def load():
    """Return 2400 patches of 16x16 colour pixels in 8 classes. Patches of a class may overlap."""
    from sklearn.datasets import load_sample_images

    generator = np.random.default_rng(1)
    patches, labels = [], []
    for picture, image in enumerate(load_sample_images().images):
        height, width = image.shape[0] // 2, image.shape[1] // 2
        for quarter in range(4):
            top, left = (quarter // 2) * height, (quarter % 2) * width
            for _ in range(300):
                row = top + generator.integers(height - 16)
                column = left + generator.integers(width - 16)
                patches.append(image[row : row + 16, column : column + 16])
                labels.append(4 * picture + quarter)
    names = [f"{picture} {quarter}" for picture in ("china", "flower") for quarter in range(1, 5)]
    return np.stack(patches), np.array(labels), names
