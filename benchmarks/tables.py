"""Tables as they come: the losses and the times of default models on many sets.

    python benchmarks/tables.py run --models mlp,hgb,linear,catboost,ours \
        [--part open] [--sets ames,german] [--splits 1] --out results.jsonl
    python benchmarks/tables.py report results.jsonl [--ours ours]

The sets are those of `_tables.py`. A quarter of the rows is for the test, chosen by
seed 0 and stratified by the labels; sets of fewer than 2,000 rows have three splits,
seeds 0 to 2. The loss is the RMSE in standard deviations of the training target, or the
log-loss with probabilities clipped at 1e-15. Every model has its defaults and gets the
table in the way that suits it:

- `ours` as it is; `ours_old` with one-hot categories and medians for what is missing;
- `mlp` and `linear` the same, scaled, the linear one with its penalty chosen by
  cross-validation, and the target of `mlp` scaled;
- `hgb` with categories, at most 254 of them a column;
- `catboost` with its categorical features;
- `realmlp` with categories and medians, and for labels with its settings for the
  log-loss in place of those for the accuracy.

Seconds are CPU time of one thread, the preparation included. `run` appends one line of
JSON for every fit, the cheap sets first, and skips what the file has. Beside the
package it needs pandas and pyarrow, and catboost and pytabkit for their models.
"""

import argparse
import json
import time
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
from _datasets import as_categories, table_encoder
from _rivals import scaled, with_scaled_target
from _tables import TABLES, part, tables
from _timing import geometric_mean
from pandas.api.types import is_numeric_dtype
from scipy.stats import rankdata
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from threadpoolctl import threadpool_limits

from sk_shallow import ShallowNNClassifier, ShallowNNRegressor

SEED = 0
CLIP = 1e-15
# Sets of this many rows have one split only, for they tell enough.
ONE_SPLIT = 2000
AS_GOOD = 1.01


def text_columns(X):
    """The columns that are no numbers."""
    return [column for column in X if not is_numeric_dtype(X[column])]


def as_objects(X):
    return as_categories(X, {})


def as_text(X):
    """Categories as strings, for CatBoost takes no missing ones."""
    columns = {c: X[c].astype(object).fillna("missing") for c in text_columns(X)}
    return X.assign(**{c: column.astype(str) for c, column in columns.items()})


class KnownCategories(TransformerMixin, BaseEstimator):
    """Columns of text as the categories of the training part, the frequent ones."""

    def __init__(self, most=None, fill_numbers=False):
        self.most = most
        self.fill_numbers = fill_numbers

    def fit(self, X, y=None):
        text = text_columns(X)
        self.levels_ = {
            c: X[c].astype(object).value_counts().index[: self.most] for c in text
        }
        self.medians_ = X.drop(columns=text).astype(float).median()
        return self

    def transform(self, X):
        X = X.assign(
            **{
                c: X[c].astype(object).astype(pd.CategoricalDtype(levels))
                for c, levels in self.levels_.items()
            }
        )
        return X.fillna(self.medians_) if self.fill_numbers else X


def encoded(model):
    return make_pipeline(FunctionTransformer(as_objects), table_encoder(), model)


def ours(task, X):
    kind = ShallowNNRegressor if task == "regression" else ShallowNNClassifier
    return kind(random_state=SEED)


def ours_old(task, X):
    return encoded(ours(task, X))


def mlp(task, X):
    if task == "regression":
        return with_scaled_target(encoded(scaled(MLPRegressor(random_state=SEED))))
    return encoded(scaled(MLPClassifier(random_state=SEED)))


def linear(task, X):
    if task == "regression":
        return encoded(scaled(RidgeCV(np.logspace(-3, 4, 15))))
    return encoded(
        scaled(
            LogisticRegressionCV(
                Cs=np.logspace(-4, 2, 7), cv=5, scoring="neg_log_loss", max_iter=2000
            )
        )
    )


