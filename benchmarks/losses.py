"""The losses of the regressor: quantiles, outliers, counts, sizes, intervals, monotone
fits and time.

    python benchmarks/losses.py run [--questions quantiles,counts] [--sets ames] \
        [--part open] [--splits 5] [--minutes 30] --out results.jsonl
    python benchmarks/losses.py report results.jsonl [--questions quantiles] \
        [--part open]

A question has sets, variants of the training targets, and models; a fit that several
questions need is made once. A quarter of the rows is for the test, chosen by the seeds
0 to 4; sets of 2,000 rows have three splits, those of 10,000 two. A third of the sets,
by the hash in `_tables.py`, is kept aside: nothing in the package was chosen by them.
These are uci_concrete, uci_wine_red, uci_power_plant, saratoga, computers, solder and
recreation.

Ours has its defaults beside `loss` and `quantile`, and gets the tables as they come;
one fit has all the levels. Gradient boosting gets categories, the others one-hot
columns, scaled. The linear quantiles have no penalty, and only training parts of up to
10,000 rows; the linear Poisson and gamma have the penalty that five folds choose. `mlp`
has its target scaled, `mlp_poisson` as it is. The rivals fit each level by itself.

- quantiles: the mean pinball loss of the levels 0.05, 0.5 and 0.95, the share of the
  test rows at or below each, and the share where two levels cross.
- outliers: in 5 % of the training rows, y is moved by 20 times its range, by a random
  sign or up: the mean absolute error on clean test rows, and what it is beside that
  without outliers.
- counts, sizes: the mean deviance of Poisson and of gamma, predictions clipped at 1e-3
  of the mean of y.
- absolute: the mean absolute error.
- intervals: of 90 %: their coverage in the deciles of the width of those by quantiles,
  and the interval score (Gneiting and Raftery 2007), which is width and misses.
- monotone: the RMSE of fits that are monotone in the columns of `DIRECTIONS`, where
  the target should be so, beside that of free ones; and the share of test rows whose
  prediction goes the wrong way where one such column is raised to that of another row.
- time: seconds beside those of the squared error.

Seconds are CPU time of one thread, the preparation included. `run` appends one line of
JSON for every fit, all first splits before the second ones, cheap sets first, and skips
what the file has. Beside the package it needs pandas, and the folder of `_datasets.py`
for the sets that are there.
"""

import argparse
import json
import os
import time
import warnings
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from _datasets import load as load_from_folder
from _rivals import scaled, with_scaled_target
from _tables import TABLES, loaded, numbers, part
from _timing import geometric_mean
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import (
    GammaRegressor,
    HuberRegressor,
    PoissonRegressor,
    QuantileRegressor,
)
from sklearn.metrics import (
    mean_absolute_error,
    mean_gamma_deviance,
    mean_pinball_loss,
    mean_poisson_deviance,
    mean_squared_error,
)
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from tables import KnownCategories, encoded, read, worst
from threadpoolctl import threadpool_limits

from sk_shallow import ShallowNNRegressor

SEED = 0
LEVELS = (0.05, 0.5, 0.95)
CONFIDENCE = 0.9
# Positive predictions are at least this part of the mean of y.
CLIP = 1e-3
AS_GOOD = 1.02
# The first number of splits whose least rows are met.
SPLITS = ((10_000, 2), (2000, 3), (0, 5))
MOST_ROWS_OF_LINEAR_QUANTILES = 10_000
SHARE_OF_OUTLIERS, SIZE_OF_OUTLIERS = 0.05, 20

