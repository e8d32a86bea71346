"""The data sets of the benchmarks, each as one matrix for every rival.

Categories are one-hot, missing numbers the training median, text is sparse TF-IDF;
nothing is scaled. The folder of the sets is the environment variable SK_SHALLOW_DATA,
with its own `load.py`; without it there are scikit-learn's bundled sets, and two more
by `fetch_openml` when they are asked for by name. The split is the published one where
there is exactly one; else a quarter of the rows, chosen by the seed, is for the test.
"""

import importlib.util
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder

BUNDLED = {
    "iris": (datasets.load_iris, "classification"),
    "wine": (datasets.load_wine, "classification"),
    "breast_cancer": (datasets.load_breast_cancer, "classification"),
    "digits": (datasets.load_digits, "classification"),
    "diabetes": (datasets.load_diabetes, "regression"),
}
# Single-output sets of the folder, in order of cost.
FOLDER = {
    "sonar": "classification",
    "uci_energy": "regression",
    "uci_concrete": "regression",
    "uci_wine_red": "regression",
    "mammography": "classification",
    "uci_power_plant": "regression",
    "california_housing": "regression",
    "bike_sharing": "regression",
    "letter": "classification",
    "kddcup99_10pct": "classification",
    "adult": "classification",
    "newsgroups20": "classification",
    "mnist": "classification",
}
OPENML = {
    "california_housing": (44090, "regression"),
    "adult": (1590, "classification"),
}
# A stratified part of the rows, where all of them would take a rival an hour.
MOST_ROWS = {"kddcup99_10pct": 50_000}
# Classes with fewer rows cannot be in both parts of a split.
LEAST_ROWS_OF_CLASS = 4


class Split(NamedTuple):
    """One data set, cut in two."""

    name: str
    task: str
    X_train: object
    X_test: object
    y_train: np.ndarray
    y_test: np.ndarray


def names():
    """Every set that can be found here, cheap ones first."""
    return [*BUNDLED, *FOLDER] if "SK_SHALLOW_DATA" in os.environ else list(BUNDLED)


def split(name, seed=0):
    """One set, cut by its published split or by the seed."""
    X, y, meta = load(name)
    task = meta["task"]
    if task == "classification":
        rows = enough_of_each_class(y, MOST_ROWS.get(name), seed)
        X, y = take(X, rows), y[rows]
    published = meta["splits"] if len(meta["splits"]) == 1 else None
    stratify = y if task == "classification" else None
    train, test = (
        published[0]
        if published
        else train_test_split(
            np.arange(len(y)), test_size=0.25, random_state=seed, stratify=stratify
        )
    )
    X_train, X_test = matrices(X, train, test, meta)
    return Split(name, task, X_train, X_test, y[train], y[test])


def load(name):
    """(X, y, meta) with meta["task"], meta["kind"], meta["splits"]."""
    if name in BUNDLED:
        loader, task = BUNDLED[name]
        X, y = loader(return_X_y=True)
        return X, y, {"task": task, "kind": "table", "splits": []}
    if "SK_SHALLOW_DATA" in os.environ:
        X, y, meta = _folder_loader()(name)
        return X, y, {**meta, "task": FOLDER.get(name, meta["task"])}
    number, task = OPENML[name]
    X, y = datasets.fetch_openml(data_id=number, return_X_y=True, as_frame=True)
    return X, y.to_numpy(), {"task": task, "kind": "table", "splits": []}


def _folder_loader():
    path = Path(os.environ["SK_SHALLOW_DATA"]) / "load.py"
    spec = importlib.util.spec_from_file_location("_benchmark_sets", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load


def enough_of_each_class(y, most, seed):
    """Rows of the classes that are not too rare, at most so many, shares kept."""
    rng, rows = np.random.default_rng(seed), []
    share = min(1.0, most / len(y)) if most else 1.0
    for label, count in zip(*np.unique(y, return_counts=True), strict=True):
        if count >= LEAST_ROWS_OF_CLASS:
            n_kept = max(LEAST_ROWS_OF_CLASS, int(count * share))
            rows.append(rng.choice(np.flatnonzero(y == label), n_kept, replace=False))
    return np.sort(np.concatenate(rows))


def take(X, rows):
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]


def matrices(X, train, test, meta):
    if meta["kind"] == "text":
        words = TfidfVectorizer(
            max_features=5000, sublinear_tf=True, stop_words="english"
        )
        return words.fit_transform(X[train]), words.transform(X[test])
    if not hasattr(X, "iloc"):
        return X[train].astype(float), X[test].astype(float)
    encode = table_encoder()
    X = as_categories(X, meta)
    fitted = encode.fit_transform(X.iloc[train]), encode.transform(X.iloc[test])
    return tuple(np.asarray(part, dtype=float) for part in fitted)


def as_categories(X, meta):
    """X with its categorical columns, integer-coded ones too, of dtype object."""
    X = X.copy()
    numbers = X.select_dtypes("number").columns
    for column in {*(meta.get("categorical") or []), *X.columns.difference(numbers)}:
        X[column] = X[column].astype(object).where(X[column].notna(), np.nan)
    return pd.DataFrame(X)


def table_encoder():
    """One-hot categories, and numbers with the median for what is missing."""
    return make_column_transformer(
        (
            OneHotEncoder(handle_unknown="ignore", sparse_output=False),
            make_column_selector(dtype_include=[object, "category"]),
        ),
        remainder=SimpleImputer(strategy="median"),
    )
