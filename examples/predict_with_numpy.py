"""Predictions with NumPy and nothing else
=======================================

``python examples/predict_with_numpy.py network.npz rows.csv``

``predict`` reads what ``save_arrays`` wrote, and takes rows as they are, labels
included, with None or NaN for gaps, in the order of ``feature_names`` in the file. What
it gives has a row for each row and a column for each output: of a classifier the
probabilities of ``classes`` in the file. The command reads a file without a header, an
empty cell for a gap, and labels that are strings. Without a file of a network there is
nothing to execute for this site; the tests run it on every kind of network.
"""
# sphinx_gallery_thumbnail_path = "_generated/thumbnails/predict_with_numpy.png"

import csv
import sys

import numpy as np


def softplus(Z):
    return np.logaddexp(0, Z)


def exp(Z, p):
    U = Z - np.log(p[0])
    rise = 1 + p[3] * np.maximum(U - p[2], 0)
    return p[0] * np.exp(np.clip(U, p[1], p[2])) * rise


F = {
    "identity": lambda Z, p: Z,
    "relu": lambda Z, p: np.maximum(Z, 0),
    "leaky_relu": lambda Z, p: np.maximum(Z, p[0] * Z),
    "elu": lambda Z, p: np.maximum(Z, 0) + p * np.expm1(np.minimum(Z, 0)),
    "tanh": lambda Z, p: np.tanh(Z),
    "logistic": lambda Z, p: np.exp(-softplus(-Z)),
    "softplus": lambda Z, p: p[0] * softplus(np.maximum(Z / p[0], p[1])),
    "softmax": lambda Z, p: np.exp(Z - np.logaddexp.reduce(Z, 1)[:, None]),
    "exp": exp,
}


def predict(file, X):
    m, X = dict(np.load(file)), np.array(X, dtype=object)
    for j in m["labelled"]:
        gaps = [x is None or x != x for x in X[:, j]]
        labels, codes = m[f"labels_{j}"].tolist(), m[f"codes_{j}"]
        code = dict(zip(labels, codes, strict=True))
        X[:, j] = np.where(gaps, np.nan, [code.get(x, -1) for x in X[:, j]])
    X = X[:, m["feature"]].astype(float)
    R = (np.where(np.isnan(X), m["mean"], X) - m["left"]) / m["width"]
    R = np.clip(R, m["low"], m["high"])
    R = np.choose(m["kind"], [R, np.isnan(X), m["left"] == X])
    A = F[str(m["g"])](R @ m["W1"] + m["b1"], m["g_numbers"])
    Z = A @ m["W2"] + m["b2"] + R @ m["V"]
    T = np.where(m["anchor"], Z, m["gap"] * softplus(Z / m["gap"]))
    return F[str(m["h"])](T @ m["stack"], m["h_numbers"])


def rows_of(path, labelled):
    def value(j, cell):
        return None if cell == "" else cell if j in labelled else float(cell)

    with open(path, newline="") as lines:
        return [[value(j, c) for j, c in enumerate(row)] for row in csv.reader(lines)]


if __name__ == "__main__":
    file, path = sys.argv[1:]
    rows = rows_of(path, set(np.load(file)["labelled"].tolist()))
    np.savetxt(sys.stdout, predict(file, rows))