FOLDER = ["uci_energy", "uci_concrete", "uci_wine_red", "uci_power_plant"]
FOLDER += ["california_housing", "bike_sharing"]
PRICES = ["car_prices", "windsor_houses", "saratoga", "ames", "computers", "fifa"]
NUMBERS = [*FOLDER, *PRICES]
SIZES = ["uci_energy", "uci_concrete", "california_housing", *PRICES]
MORE_COUNTS = {
    "recreation": numbers("r", "AER/RecreationDemand", "trips"),
    "bad_health": numbers("r", "COUNT/badhealth", "numvisit"),
    "azpro": numbers("r", "COUNT/azpro", "los"),
    "rwm1984": numbers("r", "COUNT/rwm1984", "docvis", "hospvis edlevel"),
}
COUNTS = ["bike_sharing", "nmes1988", "solder", *MORE_COUNTS]
# Where outliers are put: what is left out is dear, and tells nothing else.
WITH_OUTLIERS = FOLDER[:4] + PRICES[:3] + ["computers"]
# Where all losses are fitted for their seconds; elsewhere those count that are there.
TIMED = ["windsor_houses", "car_prices", "uci_energy", "uci_concrete", "computers"]
TIMED += ["ames", "california_housing"]
SYNTHETIC = "heteroscedastic"
LOSSES = ["absolute", "huber", "quantile", "poisson", "gamma"]
# Columns with which the target should rise (1) or fall (-1).
DIRECTIONS = {
    "car_prices": {"Mileage": -1, "Cylinder": 1},
    "windsor_houses": {"lotsize": 1, "bathrooms": 1, "stories": 1, "garage": 1},
    "uci_concrete": {"cement": 1, "age": 1},
    "saratoga": {"lotSize": 1, "landValue": 1, "livingArea": 1, "bathrooms": 1},
    "ames": {"area": 1, "Lot.Area": 1, "Overall.Qual": 1, "Overall.Cond": 1},
    "computers": {"speed": 1, "hd": 1, "ram": 1, "trend": -1},
    "uci_power_plant": {"AT": -1, "V": -1},
    "california_housing": {"median_income": 1},
}


class Question(NamedTuple):
    """What is to be fitted, and what is told of it."""

    sets: list
    models: list
    variants: list
    report: Callable


class Part(NamedTuple):
    """One split of a set."""

    X: pd.DataFrame
    X_test: pd.DataFrame
    y: np.ndarray
    y_test: np.ndarray


# Sets.


def load(name):
    """(X, y): a frame whose labels are of dtype category or text."""
    if name == SYNTHETIC:
        return heteroscedastic()
    if name in FOLDER:
        X, y, meta = load_from_folder(name)
        return X.astype(dict.fromkeys(meta["categorical"] or [], "category")), y
    table = MORE_COUNTS.get(name) or TABLES[name]
    X, y, _ = loaded(table)
    return X, np.exp(y) if table.log else y


def heteroscedastic(n_samples=4000):
    """The noise grows tenfold with the second of five columns, and is skewed."""
    rng = np.random.default_rng(SEED)
    X = rng.uniform(-1, 1, (n_samples, 5))
    spread = 0.1 * 10 ** ((X[:, 1] + 1) / 2)
    y = np.sin(3 * X[:, 0]) + X[:, 2] + spread * (rng.gamma(2, size=n_samples) - 2)
    return pd.DataFrame(X).add_prefix("x"), y


def is_here(name):
    return name not in FOLDER or "SK_SHALLOW_DATA" in os.environ


def n_splits(n_rows):
    return next(count for least, count in SPLITS if n_rows >= least)


def clean(y, seed):
    return y


def with_outliers(y, seed, is_one_sided):
    """y with gross errors in some rows."""
    rng = np.random.default_rng(seed)
    rows = rng.choice(len(y), round(SHARE_OF_OUTLIERS * len(y)), replace=False)
    signs = rng.choice([-1, 1], len(rows))
    y = np.array(y, dtype=float)
    y[rows] += SIZE_OF_OUTLIERS * np.ptp(y) * (np.abs(signs) if is_one_sided else signs)
    return y


VARIANTS = {
    "clean": clean,
    "two-sided": partial(with_outliers, is_one_sided=False),
    "one-sided": partial(with_outliers, is_one_sided=True),
}


# Models: each is made for the set of a name.