def hgb(task, X):
    regression = task == "regression"
    kind = (
        HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier
    )
    model = kind(categorical_features="from_dtype", random_state=SEED)
    return make_pipeline(KnownCategories(most=254), model)


def catboost(task, X):
    from catboost import CatBoostClassifier, CatBoostRegressor

    kind = CatBoostRegressor if task == "regression" else CatBoostClassifier
    model = kind(
        verbose=0,
        random_seed=SEED,
        thread_count=1,
        cat_features=text_columns(X),
        allow_writing_files=False,
    )
    return make_pipeline(FunctionTransformer(as_text), model)


def realmlp(task, X):
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    common = {"n_threads": 1, "device": "cpu", "random_state": SEED}
    model = (
        RealMLP_TD_Regressor(**common)
        if task == "regression"
        else RealMLP_TD_Classifier(
            val_metric_name="cross_entropy", use_ls=False, **common
        )
    )
    return make_pipeline(KnownCategories(fill_numbers=True), model)


MODELS = {
    "ours": ours,
    "ours_old": ours_old,
    "mlp": mlp,
    "linear": linear,
    "hgb": hgb,
    "catboost": catboost,
    "realmlp": realmlp,
}


def loss(model, X, y, task, y_train):
    if task == "regression":
        error = np.ravel(model.predict(X)) - y
        return np.sqrt(np.mean(error**2)) / y_train.std()
    P = np.asarray(model.predict_proba(X), dtype=float)
    # CatBoost sorts labels that look like numbers as numbers.
    column = {str(label): k for k, label in enumerate(model.classes_)}
    truth = P[np.arange(len(y)), [column[label] for label in y]]
    return -np.log(np.clip(truth / P.sum(axis=1), CLIP, 1 - CLIP)).mean()


def measured(make, X, y, task, seed):
    """{"loss", "seconds"} of one fit, or {"error"}."""
    X_train, X_test, y_train, y_test = train_test_split(
        X,
        y,
        test_size=0.25,
        random_state=seed,
        stratify=y if task == "classification" else None,
    )
    try:
        model = make(task, X)
        start = time.process_time()
        model.fit(X_train, y_train)
        seconds = time.process_time() - start
        result = loss(model, X_test, y_test, task, y_train)
    except Exception as reason:
        return {"error": f"{type(reason).__name__}: {reason}"}
    return {"loss": float(result), "seconds": round(seconds, 4)}


def run(args):
    names = args.sets.split(",") if args.sets else TABLES
    known = {
        (line["set"], line["split"], line["model"])
        for line in (read(args.out) if args.out.exists() else [])
    }
    found = sorted(tables(names, args.part), key=lambda table: table[1].size)
    for name, X, y, task in found:
        n_splits = min(args.splits, 3 if len(y) < ONE_SPLIT else 1)
        for seed in range(n_splits):
            for model in args.models.split(","):
                if (name, seed, model) in known:
                    continue
                with warnings.catch_warnings(), threadpool_limits(1):
                    warnings.simplefilter("ignore")
                    result = measured(MODELS[model], X, y, task, seed)
                line = {"set": name, "split": seed, "model": model, **result}
                line |= {"rows": len(y), "columns": X.shape[1], "task": task}
                with args.out.open("a") as out:
                    out.write(json.dumps(line) + "\n")


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def means(lines):
    """{set: {model: (loss, seconds)}}, means over the splits, without the failures."""
    splits = defaultdict(lambda: defaultdict(list))
    for line in lines:
        result = [line.get("loss", np.nan), line.get("seconds", np.nan)]
        splits[line["set"]][line["model"]].append(result)
    return {
        name: {
            model: tuple(np.mean(results, axis=0))
            for model, results in models.items()
            if np.isfinite(results).all()
        }
        for name, models in splits.items()
    }