class EachLevel(RegressorMixin, BaseEstimator):
    """A fit of its own for each of the levels."""

    def __init__(self, model, levels=LEVELS):
        self.model = model
        self.levels = levels

    def fit(self, X, y):
        self.models_ = [
            clone(self.model).set_params(quantile=level).fit(X, y)
            for level in self.levels
        ]
        return self

    def predict(self, X):
        return np.stack([model.predict(X) for model in self.models_], axis=-1)


def ours(name, loss, **parameters):
    return ShallowNNRegressor(loss=loss, random_state=SEED, **parameters)


def monotone(name, of):
    return of(name, loss="squared_error", monotonic_cst=DIRECTIONS[name])


def hgb(name, loss, **parameters):
    model = HistGradientBoostingRegressor(
        loss=loss,
        quantile=0.5 if loss == "quantile" else None,
        categorical_features="from_dtype",
        random_state=SEED,
        **parameters,
    )
    model = EachLevel(model) if loss == "quantile" else model
    return make_pipeline(KnownCategories(most=254), model)


def linear(name, model):
    return encoded(scaled(model))


def penalised(model):
    return GridSearchCV(model, {"alpha": np.logspace(-5, 0, 6)})


def linear_median():
    return QuantileRegressor(alpha=0, solver="highs")


MODELS = {
    "ours": partial(ours, loss="squared_error"),
    "ours_absolute": partial(ours, loss="absolute_error"),
    "ours_huber": partial(ours, loss="huber"),
    "ours_quantile": partial(ours, loss="quantile", quantile=list(LEVELS)),
    "ours_poisson": partial(ours, loss="poisson"),
    "ours_gamma": partial(ours, loss="gamma"),
    "ours_monotone": partial(monotone, of=ours),
    "hgb_monotone": partial(monotone, of=hgb),
    "hgb": partial(hgb, loss="squared_error"),
    "hgb_absolute": partial(hgb, loss="absolute_error"),
    "hgb_quantile": partial(hgb, loss="quantile"),
    "hgb_poisson": partial(hgb, loss="poisson"),
    "hgb_gamma": partial(hgb, loss="gamma"),
    "linear_quantile": partial(linear, model=EachLevel(linear_median())),
    "linear_median": partial(linear, model=linear_median()),
    "linear_huber": partial(linear, model=HuberRegressor(max_iter=1000)),
    "linear_poisson": partial(linear, model=penalised(PoissonRegressor(max_iter=1000))),
    "linear_gamma": partial(linear, model=penalised(GammaRegressor(max_iter=1000))),
    "mlp": lambda name: with_scaled_target(
        encoded(scaled(MLPRegressor(random_state=SEED)))
    ),
    "mlp_poisson": partial(
        linear, model=MLPRegressor(loss="poisson", random_state=SEED)
    ),
}


def is_out(model, y):
    """Whether the model takes too long for these training targets, or none of them."""
    if model in ("linear_quantile", "linear_median"):
        return len(y) > MOST_ROWS_OF_LINEAR_QUANTILES
    if model.endswith("_gamma"):
        return (y <= 0).any()
    return model.endswith("_poisson") and (y < 0).any()


# Scores of one fit.


def scores(name, model, split):
    """Every score that the predictions can have."""
    told = np.asarray(model.predict(split.X_test), dtype=float)
    violations = wrong_ways(model, split, DIRECTIONS.get(name, {}))
    return violations | of_predictions(told, model, split)


def of_predictions(told, model, split):
    if told.ndim == 2:
        return of_levels(told, split.y_test) | of_intervals(model, split)
    return of_points(told, split) | of_intervals(model, split)


def wrong_ways(model, split, directions):
    """The share of rows that go the wrong way, beyond rounding, in the worst column."""
    X, rng, shares = split.X_test, np.random.default_rng(SEED), [0.0]
    for column, direction in directions.items():
        other = X[column].to_numpy()[rng.permutation(len(X))]
        low, high = (
            model.predict(X.assign(**{column: of(X[column], other)}))
            for of in (np.fmin, np.fmax)
        )
        if np.ndim(low) == 1:
            rounding = 1e-9 * np.abs(split.y).max()
            shares.append(np.mean(direction * (high - low) < -rounding))
    return {"violations": max(shares)} if directions else {}


def of_points(told, split):
    y = split.y_test
    found = {
        "mae": mean_absolute_error(y, told),
        "rmse": mean_squared_error(y, told) ** 0.5,
    }
    positive = np.maximum(told, CLIP * max(split.y.mean(), 1e-300))
    if (y >= 0).all():
        found["poisson"] = mean_poisson_deviance(y, positive)
    if (y > 0).all():
        found["gamma"] = mean_gamma_deviance(y, positive)
    return found


def of_levels(told, y):
    columns = list(zip(LEVELS, told.T, strict=True))
    losses = [mean_pinball_loss(y, q, alpha=level) for level, q in columns]
    return {
        "pinball": np.mean(losses),
        "pinball_each": losses,
        "mae": 2 * losses[LEVELS.index(0.5)],
        "below": [np.mean(y <= q) for _, q in columns],
        "crossings": np.mean((np.diff(told, axis=1) < 0).any(axis=1)),
    }


def of_intervals(model, split):
    """Coverage, score, and of each row, in one digit each, covered and decile."""
    if not isinstance(model, ShallowNNRegressor):
        return {}
    y = split.y_test
    low, high = model.predict_interval(split.X_test, CONFIDENCE).T
    inside, width = (low <= y) & (y <= high), high - low
    misses = np.maximum(low - y, 0) + np.maximum(y - high, 0)
    deciles = (10 * width.argsort(kind="stable").argsort()) // len(width)
    return {
        "coverage": inside.mean(),
        "width": width.mean(),
        "interval_score": np.mean(width + 2 / (1 - CONFIDENCE) * misses),
        "inside": "".join(map(str, inside.astype(int))),
        "deciles": "".join(map(str, deciles)),
    }


def measured(name, model, split):
    """{"seconds", and the scores} of one fit, or {"error"}."""
    try:
        made = MODELS[model](name)
        start = time.process_time()
        made.fit(split.X, split.y)
        seconds = time.process_time() - start
        found = scores(name, made, split)
    except Exception as reason:
        return {"error": f"{type(reason).__name__}: {reason}"}
    return {"seconds": round(seconds, 4), **chosen(made), **found}


def chosen(model):
    """What the folds chose, of ours."""
    if not isinstance(model, ShallowNNRegressor):
        return {}
    names = ("solver_", "activation_", "encoding_", "alpha_", "n_iter_")
    return {name: getattr(model, name) for name in names}


def run(args):
    questions = asked(args)
    known = {
        (line["set"], line["split"], line["variant"], line["model"])
        for line in (read(args.out) if args.out.exists() else [])
    }
    names = {name for question in questions.values() for name in question.sets}
    if args.sets:
        names &= set(args.sets.split(","))
    names = [s for s in names if is_here(s) and args.part in ("all", part(s))]
    found = {name: load(name) for name in names}
    names = sorted(names, key=lambda name: found[name][0].size)
    rounds = [
        (name, seed)
        for seed in range(args.splits)
        for name in names
        if seed < n_splits(len(found[name][1]))
    ]
    end = time.perf_counter() + 60 * args.minutes
    for name, seed in rounds:
        X, y = found[name]
        parts = train_test_split(X, y, test_size=0.25, random_state=seed)
        for variant, model in fits(questions, name):
            whole = Part(*parts)
            split = whole._replace(y=VARIANTS[variant](whole.y, seed))
            key = name, seed, variant, model
            if key in known or is_out(model, split.y):
                continue
            if time.perf_counter() > end:
                return
            with warnings.catch_warnings(), threadpool_limits(1):
                warnings.simplefilter("ignore")
                result = measured(name, model, split)
            line = {"set": name, "split": seed, "variant": variant, "model": model}
            line |= {"rows": len(y), "columns": X.shape[1], **result}
            with args.out.open("a") as out:
                out.write(json.dumps(line, default=float) + "\n")