def report(args):
    lines = read(args.results)
    sets, about = means(lines), {line["set"]: line for line in lines}
    present = {line["model"] for line in lines}
    models = [model for model in MODELS if model in present]
    ours = args.ours or models[0]
    print_sets(sets, about, models)
    tasks = {"all": about, "numbers": {}, "labels": {}}
    tasks["numbers"] = [s for s in about if about[s]["task"] == "regression"]
    tasks["labels"] = [s for s in about if about[s]["task"] == "classification"]
    for of_part in ("all", "open", "aside"):
        for task, names in tasks.items():
            chosen = {s: sets[s] for s in names if of_part in ("all", part(s))}
            if any(ours in results for results in chosen.values()):
                print_comparison(f"{of_part}, {task}", chosen, ours, models)
    print_failures(lines)


def print_sets(sets, about, models):
    print("| set | part | rows | columns | task |", *(f" {m} |" for m in models))
    print("|---|---|---:|---:|---|" + "---:|" * len(models))
    for name, results in sets.items():
        line = about[name]
        cells = [
            f"{results[m][0]:.4f} ({results[m][1]:.2g} s)" if m in results else ""
            for m in models
        ]
        print(
            f"| {name} | {part(name)} | {line['rows']} | {line['columns']} "
            f"| {line['task']} | {' | '.join(cells)} |"
        )


def print_comparison(title, sets, ours, models):
    """Ours against each rival, and everybody's rank."""
    ranks = mean_ranks(sets)
    print(f"\n{title}: {ours} has mean rank {np.mean(ranks[ours]):.2f}, ", end="")
    print(f"first on {ranks[ours].count(1)} of {len(ranks[ours])}\n")
    print(
        "| rival | sets | as good within 1 % | better | loss, ours / rival | worst "
        "| seconds, ours / rival | worst | mean rank | first |"
    )
    print("|---|" + "---:|" * 9)
    for rival in models:
        both = [s for s in sets if ours in sets[s] and rival in sets[s]]
        if rival == ours or not both:
            continue
        of_loss, of_time = (
            {
                s: max(sets[s][ours][i], CLIP) / max(sets[s][rival][i], CLIP)
                for s in both
            }
            for i in (0, 1)
        )
        ratios = np.array(list(of_loss.values()))
        print(
            f"| {rival} | {len(both)} | {np.mean(ratios <= AS_GOOD):.0%} "
            f"| {np.mean(ratios < 1):.0%} | {geometric_mean(ratios):.3f} "
            f"| {worst(of_loss)} | {geometric_mean(list(of_time.values())):.3f} "
            f"| {worst(of_time)} | {np.mean(ranks[rival]):.2f} "
            f"| {ranks[rival].count(1)} |"
        )


def mean_ranks(sets):
    """{model: its rank in every set, among the models that have a result there}"""
    ranks = defaultdict(list)
    for results in sets.values():
        order = rankdata([loss for loss, _ in results.values()], method="min")
        for model, rank in zip(results, order, strict=True):
            ranks[model].append(rank)
    return ranks


def worst(ratios):
    name = max(ratios, key=ratios.get)
    return f"{ratios[name]:.2f} ({name})"


def print_failures(lines):
    failures = [line for line in lines if "error" in line]
    for line in failures:
        reason = line["error"].replace("\n", " ")[:120]
        print(f"\n{line['model']} on {line['set']}, split {line['split']}: {reason}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    runner = commands.add_parser("run")
    runner.add_argument("--models", default="mlp,hgb,linear,catboost,ours")
    runner.add_argument("--part", choices=["open", "aside", "all"], default="all")
    runner.add_argument("--sets", help="names with commas")
    runner.add_argument("--splits", type=int, default=3, help="at most so many")
    runner.add_argument("--out", type=Path, required=True)
    runner.set_defaults(command=run)
    reporter = commands.add_parser("report")
    reporter.add_argument("results", type=Path)
    reporter.add_argument("--ours", help="the model that is compared")
    reporter.set_defaults(command=report)
    args = parser.parse_args()
    args.command(args)


if __name__ == "__main__":
    main()