def asked(args):
    names = args.questions.split(",") if args.questions else QUESTIONS
    return {name: QUESTIONS[name] for name in names}


def fits(questions, name):
    """(variant, model) that some question asks of a set, each once."""
    return dict.fromkeys(
        (variant, model)
        for question in questions.values()
        if name in question.sets
        for variant in question.variants
        for model in question.models
    )


# Reports.


class Results:
    """The lines of a file, by what they are of."""

    def __init__(self, lines, of_part):
        self.lines = defaultdict(dict)
        for line in lines:
            if "error" not in line and of_part in ("all", part(line["set"])):
                key = line["set"], line["variant"], line["model"]
                self.lines[key][line["split"]] = line

    def sets(self, names, model, variant="clean"):
        return [name for name in names if (name, variant, model) in self.lines]

    def mean(self, name, model, score, variant="clean"):
        """The mean over the splits, of a number or of each of a list; NaN if none."""
        found = [line[score] for line in self.lines[name, variant, model].values()]
        return np.mean(found, axis=0) if found else np.nan

    def paired(self, name, *keys):
        """The lines of the splits that all (variant, model) have."""
        lines = [self.lines[name, variant, model] for variant, model in keys]
        common = sorted(set.intersection(*map(set, lines)))
        return [[of_one[split] for of_one in lines] for split in common]

    def ratio(self, name, score, key, other):
        """Of the means of a score over common splits; NaN if there are none."""
        pairs = self.paired(name, key, other)
        if not pairs:
            return np.nan
        above, below = np.mean([[one[score] for one in pair] for pair in pairs], axis=0)
        return above / below


def print_table(heads, rows):
    print(f"| {' | '.join(heads)} |\n|---|{'---:|' * (len(heads) - 1)}")
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |")


def number(x, digits=4):
    return "" if np.isnan(x) else f"{x:.{digits}g}"


def print_against(results, names, score, ours, rivals, others=()):
    """A score of every model, and ours beside the best of the rivals."""
    names = results.sets(names, ours)
    models, ratios, rows = [ours, *others, *rivals], {}, []
    for name in names:
        told = {m: results.mean(name, m, score) for m in models}
        ratios[name] = told[ours] / np.nanmin([told[m] for m in rivals])
        cells = [number(told[m]) for m in models]
        rows.append([name, part(name), *cells, f"{ratios[name]:.3f}"])
    print_table(["set", "part", *models, "ours / best rival"], rows)
    print()
    print_summaries(ratios)
    return ratios


def print_summaries(ratios, of=part):
    for title in ("all", "open", "aside"):
        of_part = {s: r for s, r in ratios.items() if title in ("all", of(s))}
        if of_part:
            print_summary(title, of_part)


def print_summary(title, ratios):
    values = np.array(list(ratios.values()))
    print(
        f"- {title}: {len(values)} rows, geometric mean {geometric_mean(values):.3f}; "
        f"best on {np.sum(values <= 1)}, within {AS_GOOD - 1:.0%} of the best on "
        f"{np.sum(values <= AS_GOOD)} ({np.mean(values <= AS_GOOD):.0%}); "
        f"worst {worst(ratios)}"
    )


def report_quantiles(results, question):
    ours, *rivals = question.models
    ratios = print_against(results, question.sets, "pinball", ours, rivals)
    rows = []
    for name in results.sets(question.sets, ours):
        cells = [name]
        for model in question.models:
            if not results.lines[name, "clean", model]:
                cells.append("")
                continue
            below = results.mean(name, model, "below")
            crossed = results.mean(name, model, "crossings")
            shares = " / ".join(f"{100 * share:.1f}" for share in below)
            cells.append(f"{shares}; {100 * crossed:.2g}")
        rows.append(cells)
    print(
        "\nShare of the test rows below each level, in %; share with crossings, in %\n"
    )
    print_table(["set", *question.models], rows)
    return ratios


def report_outliers(results, question):
    for variant in question.variants[1:]:
        heads, rows, ratios = ["set", "part"], [], defaultdict(dict)
        for name in results.sets(question.sets, question.models[0], variant):
            cells = []
            for model in question.models:
                dirty = results.mean(name, model, "mae", variant)
                ratio = results.ratio(name, "mae", (variant, model), ("clean", model))
                cells.append(f"{number(dirty)} ({ratio:.3f})")
                ratios[model][name] = ratio
            rows.append([name, part(name), *cells])
        print(f"\n{variant}: mean absolute error (beside that without outliers)\n")
        print_table([*heads, *question.models], rows)
        print()
        for model, of_model in ratios.items():
            mean = geometric_mean(list(of_model.values()))
            print(f"- {model}: geometric mean {mean:.3f}, worst {worst(of_model)}")


def report_counts(results, question):
    ours, other, *rivals = question.models
    return print_against(results, question.sets, "poisson", ours, rivals, [other])


def report_sizes(results, question):
    ours, other, *rivals = question.models
    return print_against(results, question.sets, "gamma", ours, rivals, [other])


def report_absolute(results, question):
    ours, huber, other, *rivals = question.models
    return print_against(results, question.sets, "mae", ours, rivals, [huber, other])


def by_decile(inside, deciles):
    """The coverage in each decile, from the digits of the rows."""
    inside, deciles = (np.array(list(s), dtype=int) for s in (inside, deciles))
    return [inside[deciles == k].mean() for k in range(10)]


def report_intervals(results, question):
    by_levels, plain = (("clean", model) for model in question.models)
    rows, gaps, ratios = [], {"CQR": [], "CV+": []}, {}
    for name in results.sets(question.sets, question.models[0]):
        pairs = results.paired(name, by_levels, plain)
        if not pairs:
            continue
        ratios[name] = results.ratio(name, "interval_score", by_levels, plain)
        for k, title in enumerate(gaps):
            # The deciles are those of CQR for both.
            found = [by_decile(p[k]["inside"], p[0]["deciles"]) for p in pairs]
            deciles = np.mean(found, axis=0)
            gap = np.abs(deciles - CONFIDENCE).mean()
            gaps[title].append(gap)
            coverage = np.mean([p[k]["coverage"] for p in pairs])
            width = np.mean([p[k]["width"] for p in pairs])
            shares = " ".join(f"{100 * share:.0f}" for share in deciles)
            beside = f"{ratios[name]:.3f}" if k == 0 else ""
            rows.append([name, title, f"{100 * coverage:.1f}", shares])
            rows[-1] += [f"{100 * gap:.1f}", f"{100 * deciles.min():.0f}"]
            rows[-1] += [number(width), beside]
    heads = ["set", "intervals", "coverage, %", "in the deciles of the width, %"]
    heads += ["mean gap to 90", "least", "width", "score, CQR / CV+"]
    print_table(heads, rows)
    print()
    for title, found in gaps.items():
        print(f"- {title}: mean gap over the sets {100 * np.mean(found):.1f} points")
    mean = geometric_mean(list(ratios.values()))
    print(f"- interval score, CQR / CV+: {mean:.3f}, worst {worst(ratios)}")


def report_monotone(results, question):
    rows, ratios = [], {}
    ours, free, *_ = question.models
    for name in results.sets(question.sets, ours):
        cells = []
        for model in question.models:
            loss = number(results.mean(name, model, "rmse"))
            shares = 100 * results.mean(name, model, "violations")
            cells.append(f"{loss}; {shares:.2g}")
        ratios[name] = results.ratio(name, "rmse", ("clean", ours), ("clean", free))
        rows.append([name, *cells, f"{ratios[name]:.3f}"])
    print("RMSE; share of rows that go the wrong way, in %\n")
    print_table(["set", *question.models, "monotone / free"], rows)
    print()
    print_summaries(ratios)


def report_time(results, question):
    base, *models = question.models
    rows, ratios = [], defaultdict(dict)
    names = dict.fromkeys(name for name, *_ in results.lines)
    for name in results.sets(names, base):
        cells = []
        for model in models:
            ratio = results.ratio(name, "seconds", ("clean", model), ("clean", base))
            if not np.isnan(ratio):
                ratios[model][name] = ratio
            cells.append(number(ratio, 3))
        seconds = results.mean(name, base, "seconds")
        rows.append([name, number(seconds, 3), *cells])
    print_table(["set", f"{base}, s", *(f"{m} / {base}" for m in models)], rows)
    print()
    for model, of_model in ratios.items():
        mean = geometric_mean(list(of_model.values()))
        print(f"- {model}: geometric mean {mean:.2f}, worst {worst(of_model)}")


CLEAN = ["clean"]
QUESTIONS = {
    "quantiles": Question(
        NUMBERS,
        ["ours_quantile", "hgb_quantile", "linear_quantile"],
        CLEAN,
        report_quantiles,
    ),
    "outliers": Question(
        WITH_OUTLIERS,
        ["ours_huber", "ours_absolute", "ours", "hgb_absolute", "linear_huber"],
        list(VARIANTS),
        report_outliers,
    ),
    "counts": Question(
        COUNTS,
        ["ours_poisson", "ours", "hgb_poisson", "linear_poisson", "mlp_poisson"],
        CLEAN,
        report_counts,
    ),
    "sizes": Question(
        SIZES,
        ["ours_gamma", "ours", "hgb_gamma", "linear_gamma"],
        CLEAN,
        report_sizes,
    ),
    "absolute": Question(
        NUMBERS,
        ["ours_absolute", "ours_huber", "ours", "hgb_absolute", "linear_median"],
        CLEAN,
        report_absolute,
    ),
    "intervals": Question(
        [*NUMBERS, SYNTHETIC], ["ours_quantile", "ours"], CLEAN, report_intervals
    ),
    "monotone": Question(
        list(DIRECTIONS),
        ["ours_monotone", "ours", "hgb_monotone", "hgb"],
        CLEAN,
        report_monotone,
    ),
    "time": Question(
        TIMED,
        ["ours", *(f"ours_{loss}" for loss in LOSSES), "mlp"],
        CLEAN,
        report_time,
    ),
}


def report(args):
    lines = read(args.results)
    results, ratios = Results(lines, args.part), {}
    for name, question in asked(args).items():
        print(f"\n## {name}\n")
        of_sets = question.report(results, question) or {}
        ratios |= {f"{s}, {name}": ratio for s, ratio in of_sets.items()}
    print("\n## all questions with rivals\n")
    print_summaries(ratios, of=lambda key: part(key.split(", ")[0]))
    for line in lines:
        if "error" in line:
            reason = line["error"].replace("\n", " ")[:160]
            print(f"\n{line['model']} on {line['set']}, {line['variant']}: {reason}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    runner = commands.add_parser("run")
    runner.add_argument("--sets", help="names with commas")
    runner.add_argument("--splits", type=int, default=5, help="at most so many")
    runner.add_argument("--minutes", type=float, default=np.inf, help="start no fit")
    runner.add_argument("--out", type=Path, required=True)
    runner.set_defaults(command=run)
    reporter = commands.add_parser("report")
    reporter.add_argument("results", type=Path)
    reporter.set_defaults(command=report)
    for command in (runner, reporter):
        command.add_argument("--questions", help=f"of {', '.join(QUESTIONS)}")
        command.add_argument("--part", choices=["open", "aside", "all"], default="all")
    args = parser.parse_args()
    args.command(args)


if __name__ == "__main__":
    main()
